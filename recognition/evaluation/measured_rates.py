"""Error rates of real transactions, from what people said of them afterwards.

The terms are those of ISO/IEC 19795-1. Of comparisons with a claimed person: FMR, the share of false claims that
match, and FNMR, the share of true ones that do not. Of searches: FPIR, the share of strangers who are named, and FNIR,
the share of enrolled people who are not. Of transactions: FAR, the share of those that had to be refused and were
accepted; FRR, the share of those that had to be accepted and were not; and FTA, the share in which no face could be
compared.

The standard counts a truthful claim that is denied as falsely rejected, a wrongful one that is confirmed as falsely
accepted; for transactions of one attempt it gives FAR = FMR (1 - FTA) and FRR = FTA + FNMR (1 - FTA). A transaction
here has several votes and can end undecided with a face compared, because its votes disagreed until its time was over:
it accepts nobody either. With the share d of all transactions that ended in an accept or a refusal, and the share x of
errors among those, hence FAR = d x and FRR = (1 - d) + d x. Two things are taken as known. d is counted of all
transactions, not sampled, so that the intervals of x alone become those of FAR and FRR. And nobody judges an undecided
transaction, so d is taken to be the same for people who have to be accepted and for those who have to be refused.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Sequence

import numpy as np

from recognition.evaluation import intervals
from recognition.evaluation.intervals import Interval, StratifiedSample


class RateName(enum.StrEnum):
    """The rates, in the order in which they are told."""

    FMR = "FMR"
    FNMR = "FNMR"
    FPIR = "FPIR"
    FNIR = "FNIR"
    FAR = "FAR"
    FRR = "FRR"
    FTA = "FTA"


@dataclasses.dataclass(frozen=True, slots=True)
class Judged:
    """One transaction that somebody looked at afterwards.

    Args:
        is_claim: whether it was a verification; else an identification.
        is_mated: whether the face was that of the claimed person or, of a search, of an enrolled one; None where nobody
            can tell, and for a forgery, which counts in no rate of faces.
        matched: whether the comparison said so.
        accepted: whether the transaction accepted.
        rightly_refused: whether a person who was recognised was refused for another reason than their face.
        stratum: number of the group that it was drawn from.
        weight: how many transactions of that group it stands for, above 0.
        group: what it is counted under, such as the name of a checkpoint.
    """

    is_claim: bool
    is_mated: bool | None
    matched: bool
    accepted: bool
    rightly_refused: bool
    stratum: int
    weight: float
    group: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Acquisition:
    """How many transactions came to a comparison and to an end; counted of all of them, not of a sample.

    Args:
        failures: in which no face could be compared.
        decided: that ended in an accept or a refusal. The rest were compared and ended undecided.
        transactions: altogether.

    Raises:
        ValueError: for more failures and decided ones than transactions.
    """

    failures: int
    decided: int
    transactions: int

    def __post_init__(self) -> None:
        if min(self.failures, self.decided) < 0 or self.failures + self.decided > self.transactions:
            raise ValueError(
                f"failures and decided: expected 0..{self.transactions} together, "
                f"got {self.failures} and {self.decided}"
            )

    @property
    def share(self) -> float:
        """The FTA, 0..1; 0 of nothing."""
        return self.failures / self.transactions if self.transactions else 0.0

    @property
    def decided_share(self) -> float:
        """The share d of the module's docstring, 0..1; 1 of nothing."""
        return self.decided / self.transactions if self.transactions else 1.0


@dataclasses.dataclass(frozen=True, slots=True)
class Measured:
    """One rate.

    Args:
        name: which one.
        errors: judged transactions that count as errors.
        trials: judged transactions that count at all.
        share: the estimate for all transactions, 0..1; None of nothing.
        interval: between which rates the true one lies, with a confidence of 95 %; None of nothing.
    """

    name: RateName
    errors: int
    trials: int
    share: float | None
    interval: Interval | None


@dataclasses.dataclass(frozen=True, slots=True)
class _Definition:
    """Which judged transactions a rate is of, and which of them are errors."""

    counts: Callable[[Judged], bool]
    is_error: Callable[[Judged], bool]


