"""The samples of a person as a grid of photos."""

from __future__ import annotations

import dataclasses
import datetime as dt

from django.utils.translation import gettext

from recognition import wording
from recognition.admin import doubts
from recognition.decision import coverage
from recognition.models import FaceSample, Person

SHOWN_AT_ONCE = 24
"""Photos that are shown at once; the others are folded below them."""


@dataclasses.dataclass(frozen=True, slots=True)
class ShownSample:
    """A sample in the grid.

    Args:
        id: primary key.
        number: counts the person's samples from 1, the first enrolled first.
        is_searched: whether a search compares with it.
        quality: the unified score, 0..100; None for a sample of before there was one.
        view: pose and light in words; empty where neither was measured.
        doubts: labels of what speaks against it, while it is set aside for that.
        source: where it came from, in words.
        created_at: when it was enrolled.
    """

    id: int
    number: int
    is_searched: bool
    quality: int | None
    view: str
    doubts: tuple[str, ...]
    source: str
    created_at: dt.datetime


def of_person(person: Person) -> tuple[ShownSample, ...]:
    """All samples of a person, those that are searched first, then the newest first."""
    in_order = list(person.samples.order_by("created_at", "pk"))
    found = [_shown(number, sample) for number, sample in enumerate(in_order, 1)]
    return tuple(sorted(found, key=lambda each: (not each.is_searched, -each.number)))


def _shown(number: int, sample: FaceSample) -> ShownSample:
    is_searched = sample.status == FaceSample.Status.ACTIVE
    reasons = () if is_searched else tuple(wording.doubt_label(each.reason) for each in doubts.of_sample(sample))
    return ShownSample(
        id=sample.pk,
        number=number,
        is_searched=is_searched,
        quality=sample.quality.get("scores", {}).get("UnifiedQualityScore"),
        view=_view(sample),
        doubts=reasons,
        source=sample.get_source_display(),
        created_at=sample.created_at,
    )


def _view(sample: FaceSample) -> str:
    shown = coverage.of_samples([(sample.quality, sample.pose)])
    poses = [wording.pose_label(pose) for pose, count in shown.poses.items() if count]
    lights = [
        gettext("%(light)s light") % {"light": wording.light_label(light)}
        for light, count in shown.lights.items()
        if count
    ]
    return ", ".join([*poses, *lights])
