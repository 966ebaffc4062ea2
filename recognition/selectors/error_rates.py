"""What reviewers said of real transactions, as numbers that error rates are made of."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
from collections.abc import Callable, Iterator, Mapping, Sequence

from django.contrib.auth.models import User
from django.db.models import Count, Exists, OuterRef, Q
from django.db.models.functions import ExtractHour
from django.utils import timezone

from recognition.decision.reviews import REFUSALS, ReviewVerdict, Stratum
from recognition.decision.verdict import Decision, TransactionReason
from recognition.evaluation import measured_rates
from recognition.evaluation.measured_rates import Acquisition, Judged, Measured
from recognition.models import Checkpoint, RecognitionEvent, ReviewBatch, Verdict
from recognition.models.searching import has_reason
from recognition.selectors import retention, reviews
from recognition.selectors.reviews import Remains, ReviewedEvent

_COMPARED = frozenset({Decision.ACCEPT, *REFUSALS})
_MATCHED = frozenset({ReviewVerdict.TRUE_MATCH, ReviewVerdict.FALSE_MATCH})
_MATED = frozenset({ReviewVerdict.TRUE_MATCH, ReviewVerdict.FALSE_NON_MATCH})
_UNTOLD = frozenset({ReviewVerdict.SPOOF, ReviewVerdict.CANNOT_TELL})

NOT_ACQUIRED = Q(decision__in=[Decision.NO_DECISION_QUALITY, Decision.NO_DECISION_MULTIPLE_FACES]) | Q(
    decision=Decision.NO_DECISION_TIMEOUT, votes=[]
)
"""Transactions in which no face could be compared; whose votes did not agree in time came to a comparison."""

NO_TRANSACTION = (Decision.LOCKED_OUT, Decision.ERROR)
"""Ended before a face was looked at, or by a fault: they say nothing of acquiring."""

VIDEO = "video"
"""Key of what was seen in video files, where a checkpoint has its number."""

LOOKED_BACK = dt.timedelta(days=365)
"""Of every event with a verdict, how far back those are that count: what is counted on a page has to have an end."""


class Dimension(enum.StrEnum):
    """What rates are told apart by."""

    CHECKPOINT = "checkpoint"
    HOUR = "hour"
    POLICY = "policy"
    QUALITY = "quality"


class DrawThinned(Exception):
    """There are no rates of a draw of which retention removed events: what it leaves differs from what it takes.

    Args:
        remains: of how many events it left how many.
    """

    def __init__(self, remains: Remains) -> None:
        """Says both numbers."""
        super().__init__(f"{remains.left} of {remains.drawn} drawn events are still there")
        self.remains = remains


@dataclasses.dataclass(frozen=True, slots=True)
class GroupRates:
    """The rates of one part of the transactions.

    Args:
        key: of the part; primary key, hour, version or tenth as text, empty for the live page, or `VIDEO`.
        label: what people call it; empty where its key says it.
        judged: transactions of it that somebody judged.
        rates: of `measured_rates.measure`.
    """

    key: str
    label: str
    judged: int
    rates: tuple[Measured, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class ErrorRates:
    """The rates of a draw, or of everything that was judged.

    Args:
        rates: of all its transactions.
        dimension: what the groups are.
        groups: the rates of its parts.
        judged: how many transactions somebody judged.
        disputed: of how many of them two people said different things; the first one counts.
        spoofs: how many were forgeries, which count in no rate of faces.
        untold: of how many nobody could tell.
        unjudged: transactions of groups of the draw of which none was judged yet: no rate knows them.
        counts_all: whether all transactions of the time can be counted. Where retention removed some, FTA is left out,
            and FAR and FRR are those of transactions that were decided.
    """

    rates: tuple[Measured, ...]
    dimension: Dimension
    groups: tuple[GroupRates, ...]
    judged: int
    disputed: int
    spoofs: int
    untold: int
    unjudged: int
    counts_all: bool


@dataclasses.dataclass(frozen=True, slots=True)
class _Tally:
    """Transactions of one checkpoint, hour of the day and policy version.

    Args:
        keys: the group of each dimension but quality that they belong to.
        acquisition: how many they are.
    """

    keys: Mapping[Dimension, str]
    acquisition: Acquisition


def batches(user: User) -> tuple[ReviewBatch, ...]:
    """The draws of which something was judged, or may have been before retention removed it; the newest first.

    Also those that wait for the user, whom the list must not tell whether somebody has judged before.
    """
    judged = Q(Exists(Verdict.objects.filter(item__batch=OuterRef("pk"))))
    thinned = Q(pk__in=reviews.thinned_batches())
    waiting = Q(pk__in=reviews.waiting_for(user).order_by().values("batch"))
    return tuple(ReviewBatch.objects.filter(judged | thinned | waiting).order_by("-pk"))


def has_verdicts() -> bool:
    """Whether anybody ever judged anything."""
    return Verdict.objects.exists()


def error_rates(
    batch: ReviewBatch | None, dimensions: Sequence[Dimension], *, now: dt.datetime
) -> tuple[ErrorRates, ...]:
    """The rates of a draw, told apart by each of the dimensions; the log is read and counted once for all of them.

    Args:
        batch: which one; None for every transaction of `LOOKED_BACK` with a verdict, which nobody's design has chosen.
        dimensions: what they are told apart by.
        now: with a time zone.

    Raises:
        DrawThinned: when retention removed events of the draw.
    """
    since = now - LOOKED_BACK if batch is None else batch.since
    found = list(reviews.reviewed_events(batch, since=since))
    weights, unjudged = _weights(batch)
    tallies = tuple(_tallies(batch, since))
    # Asked last: retention may run meanwhile.
    if batch is not None and not (remains := reviews.remains(batch)).is_whole:
        raise DrawThinned(remains)
    counted = tallies if retention.is_whole(since) else None
    return tuple(_told_apart(dimension, found, weights, unjudged, counted) for dimension in dimensions)


def _told_apart(
    dimension: Dimension,
    found: Sequence[ReviewedEvent],
    weights: Mapping[Stratum | None, tuple[int, float]],
    unjudged: int,
    tallies: Sequence[_Tally] | None,
) -> ErrorRates:
    qualities = measured_rates.deciles([each.quality_score for each in found if each.quality_score is not None])
    key = _keys(qualities)[dimension]
    judged = tuple(_judged(each, weights, key(each)) for each in found)
    known = dimension is not Dimension.QUALITY and tallies is not None
    acquisitions = _acquisitions(tallies or (), dimension)
    groups = sorted({each.group for each in judged}, key=_in_order)
    labels = _labels(dimension, qualities)
    return ErrorRates(
        rates=measured_rates.measure(judged, None if tallies is None else _total(tallies)),
        dimension=dimension,
        groups=tuple(
            GroupRates(
                key=group,
                label=labels.get(group, ""),
                judged=sum(each.group == group for each in judged),
                rates=measured_rates.measure(judged, acquisitions.get(group) if known else None, group=group),
            )
            for group in groups
        ),
        judged=len(found),
        disputed=sum(each.is_disputed for each in found),
        spoofs=sum(each.verdict is ReviewVerdict.SPOOF for each in found),
        untold=sum(each.verdict is ReviewVerdict.CANNOT_TELL for each in found),
        unjudged=unjudged,
        counts_all=tallies is not None,
    )


def _judged(event: ReviewedEvent, weights: Mapping[Stratum | None, tuple[int, float]], group: str) -> Judged:
    stratum, weight = weights[event.stratum]
    is_told = event.decision in _COMPARED and event.verdict not in _UNTOLD
    accepted = event.decision is Decision.ACCEPT
    return Judged(
        is_claim=event.is_claim,
        is_mated=event.verdict in _MATED if is_told else None,
        matched=event.verdict in _MATCHED,
        accepted=accepted,
        rightly_refused=event.verdict is ReviewVerdict.TRUE_MATCH and not accepted,
        stratum=stratum,
        weight=weight,
        group=group,
    )


def _weights(batch: ReviewBatch | None) -> tuple[Mapping[Stratum | None, tuple[int, float]], int]:
    """Number and weight of each group of a draw, and how many transactions those stand for of which none was judged.

    What was judged so far is a random sample of its group, because it is judged in the order of the lot.
    """
    if batch is None:
        return {None: (0, 1.0)}, 0
    counts = reviews.strata(batch)
    weights: dict[Stratum | None, tuple[int, float]] = {
        each.stratum: (number, each.population / each.answered) for number, each in enumerate(counts) if each.answered
    }
    return weights, sum(each.population for each in counts if not each.answered)


def _keys(deciles: Sequence[int]) -> Mapping[Dimension, Callable[[ReviewedEvent], str]]:
    def tenth(event: ReviewedEvent) -> str:
        return "" if event.quality_score is None else str(measured_rates.decile(event.quality_score, deciles))

    return {
        Dimension.CHECKPOINT: lambda event: _place(event.checkpoint_id, is_video=event.is_video),
        Dimension.HOUR: lambda event: str(event.hour),
        Dimension.POLICY: lambda event: str(event.policy_version),
        Dimension.QUALITY: tenth,
    }


def _labels(dimension: Dimension, deciles: Sequence[int]) -> Mapping[str, str]:
    match dimension:
        case Dimension.CHECKPOINT:
            return {str(number): name for number, name in Checkpoint.objects.values_list("pk", "name")}
        case Dimension.QUALITY:
            return {str(tenth): str(lowest) for tenth, lowest in enumerate(deciles, 1)}
        case _:
            return {}


def _acquisitions(tallies: Sequence[_Tally], dimension: Dimension) -> Mapping[str, Acquisition]:
    """The acquisition of each group; none by quality, which no failure has."""
    if dimension is Dimension.QUALITY:
        return {}
    parts: dict[str, list[_Tally]] = {}
    for each in tallies:
        parts.setdefault(each.keys[dimension], []).append(each)
    return {key: _total(part) for key, part in parts.items()}


def _total(tallies: Sequence[_Tally]) -> Acquisition:
    return Acquisition(
        failures=sum(each.acquisition.failures for each in tallies),
        decided=sum(each.acquisition.decided for each in tallies),
        transactions=sum(each.acquisition.transactions for each in tallies),
    )


def _tallies(batch: ReviewBatch | None, since: dt.datetime) -> Iterator[_Tally]:
    """The transactions of a draw, or of the time since then, counted by everything that groups are made of."""
    events = RecognitionEvent.objects.exclude(decision__in=NO_TRANSACTION).filter(decided_at__gte=since)
    if batch is not None:
        # A draw of an older version may name an end that was still to come: what came later was never drawn of.
        events = events.filter(decided_at__lt=min(batch.until, batch.drawn_at))
    hour = ExtractHour("decided_at", tzinfo=timezone.get_current_timezone())
    from_video = has_reason("reasons", TransactionReason.FROM_VIDEO)
    groups = (
        events.order_by()
        .annotate(hour=hour, is_video=from_video)
        .values("checkpoint", "is_video", "hour", "policy__version")
    )
    counted = groups.annotate(
        failures=Count("pk", filter=NOT_ACQUIRED),
        decided=Count("pk", filter=Q(decision__in=_COMPARED)),
        transactions=Count("pk"),
    )
    for row in counted:
        keys = {
            Dimension.CHECKPOINT: _place(row["checkpoint"], is_video=row["is_video"]),
            Dimension.HOUR: str(row["hour"]),
            Dimension.POLICY: str(row["policy__version"]),
        }
        yield _Tally(keys, Acquisition(row["failures"], row["decided"], row["transactions"]))


def _place(checkpoint: int | None, *, is_video: bool) -> str:
    return VIDEO if is_video else str(checkpoint or "")


def _in_order(key: str) -> tuple[bool, int, str]:
    return not key.isdigit(), int(key) if key.isdigit() else 0, key
