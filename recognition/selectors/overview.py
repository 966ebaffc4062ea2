"""What an administrator wants to know first: how much there is, and what waits for somebody."""

from __future__ import annotations

import dataclasses
import datetime as dt

from django.db.models import Q

from recognition import conf
from recognition.models import Alert, ClaimLockout, FaceSample, ModelPack, Person, ThresholdPolicy
from recognition.selectors import doubts, packs
from recognition.selectors.people import searched_samples, without_basis


@dataclasses.dataclass(frozen=True, slots=True)
class Overview:
    """The installation at a glance.

    Args:
        people: active people.
        people_without_sample: of them, those who cannot be recognised for want of a sample.
        samples: samples that are searched, those of inactive people on the deny list included.
        samples_without_template: of them, those that the active pack did not embed.
        doubtful: samples that are set aside until somebody has looked at them.
        denied_in_vain: people on the deny list who cannot be recognised.
        without_basis: people who are not recognised for want of a legal basis; 0 where none is demanded.
        pack: the active pack; None on a database without one.
        policy: the site's policy in force; None while nothing is decided.
        open_alerts: alerts that nobody has acknowledged.
        lockouts: people who are locked out of a checkpoint now.
        proposals: versions of the policy that wait for approval, of any pack and checkpoint.
    """

    people: int
    people_without_sample: int
    samples: int
    samples_without_template: int
    doubtful: int
    denied_in_vain: int
    without_basis: int
    pack: ModelPack | None
    policy: ThresholdPolicy | None
    open_alerts: int
    lockouts: int
    proposals: int


def read(*, now: dt.datetime) -> Overview:
    """Counts everything that the overview shows.

    Args:
        now: with a time zone.
    """
    people = Person.objects.filter(is_active=True)
    pack = ModelPack.objects.filter(is_active=True).first()
    gallery = packs.gallery_state(pack.pk) if pack else None
    decides = pack is not None and pack.decides
    locked = Q(is_stopped=True) | Q(locked_until__gt=now)
    return Overview(
        open_alerts=Alert.objects.filter(acknowledged_at=None).count(),
        lockouts=ClaimLockout.objects.filter(locked).count(),
        people=people.count(),
        people_without_sample=people.exclude(samples__status=FaceSample.Status.ACTIVE).count(),
        samples=searched_samples().count(),
        samples_without_template=gallery.samples_without_template if gallery else 0,
        doubtful=doubts.waiting().count(),
        denied_in_vain=gallery.denied_in_vain if gallery else 0,
        without_basis=without_basis().count() if conf.requires_legal_basis() else 0,
        pack=pack,
        policy=ThresholdPolicy.objects.filter(pack=pack, checkpoint=None, state=ThresholdPolicy.State.ACTIVE).first()
        if decides
        else None,
        proposals=ThresholdPolicy.objects.filter(state=ThresholdPolicy.State.PROPOSED).count(),
    )
