"""Draws events for review, and keeps what people say of them; an event itself is never changed."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
import secrets
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import CharField, Count, F, Func, Q, Value, Window
from django.db.models.functions import Cast, Concat, RowNumber
from django.utils import formats, timezone
from django.utils.translation import gettext, ngettext

from recognition.decision import retention, reviews
from recognition.decision.reviews import TAKEN_WHOLE, ReviewVerdict, Stratum
from recognition.decision.verdict import Decision
from recognition.models import (
    AuditAction,
    FaceSample,
    RecognitionEvent,
    ReviewBatch,
    ReviewItem,
    ReviewStratum,
    Verdict,
)
from recognition.selectors import retention as retention_read
from recognition.selectors import reviews as reviews_read
from recognition.services import audit, holds, people

LARGEST_BATCH = 2000
"""Events in one batch: more than people look through, so that a wrong width is noticed before they begin."""


class DrawRefused(Exception):
    """Nothing was drawn; the text is for the person who wanted it."""


class VerdictRefused(Exception):
    """The verdict was not kept; the text is for the person who gave it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Design:
    """What is to be drawn.

    Args:
        since: first moment of the time that is looked at, with a time zone.
        until: the first moment after it.
        accepts: how many of the accepts that are in no other group; all where there are fewer.
        refusals: how many of the refusals, likewise.
        width: largest distance of the similarity from the threshold that still counts as near it, 0..1.
        second_share: share of all that is drawn which a second person judges too, 0..1.

    Raises:
        ValueError: for numbers that make no sense.
    """

    since: dt.datetime
    until: dt.datetime
    accepts: int
    refusals: int
    width: float = 0.03
    second_share: float = 0.2

    def __post_init__(self) -> None:
        if not self.since < self.until:
            raise ValueError(f"until: expected a moment after {self.since}, got {self.until}")
        if self.accepts < 0 or self.refusals < 0:
            raise ValueError(f"accepts, refusals: expected 0 or more, got {self.accepts}, {self.refusals}")
        for name in ("width", "second_share"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name}: expected 0..1, got {getattr(self, name)}")

    def most(self, stratum: Stratum) -> int:
        """How many are drawn of a group at most; of one that is taken whole one more than a review may have."""
        if stratum in TAKEN_WHOLE:
            return LARGEST_BATCH + 1
        return self.accepts if stratum is Stratum.ACCEPT else self.refusals


@dataclasses.dataclass(frozen=True, slots=True)
class _Drawn:
    """What was drawn of one group.

    Args:
        population: how many events it has.
        lots: of each event that was drawn its lot and its number, by lot.
    """

    population: int
    lots: tuple[tuple[str, int], ...]

    @property
    def size(self) -> int:
        """How many were drawn."""
        return len(self.lots)


@transaction.atomic
def draw(*, design: Design, actor: User, now: dt.datetime, seed: int | None = None) -> ReviewBatch:
    """Draws events for review: random accepts and refusals, and all that were overridden or near the threshold.

    Args:
        design: what is to be drawn.
        actor: who wants it.
        now: with a time zone.
        seed: with the same one the same events are drawn; None for a new one, which nobody chooses.

    Raises:
        DrawRefused: when there is nothing to draw, or more than anybody looks through; when the time is not over yet,
            or retention has removed some of its events.
    """
    if design.until > now:
        raise DrawRefused(gettext("The time ends in the future: what is decided until then cannot be drawn yet."))
    holds.reserve()
    _require_all_there(design)
    seed = secrets.randbits(62) if seed is None else seed
    drawn = _drawn(design, seed)
    count = _require_some(drawn)
    batch = ReviewBatch.objects.create(
        since=design.since,
        until=design.until,
        width=design.width,
        second_share=design.second_share,
        seed=seed,
        drawn_at=now,
        drawn_by=actor,
    )
    rows = {
        stratum: ReviewStratum.objects.create(batch=batch, code=stratum, population=part.population, size=part.size)
        for stratum, part in drawn.items()
    }
    by_lot = sorted((lot, event, stratum) for stratum, part in drawn.items() for lot, event in part.lots)
    twice = set(random.Random(seed).sample(range(count), round(count * design.second_share)))  # noqa: S311  # no secret
    ReviewItem.objects.bulk_create(
        ReviewItem(batch=batch, stratum=rows[stratum], event_id=event, position=place + 1, asks_second=place in twice)
        for place, (_, event, stratum) in enumerate(by_lot)
    )
    details = {
        "events": count,
        "population": sum(part.population for part in drawn.values()),
        "asked_twice": len(twice),
    }
    audit.record(action=AuditAction.REVIEW_DRAWN, actor=actor, subject=batch, details=details)
    return batch


