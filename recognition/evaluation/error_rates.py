"""Error rates of comparisons: how often two people match, how often one person does not.

A pair is *mated* when both images show one person, *non-mated* otherwise; it *matches* when its
similarity is at or above the threshold, which is how `recognition.decision.verdict` judges too.
Terms are those of ISO/IEC 19795-1: FMR is the share of non-mated pairs that match, FNMR the share
of mated pairs that do not, TMR is 1 - FNMR.
"""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from recognition.vision.types import require_array


class NoScores(ValueError):
    """A rate of no pairs was asked for."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class DetCurve:
    """The detection error trade-off: both error rates at every threshold that changes one of them.

    Args:
        thresholds: (n,) float64, rising; the last is above every score.
        fmr: (n,) float64, falling to 0.
        fnmr: (n,) float64, rising to 1.
    """

    thresholds: NDArray[np.float64]
    fmr: NDArray[np.float64]
    fnmr: NDArray[np.float64]


@dataclasses.dataclass(frozen=True, slots=True)
class EqualErrorRate:
    """The point of the trade-off where both error rates are closest.

    Args:
        rate: mean of FMR and FNMR there, 0..1.
        threshold: cosine similarity.
    """

    rate: float
    threshold: float


def fmr(non_mated: NDArray[np.float32], threshold: float) -> float:
    """False match rate: share of non-mated pairs at or above the threshold.

    Args:
        non_mated: (n,) float32 similarities of pairs of two people.
        threshold: cosine similarity.

    Raises:
        NoScores: for no pairs.
    """
    return _share_at_or_above("non_mated", non_mated, threshold)


def tmr(mated: NDArray[np.float32], threshold: float) -> float:
    """True match rate: share of mated pairs at or above the threshold.

    Args:
        mated: (n,) float32 similarities of pairs of one person.
        threshold: cosine similarity.

    Raises:
        NoScores: for no pairs.
    """
    return _share_at_or_above("mated", mated, threshold)


def fnmr(mated: NDArray[np.float32], threshold: float) -> float:
    """False non-match rate: share of mated pairs below the threshold; see `tmr`."""
    return 1.0 - tmr(mated, threshold)


def allowed_matches(pairs: int, fmr: float) -> int:
    """How many of so many non-mated pairs may match at a false match rate.

    Args:
        pairs: number of non-mated pairs.
        fmr: false match rate, 0..1.

    Returns:
        The whole number below or at `pairs * fmr`. The rate is taken as the decimal it is written
        as: 29 % of 100 pairs are 29, where binary fractions give 28.999.

    Raises:
        ValueError: for a rate outside 0..1.
    """
    if not 0.0 <= fmr <= 1.0:
        raise ValueError(f"fmr: expected 0..1, got {fmr}")
    return int(Decimal(repr(fmr)) * pairs)


def threshold_above(score: np.float32) -> float:
    """The smallest threshold that a score does not reach: the next float32."""
    return float(np.nextafter(np.float32(score), np.float32(np.inf)))


def threshold_at_fmr(non_mated: NDArray[np.float32], fmr: float) -> float:
    """The smallest threshold at which the share of non-mated pairs that match is at most `fmr`.

    An exact order statistic: with k matches allowed it lies right above the (k + 1)-th highest
    score. No distribution is fitted. Fewer than 1 / fmr pairs give a threshold right above the
    highest score, which says little; see `is_supported`.

    Args:
        non_mated: (n,) float32 similarities of pairs of two people.
        fmr: false match rate, 0..1.

    Raises:
        NoScores: for no pairs.
        ValueError: for a rate outside 0..1.
    """
    _require_scores("non_mated", non_mated)
    allowed = allowed_matches(len(non_mated), fmr)
    if allowed >= len(non_mated):
        return float(non_mated.min())
    position = len(non_mated) - 1 - allowed
    return threshold_above(np.partition(non_mated, position)[position])


LEAST_FALSE_MATCHES = 30
"""False matches that a measured rate should rest on.

Source: Doddington's rule of 30 (Doddington et al., "The NIST speaker recognition evaluation",
Speech Communication 31, 2000): with 30 errors the true rate is within 30 % of the observed one with
90 % confidence.
"""


def is_supported(pairs: int, fmr: float) -> bool:
    """Whether so many non-mated pairs can tell the threshold of a false match rate."""
    return allowed_matches(pairs, fmr) >= LEAST_FALSE_MATCHES


def det_curve(mated: NDArray[np.float32], non_mated: NDArray[np.float32]) -> DetCurve:
    """Both error rates at every threshold that changes one of them.

    Args:
        mated: (m,) float32 similarities of pairs of one person.
        non_mated: (n,) float32 similarities of pairs of two people.

    Raises:
        NoScores: for no pairs of either kind.
    """
    _require_scores("mated", mated)
    _require_scores("non_mated", non_mated)
    scores = np.unique(np.concatenate([mated, non_mated]))
    thresholds = np.append(scores, np.float32(threshold_above(scores[-1])))
    below_mated = np.searchsorted(np.sort(mated), thresholds, side="left")
    below_non_mated = np.searchsorted(np.sort(non_mated), thresholds, side="left")
    return DetCurve(
        thresholds=thresholds.astype(np.float64),
        fmr=1.0 - below_non_mated / len(non_mated),
        fnmr=below_mated / len(mated),
    )


def equal_error_rate(mated: NDArray[np.float32], non_mated: NDArray[np.float32]) -> EqualErrorRate:
    """Where the two error rates meet, or come closest; see `det_curve` for arguments and errors."""
    curve = det_curve(mated, non_mated)
    closest = int(np.argmin(np.abs(curve.fmr - curve.fnmr)))
    rate = float(curve.fmr[closest] + curve.fnmr[closest]) / 2
    return EqualErrorRate(rate, float(curve.thresholds[closest]))


def _share_at_or_above(name: str, scores: NDArray[np.float32], threshold: float) -> float:
    _require_scores(name, scores)
    return float(np.count_nonzero(scores >= threshold)) / len(scores)


def _require_scores(name: str, scores: NDArray[np.float32]) -> None:
    require_array(name, scores, shape=(None,), dtype=np.float32)
    if len(scores) == 0:
        raise NoScores(f"{name}: expected at least one pair")
