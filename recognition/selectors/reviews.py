"""What was drawn for review, what waits for whom, and what was said of each event."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence

from django.contrib.auth.models import User
from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    F,
    FloatField,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.fields.json import KT
from django.db.models.functions import Abs, Cast, Coalesce
from django.db.models.lookups import GreaterThan
from django.utils import timezone

from recognition.decision.reviews import REFUSALS, ReviewVerdict, Stratum
from recognition.decision.verdict import Decision
from recognition.evaluation.agreement import Agreement, agreement
from recognition.models import (
    EventOverride,
    EventPlace,
    RecognitionEvent,
    ReviewBatch,
    ReviewItem,
    ReviewStratum,
    Verdict,
)

_CHUNK = 500


@dataclasses.dataclass(frozen=True, slots=True)
class ReviewedEvent:
    """One event of which somebody said what it was.

    Args:
        event_id: primary key.
        is_claim: whether it was a verification; else an identification.
        decision: how it ended.
        verdict: what was said of it: the first verdict, where those that stand differ; one that the draw asked
            for goes before those that were given on the event's page.
        is_disputed: whether the verdicts that stand differ.
        stratum: the group that it was drawn from; None where no draw was asked for.
        weight: how many events of its group it stands for by the design of the draw (population / size); None
            without a draw.
        checkpoint_id: primary key; None for the live page, and for a video.
        is_video: whether it was in a video file.
        decided_at: with a time zone.
        policy_version: that decided.
        quality_score: UnifiedQualityScore of the probe, 0..100; None where nothing was scored.
        similarity: to the closest person; None where there was none.
    """

    event_id: int
    is_claim: bool
    decision: Decision
    verdict: ReviewVerdict
    is_disputed: bool
    stratum: Stratum | None
    weight: float | None
    checkpoint_id: int | None
    is_video: bool
    decided_at: dt.datetime
    policy_version: int
    quality_score: int | None
    similarity: float | None

    @property
    def hour(self) -> int:
        """Of the day at which it was decided, in the time zone of the site, 0..23."""
        return timezone.localtime(self.decided_at).hour


@dataclasses.dataclass(frozen=True, slots=True)
class StratumCount:
    """How far a group of a batch is.

    Args:
        stratum: which one.
        population: events of it in the time of the batch.
        size: how many of them were drawn.
        answered: how many of those somebody has judged. They are judged in the order of the lot, so that they are
            a random sample too while some still wait.
    """

    stratum: Stratum
    population: int
    size: int
    answered: int


@dataclasses.dataclass(frozen=True, slots=True)
class Remains:
    """What retention left of a batch.

    Args:
        drawn: how many events were drawn.
        left: how many of them are still there.
    """

    drawn: int
    left: int

    @property
    def is_whole(self) -> bool:
        """Whether all are."""
        return self.left == self.drawn


@dataclasses.dataclass(frozen=True, slots=True)
class Progress:
    """How far a batch is for one person.

    Args:
        done: how many events of it they have judged.
        left: how many wait for them.
    """

    done: int
    left: int


def standing_verdicts() -> QuerySet[Verdict]:
    """Verdicts that their authors have not taken back by another one, oldest first."""
    return Verdict.objects.filter(superseded_by=None).order_by("pk")


def in_strata(since: dt.datetime, until: dt.datetime, *, width: float) -> QuerySet[RecognitionEvent]:
    """The events of a time that can be drawn, each with its `stratum`.

    Args:
        since: with a time zone.
        until: the first moment that is not part of it.
        width: largest distance of the similarity from the threshold that still counts as near.
    """
    required = Case(
        When(kind=RecognitionEvent.Kind.VERIFICATION, then=KT("thresholds__verification_threshold")),
        default=KT("thresholds__identification_threshold"),
    )
    distance = Abs(F("similarity") - Cast(required, FloatField()))
    stratum = Case(
        When(Exists(EventOverride.objects.filter(event=OuterRef("pk"))), then=Value(Stratum.OVERRIDE.value)),
        When(~Q(decision__in=(Decision.ACCEPT, *REFUSALS)), then=Value(None)),
        When(Q(distance__lte=width), then=Value(Stratum.NEAR_THRESHOLD.value)),
        When(decision=Decision.ACCEPT, then=Value(Stratum.ACCEPT.value)),
        default=Value(Stratum.REFUSAL.value),
        output_field=CharField(),
    )
    events = RecognitionEvent.objects.filter(decided_at__gte=since, decided_at__lt=until)
    return events.annotate(distance=distance).annotate(stratum=stratum).exclude(stratum=None).order_by()


def queue(user: User, *, batch: ReviewBatch | None = None) -> QuerySet[ReviewItem]:
    """What waits for one person, in the order of the lot: what they have not judged and others have not done.

    Args:
        user: who is asked.
        batch: of which; None for all.
    """
    items = ReviewItem.objects.all() if batch is None else batch.items.all()
    # Whoever is asked twice needs a second reading, else a first. Nothing is aggregated: one item costs one look.
    enough = Q(reading__gt=Cast(OuterRef("asks_second"), IntegerField()))
    said = Verdict.objects.filter(Q(by=user) | enough, item=OuterRef("pk"))
    return items.filter(~Exists(said)).order_by("batch", "position")


def waiting_for(user: User, *, batch: ReviewBatch | None = None) -> QuerySet[ReviewItem]:
    """The queue of one person; empty for whoever may not judge, for whom nothing waits.

    Args:
        user: who is asked.
        batch: of which; None for all.
    """
    return queue(user, batch=batch) if user.has_perm("recognition.add_verdict") else ReviewItem.objects.none()


def progress(batch: ReviewBatch, user: User) -> Progress:
    """How far one person is with a batch."""
    return progress_of_each([batch], user)[batch.pk]


def progress_of_each(batches: Sequence[ReviewBatch], user: User) -> Mapping[int, Progress]:
    """How far one person is with each of some batches, by their primary keys."""
    judged = ReviewItem.objects.filter(Exists(Verdict.objects.filter(item=OuterRef("pk"), by=user)))
    done, left = _count_by_batch(judged, batches), _count_by_batch(queue(user), batches)
    return {batch.pk: Progress(done.get(batch.pk, 0), left.get(batch.pk, 0)) for batch in batches}


def _count_by_batch(items: QuerySet[ReviewItem], batches: Sequence[ReviewBatch]) -> Mapping[int, int]:
    counted = items.filter(batch__in=batches).order_by().values("batch").annotate(count=Count("pk"))
    return {row["batch"]: row["count"] for row in counted}


def visible_verdicts(user: User) -> QuerySet[Verdict]:
    """The verdicts that somebody may see, oldest first: not others' on events that wait for their own.

    So a second reviewer knows neither the first verdict nor that there is one.
    """
    if not user.has_perm("recognition.view_verdict"):
        return Verdict.objects.none()
    verdicts = Verdict.objects.order_by("pk")
    if not user.has_perm("recognition.add_verdict"):
        return verdicts
    # Asked for by event: what was ever drawn grows for years, and a page shows a few verdicts.
    waiting = queue(user).order_by().filter(event=OuterRef("event"))
    return verdicts.filter(Q(by=user) | ~Exists(waiting))


def strata(batch: ReviewBatch) -> tuple[StratumCount, ...]:
    """The groups of a batch, with how many of each were judged."""
    answered = Exists(Verdict.objects.filter(item=OuterRef("pk")))
    judged = list(batch.items.filter(answered).values_list("stratum", flat=True))
    return tuple(
        StratumCount(Stratum(row.code), row.population, row.size, judged.count(row.pk)) for row in batch.strata.all()
    )


def thinned_batches() -> QuerySet[ReviewBatch]:
    """The batches of which retention removed events that were drawn."""
    drawn = ReviewStratum.objects.filter(batch=OuterRef("pk")).values("batch").annotate(all=Sum("size")).values("all")
    left = ReviewItem.objects.filter(batch=OuterRef("pk")).values("batch").annotate(all=Count("pk")).values("all")
    return ReviewBatch.objects.filter(GreaterThan(Subquery(drawn), Coalesce(Subquery(left), 0)))


def remains(batch: ReviewBatch) -> Remains:
    """How many events of a batch retention left."""
    return Remains(drawn=sum(batch.strata.values_list("size", flat=True)), left=batch.items.count())


def agreement_of(batch: ReviewBatch) -> Agreement:
    """How well the two people agree who judged the same events of a batch, by what each said first."""
    said: dict[tuple[int | None, int | None], str] = {}
    verdicts = Verdict.objects.filter(item__batch=batch, item__asks_second=True, reading__lte=2)
    for item, reading, code in verdicts.order_by("pk").values_list("item", "reading", "code"):
        said.setdefault((item, reading), code)
    both = [item for item, reading in said if reading == 1 and (item, 2) in said]
    return agreement([said[item, 1] for item in both], [said[item, 2] for item in both])


def disputed(batch: ReviewBatch) -> QuerySet[ReviewItem]:
    """The events of a batch of which the verdicts that stand differ."""
    stands = Q(event__verdicts__superseded_by=None)
    said = Count("event__verdicts__code", filter=stands, distinct=True)
    return batch.items.annotate(said=said).filter(said__gt=1).order_by("position")


def reviewed_events(batch: ReviewBatch | None, *, since: dt.datetime | None = None) -> Iterator[ReviewedEvent]:
    """The events that were judged, with what rates are computed from; in the order of their numbers.

    Args:
        batch: those that were drawn then, with their groups and weights. None for every event with a verdict,
            without groups and weights: they were chosen by nobody's design.
        since: the first moment of every event with a verdict, with a time zone; None for all of them.
    """
    if batch is None:
        events = RecognitionEvent.objects.filter(Exists(Verdict.objects.filter(event=OuterRef("pk"))))
        if since is not None:
            events = events.filter(decided_at__gte=since)
        for event in _with_verdicts(events):
            yield _reviewed(event, None)
        return
    strata_of = dict(
        batch.items.filter(Exists(Verdict.objects.filter(item=OuterRef("pk")))).values_list("event", "stratum")
    )
    by_number = {row.pk: row for row in batch.strata.all()}
    for event in _with_verdicts(RecognitionEvent.objects.filter(pk__in=strata_of)):
        yield _reviewed(event, by_number[strata_of[event.pk]])


def _with_verdicts(events: QuerySet[RecognitionEvent]) -> Iterable[RecognitionEvent]:
    wanted = (
        events.select_related("policy").prefetch_related("verdicts__superseded_by", "verdicts__item").order_by("pk")
    )
    # What is large and not asked for: of each event its votes are the most.
    return wanted.defer("votes", "thresholds", "timings").iterator(chunk_size=_CHUNK)


def _reviewed(event: RecognitionEvent, stratum: ReviewStratum | None) -> ReviewedEvent:
    # Read with hasattr: asking for a row that is not there raises an error.
    standing = [verdict for verdict in event.verdicts.all() if not hasattr(verdict, "superseded_by")]
    drawn = [each for each in standing if stratum and each.item and each.item.batch_id == stratum.batch_id]
    first = min(drawn or standing, key=lambda verdict: verdict.pk)
    return ReviewedEvent(
        event_id=event.pk,
        is_claim=event.kind == RecognitionEvent.Kind.VERIFICATION,
        decision=Decision(event.decision),
        verdict=ReviewVerdict(first.code),
        is_disputed=any(verdict.code != first.code for verdict in standing),
        stratum=Stratum(stratum.code) if stratum is not None else None,
        weight=stratum.weight if stratum is not None else None,
        checkpoint_id=event.checkpoint_id,
        is_video=EventPlace.of(None, event.reasons).is_video,
        decided_at=event.decided_at,
        policy_version=event.policy.version,
        quality_score=event.quality.get("scores", {}).get("UnifiedQualityScore"),
        similarity=event.similarity,
    )