@transaction.atomic
def give(
    *,
    event: RecognitionEvent,
    code: ReviewVerdict,
    note: str,
    actor: User,
    now: dt.datetime,
    item: ReviewItem | None = None,
) -> Verdict:
    """Keeps what somebody says of an event; it takes back what they said of it before.

    Args:
        event: stays as it is.
        code: what they say.
        note: why; may be empty.
        actor: who says so.
        now: with a time zone.
        item: what of a review it answers; None where no review asked.

    Raises:
        VerdictRefused: when the verdict makes no sense of the event.
    """
    if code not in fitting(event):
        raise VerdictRefused(gettext("That verdict does not fit how this event ended: choose one that is offered."))
    # Locked, so that of two clicks at once the second takes back the first.
    RecognitionEvent.objects.select_for_update(no_key=True).get(pk=event.pk)
    earlier = reviews_read.standing_verdicts().filter(event=event, by=actor).first()
    others = Verdict.objects.filter(event=event).exclude(by=actor)
    verdict = Verdict.objects.create(
        event=event,
        code=code,
        note=note.strip(),
        item=item,
        reading=_reading(item, actor) if item is not None else None,
        supersedes=earlier,
        contradicts=others.exclude(code=code).exists(),
        by=actor,
        at=now,
    )
    # Not what was said: a second reviewer may read the audit trail.
    details = {"event": event.pk, "supersedes": earlier.pk if earlier is not None else None}
    audit.record(action=AuditAction.VERDICT_GIVEN, actor=actor, subject=verdict, details=details)
    return verdict


@transaction.atomic
def set_sample_aside(*, verdict: Verdict, actor: User) -> FaceSample:
    """Takes the sample out of the search that a false match came from; whoever looks after samples may put it back.

    Args:
        verdict: that it was a false match, by the same person and not taken back.
        actor: who does it.

    Raises:
        VerdictRefused: when there is no such sample any more, or the verdict does not say so.
    """
    stands = reviews_read.standing_verdicts().filter(pk=verdict.pk, by=actor, code=ReviewVerdict.FALSE_MATCH).exists()
    sample = verdict.event.best_sample
    if not stands or sample is None:
        raise VerdictRefused(gettext("There is no sample to set aside: it was deleted, or the verdict is another one."))
    people.set_sample_status(sample=sample, status=FaceSample.Status.SET_ASIDE, actor=actor)
    return sample


def fitting(event: RecognitionEvent) -> tuple[ReviewVerdict, ...]:
    """The verdicts that make sense of an event."""
    return reviews.fitting(Decision(event.decision), [reason["reason"] for reason in event.reasons])


def _lot(seed: int) -> Func:
    """A number for each event that nobody can foresee without the seed, and everybody can compute with it."""
    text = Concat(Value(f"{seed}:"), Cast(F("pk"), CharField()), output_field=CharField())
    return Func(text, function="md5", output_field=CharField())


def _drawn(design: Design, seed: int) -> Mapping[Stratum, _Drawn]:
    """What is drawn of each group, and how many events it has: one statement, so that both are of the same events."""
    lots = reviews_read.in_strata(design.since, design.until, width=design.width).annotate(lot=_lot(seed))
    of_group: dict[str, Any] = {"partition_by": F("stratum")}
    ranked = lots.annotate(
        population=Window(Count("pk"), **of_group), turn=Window(RowNumber(), **of_group, order_by="lot")
    )
    most = {stratum: design.most(stratum) for stratum in Stratum}
    wanted = Q(turn=1)  # also of a group of which none is drawn: it says how many there are
    for stratum, number in most.items():
        wanted |= Q(stratum=stratum.value, turn__lte=number)
    rows = list(ranked.filter(wanted).order_by("turn").values_list("stratum", "population", "turn", "lot", "pk"))
    populations = {Stratum(code): population for code, population, *_ in rows}
    return {
        stratum: _Drawn(
            populations.get(stratum, 0),
            tuple((lot, event) for code, _, turn, lot, event in rows if code == stratum and turn <= number),
        )
        for stratum, number in most.items()
    }


def _require_all_there(design: Design) -> None:
    """Refuses a time of which retention removed events that verdicts are asked of: what it left differs from it."""
    if retention_read.is_whole(design.since, classes=retention.COMPARED):
        return
    newest = retention_read.removed_until(retention.COMPARED)
    text = gettext(
        "Retention has removed events that were decided until %(newest)s. What is left of that time differs from what "
        "went, so it measures nothing: choose a time that begins later."
    )
    raise DrawRefused(text % {"newest": formats.date_format(timezone.localtime(newest), "DATETIME_FORMAT")})


def _require_some(drawn: Mapping[Stratum, _Drawn]) -> int:
    """How many events are drawn; a group that is taken whole counts with all it has."""
    count = sum(part.population if stratum in TAKEN_WHOLE else part.size for stratum, part in drawn.items())
    if not count:
        raise DrawRefused(gettext("Nothing was decided in that time. Choose another time."))
    if count > LARGEST_BATCH:
        text = ngettext(
            "That is %(count)d event, more than the %(most)d of one review. Choose a shorter time, fewer events, or "
            "a smaller distance from the threshold.",
            "That is %(count)d events, more than the %(most)d of one review. Choose a shorter time, fewer events, or "
            "a smaller distance from the threshold.",
            count,
        )
        raise DrawRefused(text % {"count": count, "most": LARGEST_BATCH})
    return count


def _reading(item: ReviewItem, actor: User) -> int:
    """Which of those whom a review asks somebody is; they stay it when they change their mind."""
    given = item.verdicts.order_by("-reading").values_list("by", "reading")
    own = next((reading for by, reading in given if by == actor.pk), None)
    return own or max((reading or 0 for _, reading in given), default=0) + 1
