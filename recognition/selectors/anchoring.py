"""Whether heads of the sealed log are kept outside of the database, as jobs processes have noted it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence

from recognition.models import AnchorPlace, AuditEntry

LATE_AFTER = dt.timedelta(hours=3)
"""One is kept every hour: twice it may be missed, such as while the server is updated."""


@dataclasses.dataclass(frozen=True, slots=True)
class Failing:
    """A place that takes no anchors.

    Args:
        place: which one.
        since: when it failed first.
        reason: as the system or the address has it.
    """

    place: AnchorPlace.Code
    since: dt.datetime
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Anchoring:
    """How it is.

    Args:
        kept_at: when the last one was kept, at the place where that is longest ago; None where none ever was.
        failing: places that took none at the last try.
        is_late: whether one should have been kept since, and nobody tried.
    """

    kept_at: dt.datetime | None
    failing: Sequence[Failing]
    is_late: bool

    @property
    def is_well(self) -> bool:
        """Whether nobody has to do anything."""
        return not self.failing and not self.is_late


def read(*, now: dt.datetime) -> Anchoring:
    """How it is at every place that the settings of the jobs processes name.

    Args:
        now: with a time zone.
    """
    places = list(AnchorPlace.objects.order_by("-code"))  # the file first
    failing = [
        Failing(AnchorPlace.Code(place.code), place.failing_since, place.reason)
        for place in places
        if place.failing_since is not None
    ]
    moments = [place.kept_at for place in places if place.kept_at is not None]
    kept_at = min(moments) if moments else None
    # Since then there is something to anchor.
    begins = AuditEntry.objects.order_by("at").values_list("at", flat=True).first()
    expected = kept_at or begins
    is_late = not failing and expected is not None and expected < now - LATE_AFTER
    return Anchoring(kept_at, failing, is_late)