_DEFINITIONS = {
    RateName.FMR: _Definition(lambda each: each.is_claim and each.is_mated is False, lambda each: each.matched),
    RateName.FNMR: _Definition(lambda each: each.is_claim and each.is_mated is True, lambda each: not each.matched),
    RateName.FPIR: _Definition(lambda each: not each.is_claim and each.is_mated is False, lambda each: each.matched),
    RateName.FNIR: _Definition(lambda each: not each.is_claim and each.is_mated is True, lambda each: not each.matched),
    RateName.FAR: _Definition(lambda each: each.is_mated is False, lambda each: each.accepted),
    RateName.FRR: _Definition(
        lambda each: each.is_mated is True and not each.rightly_refused, lambda each: not each.accepted
    ),
}


def measure(
    judged: Sequence[Judged], acquisition: Acquisition | None, *, group: str | None = None
) -> tuple[Measured, ...]:
    """The rates of some transactions.

    Args:
        judged: everything that was drawn and judged, also what belongs to other groups: how many of a draw fall into
            a group is left to chance as well, and the intervals know it.
        acquisition: of the transactions that the rates are for; None where it is not known, as of those with a face
            of some quality: then FTA is left out, and FAR and FRR are those of transactions that were decided.
        group: the one that the rates are for; None for all.
    """
    rates = [_of_faces(name, definition, judged, group) for name, definition in _DEFINITIONS.items()]
    if acquisition is None:
        return tuple(rates)
    return (*(_of_transactions(rate, acquisition) for rate in rates), _failure_to_acquire(acquisition))


def deciles(qualities: Sequence[int]) -> tuple[int, ...]:
    """The lowest score of each tenth of them, the worst first; equal ones where scores are equal.

    Args:
        qualities: scores, in any order; none give no deciles.
    """
    if not qualities:
        return ()
    ranked = sorted(qualities)
    return tuple(ranked[len(ranked) * tenth // 10] for tenth in range(10))


def decile(quality: int, lowest: Sequence[int]) -> int:
    """Into which tenth a score falls, 1..10, by what `deciles` gave.

    Raises:
        ValueError: without deciles.
    """
    if not lowest:
        raise ValueError("decile: expected deciles, got none")
    return max(1, int(np.searchsorted(np.asarray(lowest), quality, side="right")))


def _of_faces(name: RateName, definition: _Definition, judged: Sequence[Judged], group: str | None) -> Measured:
    counts = [definition.counts(each) and group in (None, each.group) for each in judged]
    errors = [is_counted and definition.is_error(each) for is_counted, each in zip(counts, judged, strict=True)]
    if not any(counts):
        return Measured(name, 0, 0, None, None)
    sample = StratifiedSample(
        np.array([each.stratum for each in judged], np.int64),
        np.array([each.weight for each in judged], np.float64),
        np.array(counts, np.bool_),
        np.array(errors, np.bool_),
    )
    return Measured(name, sample.errors, sample.counted, sample.share, intervals.stratified(sample))


def _of_transactions(rate: Measured, acquisition: Acquisition) -> Measured:
    """FAR and FRR with the transactions that ended undecided; every other rate as it is."""
    decided = acquisition.decided_share
    if rate.share is None or rate.interval is None or rate.name not in (RateName.FAR, RateName.FRR):
        return rate
    base = 1.0 - decided if rate.name is RateName.FRR else 0.0

    def moved(share: float) -> float:
        return min(1.0, base + decided * share)

    found = rate.interval
    return dataclasses.replace(
        rate,
        share=moved(rate.share),
        interval=Interval(moved(found.low), moved(found.high), found.method),
    )


def _failure_to_acquire(acquisition: Acquisition) -> Measured:
    failures, transactions = acquisition.failures, acquisition.transactions
    if not transactions:
        return Measured(RateName.FTA, 0, 0, None, None)
    return Measured(RateName.FTA, failures, transactions, acquisition.share, intervals.simple(failures, transactions))
