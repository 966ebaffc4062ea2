"""Stores what another model pack makes of the gallery, and switches to it once somebody has seen what that means."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from recognition.models import FaceSample, FaceTemplate, ModelPack, ThresholdPolicy
from recognition.selectors import pack_switch, packs
from recognition.services import pack_rules, policies
from recognition.services import packs as pack_services
from recognition.vision.types import Embedding


class SwitchRefused(Exception):
    """The pack is not switched; the text says why, and what to do."""


@transaction.atomic
def store_templates(*, pack: ModelPack, embeddings: Mapping[int, Embedding]) -> None:
    """Keeps templates beside those of other packs; nothing is searched by them until the pack is in use.

    Args:
        pack: that made them.
        embeddings: by the primary key of their samples; of a sample that was deleted meanwhile, nothing is kept, and
            one that has a template of the pack already keeps that one.
    """
    held = FaceSample.objects.select_for_update(no_key=True).filter(pk__in=embeddings).order_by("pk")
    FaceTemplate.objects.bulk_create(
        [
            FaceTemplate(sample_id=number, pack=pack, embedding=embeddings[number].vector)
            for number in held.values_list("pk", flat=True)
        ],
        ignore_conflicts=True,
    )


def basis(*, pack: ModelPack) -> str:
    """What a comparison of the pack with the one in use depends on, as a fingerprint; see `switch`."""
    return pack_switch.fingerprint(pack_switch.in_use(), packs.described(pack), pack_rules.verification_threshold(pack))


@transaction.atomic
def switch(
    *, pack: ModelPack, compared: str, actor: User | None, despite_losses: bool = False
) -> tuple[ThresholdPolicy, ...]:
    """Makes a pack the one that searches, if what was found out about it is still so.

    Args:
        pack: which one.
        compared: the `basis` of the comparison that somebody has seen.
        actor: who switches; None for the command line.
        despite_losses: even if people are not found any more, or nothing is decided until thresholds are measured.

    Returns:
        The versions of the policy that were made.

    Raises:
        SwitchRefused: when the gallery changed since, or there are losses that were not agreed to.
        pack_rules.ThresholdsNotMeasured, policies.ChangeRefused: as of `packs.activate`.
    """
    policies.begin_change(now=timezone.now())
    # Whoever enrols waits for the switch, so that no sample comes between the look and the switch.
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {FaceTemplate._meta.db_table} IN SHARE MODE")
    if basis(pack=pack) != compared:
        raise SwitchRefused(
            gettext(
                "The gallery or the thresholds changed since the pack was tried out. Try it out again, then switch."
            )
        )
    if not despite_losses:
        refuse_losses(pack=pack)
    return pack_services.activate(pack=pack, actor=actor)


def refuse_losses(*, pack: ModelPack) -> None:
    """Does nothing where a switch loses nobody and decisions go on.

    Raises:
        SwitchRefused: otherwise.
    """
    before = pack_switch.in_use()
    lost = pack_switch.lost_people(before.id if before else None, pack.pk).count()
    if lost:
        raise SwitchRefused(
            ngettext(
                "%(count)d person would not be found any more, because none of their samples could be embedded by this "
                "pack. Enrol other photos of them and try again, or say that you switch nevertheless.",
                "%(count)d people would not be found any more, because none of their samples could be embedded by this "
                "pack. Enrol other photos of them and try again, or say that you switch nevertheless.",
                lost,
            )
            % {"count": lost}
        )
    if not pack.decides:
        raise SwitchRefused(
            gettext(
                "The pack has no measured thresholds, so nobody would be recognised. Measure it first with faceweb "
                "evaluate pairs, or say that you switch nevertheless."
            )
        )
