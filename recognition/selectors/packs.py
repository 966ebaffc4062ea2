"""Which model pack and which policy hold now."""

from __future__ import annotations

import dataclasses

from django.db.models import Count, F, Q
from django.utils.translation import gettext

from recognition.decision.policy import Policy
from recognition.models import FaceTemplate, ModelPack, ThresholdPolicy
from recognition.selectors.people import denied_in_vain, searched_samples


@dataclasses.dataclass(frozen=True, slots=True)
class ActivePack:
    """The pack in use with its policy.

    Args:
        id: primary key of the pack.
        name: for people.
        digest: what its vectors are marked with.
        dimension: length of its vectors.
        location: folder of the weights, empty for the default pack.
        policy_id: primary key of the active policy; None while thresholds were never measured.
        policy: the active policy; None while thresholds were never measured, and then nothing is
            decided.
    """

    id: int
    name: str
    digest: str
    dimension: int
    location: str
    policy_id: int | None
    policy: Policy | None


class NoActivePack(Exception):
    """No model pack was activated yet; `faceweb up` and every command activate the default one."""


def active(checkpoint_id: int | None = None) -> ActivePack:
    """The active pack and the policy that holds there, read now.

    Args:
        checkpoint_id: whose own policy comes before the site's; None for everywhere else.

    Raises:
        NoActivePack: on a database where no pack was activated.
    """
    pack = ModelPack.objects.filter(is_active=True).first()
    if pack is None:
        raise NoActivePack(gettext("No model pack is active in this database. Run `faceweb models use opencv-zoo`."))
    return described(pack, checkpoint_id)


def described(pack: ModelPack, checkpoint_id: int | None = None) -> ActivePack:
    """A pack as it would be if it were the active one, with the policy that it has there, read now.

    Args:
        pack: which one.
        checkpoint_id: whose own policy comes before the site's; None for everywhere else.
    """
    in_force = ThresholdPolicy.objects.filter(pack=pack, state=ThresholdPolicy.State.ACTIVE)
    scopes = Q(checkpoint=None) if checkpoint_id is None else Q(checkpoint=None) | Q(checkpoint_id=checkpoint_id)
    stored = in_force.filter(scopes).order_by(F("checkpoint").desc(nulls_last=True)).first()
    decides = stored is not None and pack.decides
    return ActivePack(
        id=pack.pk,
        name=pack.name,
        digest=pack.digest,
        dimension=pack.dimension,
        location=pack.location,
        policy_id=stored.pk if stored is not None and decides else None,
        policy=stored.as_policy() if stored is not None and decides else None,
    )


@dataclasses.dataclass(frozen=True, slots=True)
class GalleryState:
    """How much of the gallery the active pack can search.

    Args:
        people: those whom a search may find, with at least one template of this pack.
        templates: templates of this pack that are searched.
        samples_without_template: samples to be searched that only another pack has embedded.
        denied_in_vain: people on the deny list who cannot be recognised: without a sample, or a template of it.
    """

    people: int
    templates: int
    samples_without_template: int
    denied_in_vain: int = 0

    @property
    def needs_reembedding(self) -> bool:
        """Whether some enrolled samples cannot be found with this pack."""
        return self.samples_without_template > 0


def gallery_state(pack_id: int) -> GalleryState:
    """Counts what a search with that pack would see, the deny list's inactive people included."""
    samples = searched_samples()
    templates = FaceTemplate.objects.filter(pack_id=pack_id, sample__in=samples)
    return GalleryState(
        people=templates.aggregate(people=Count("sample__person", distinct=True))["people"],
        templates=templates.count(),
        samples_without_template=samples.exclude(templates__pack_id=pack_id).count(),
        denied_in_vain=denied_in_vain(pack_id).count(),
    )
