"""Galleries that are like faces and of nobody: drawn from the statistics of real embeddings.

A person is a draw around the mean of all people, a sample of theirs a draw around the person, both normal; how far a
sample strays is itself drawn, since some photos are much worse than others. That is the two-covariance model of
Prince and Elder, "Probabilistic Linear Discriminant Analysis for Inferences About Identity" (ICCV 2007), with a spread
of its own for each sample, and scaled to unit length. Whether it is like faces is not believed: the quantiles of mated
and non-mated similarities are kept with the statistics, and a test compares.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognition.vision.types import require_array

SHIPPED = Path(__file__).with_name("face_like.npz")
"""Of the default pack on view 1 of Labeled Faces in the Wild, made by `recognition.bench.face_statistics`."""

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999, 0.9999)
"""Shares of all comparisons at whose similarity a generated gallery is held against a real one."""

_SPREADS = np.arange(0.0, 0.6, 0.1)
_STRETCHES = np.arange(1.0, 1.25, 0.1)
"""Of the covariance within people: scaling to unit length takes back a part of what a sample strays."""

_ROWS_AT_A_TIME = 50_000
_TRIED_PEOPLE = 500


class TooFewFaces(ValueError):
    """Embeddings from which no statistics can be made; the text says what is missing."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Quantiles:
    """Similarities at `QUANTILES` of all comparisons, each (len(QUANTILES),) float64."""

    mated: NDArray[np.float64]
    non_mated: NDArray[np.float64]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class FaceStatistics:
    """What embeddings of one model pack are like; d is their length.

    Args:
        mean: (d,) float32, of all people.
        between: (d, d) float32, covariance of people around it.
        within: (d, d) float32, covariance of samples around their person.
        spread: standard deviation of the logarithm of how far a sample strays; 0 where all stray alike.
        real: what the similarities of the real embeddings are.

    Raises:
        InvalidArray: for arrays of another shape or type.
    """

    mean: NDArray[np.float32]
    between: NDArray[np.float32]
    within: NDArray[np.float32]
    spread: float
    real: Quantiles

    def __post_init__(self) -> None:
        require_array("mean", self.mean, shape=(None,), dtype=np.float32)
        for name in ("between", "within"):
            require_array(name, getattr(self, name), shape=(len(self.mean), len(self.mean)), dtype=np.float32)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class FaceLikeGallery:
    """People who do not exist.

    Args:
        vectors: (people * samples_each, d) float32 of unit length; a person's samples stand together.
        samples_each: how many samples everybody has.
        probes: (n, d) float32 of unit length: further samples of people of the gallery, not in it.
        mates: (n,) int64, which person each probe is of, from 0.
    """

    vectors: NDArray[np.float32]
    samples_each: int
    probes: NDArray[np.float32]
    mates: NDArray[np.int64]


def measured(vectors: NDArray[np.float32], people: NDArray[np.int64]) -> FaceStatistics:
    """The statistics of real embeddings.

    The spread, and how much the covariance within people is stretched, are those of a few that make generated mated
    similarities most like the real ones.

    Args:
        vectors: (n, d) float32, each row of unit length and of one model pack.
        people: (n,) int64, equal numbers for samples of one person.

    Raises:
        TooFewFaces: for fewer than two people, or nobody with two samples.
    """
    require_array("vectors", vectors, shape=(None, None), dtype=np.float32)
    require_array("people", people, shape=(len(vectors),), dtype=np.int64)
    _, first, of, samples = np.unique(people, return_index=True, return_inverse=True, return_counts=True)
    if len(samples) < 2 or samples.max() < 2:
        raise TooFewFaces("Statistics need two people or more, and two samples of at least one of them.")
    exact = vectors.astype(np.float64)
    sums = np.zeros((len(samples), exact.shape[1]))
    np.add.at(sums, of, exact)
    strayed = exact - (sums / samples[:, None])[of]
    several = samples[of] > 1
    # Each person counts alike, however many samples they have.
    weights = 1 / (samples[of][several] - 1) / (samples > 1).sum()
    within = (strayed[several] * weights[:, None]).T @ strayed[several]
    # One sample of each person varies by both.
    between = np.cov(exact[first].T) - within
    real = quantiles(vectors, people)
    tried = [
        FaceStatistics(_float32(exact.mean(0)), _float32(between), _float32(stretch * within), float(spread), real)
        for spread in _SPREADS
        for stretch in _STRETCHES
    ]
    return min(tried, key=_strangeness)


def quantiles(vectors: NDArray[np.float32], people: NDArray[np.int64]) -> Quantiles:
    """The similarities of all pairs: 5,000 samples take 200 MB.

    Args:
        vectors: (n, d) float32, each row of unit length.
        people: (n,) int64.
    """
    pairs = np.triu_indices(len(vectors), 1)
    similarities, is_mated = (vectors @ vectors.T)[pairs], people[pairs[0]] == people[pairs[1]]
    return Quantiles(
        np.quantile(similarities[is_mated].astype(np.float64), QUANTILES),
        np.quantile(similarities[~is_mated].astype(np.float64), QUANTILES),
    )


def generate(statistics: FaceStatistics, *, people: int, samples_each: int, probes: int, seed: int) -> FaceLikeGallery:
    """Draws a gallery and probes of its people; the same seed draws the same.

    Args:
        statistics: of what.
        people: how many, 1 or more.
        samples_each: of each person in the gallery, 1 or more.
        probes: of different people, at most as many as there are.
        seed: of everything random.
    """
    random = np.random.default_rng(seed)
    between, within = _root(statistics.between), _root(statistics.within)
    dimension = len(statistics.mean)

    def drawn(around: NDArray[np.float32]) -> NDArray[np.float32]:
        # The mean square of the factor is 1, so that the covariance stays what it is.
        factor = np.exp(statistics.spread * random.standard_normal((len(around), 1)) - statistics.spread**2)
        strayed = random.standard_normal(around.shape, dtype=np.float32) @ within
        vectors = around + factor.astype(np.float32) * strayed
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)

    mates = np.sort(random.choice(people, probes, replace=False)).astype(np.int64)
    vectors = np.empty((people * samples_each, dimension), np.float32)
    searched = np.empty((probes, dimension), np.float32)
    for begin in range(0, people, _ROWS_AT_A_TIME):
        end = min(begin + _ROWS_AT_A_TIME, people)
        centres = statistics.mean + random.standard_normal((end - begin, dimension), dtype=np.float32) @ between
        vectors[begin * samples_each : end * samples_each] = drawn(np.repeat(centres, samples_each, axis=0))
        probed = (mates >= begin) & (mates < end)
        searched[probed] = drawn(centres[mates[probed] - begin])
    return FaceLikeGallery(vectors, samples_each, searched, mates)


def further_sample(
    vector: NDArray[np.float32], statistics: FaceStatistics, random: np.random.Generator
) -> NDArray[np.float32]:
    """Another sample of the person whom a vector is of: as similar as two real ones are, in any direction.

    Args:
        vector: (d,) float32 of unit length, of any model pack.
        statistics: whose mated similarities are drawn from, between their first and last quantile.
        random: what chooses.

    Returns:
        (d,) float32 of unit length.
    """
    similarity = np.interp(random.random(), QUANTILES, statistics.real.mated)
    away = random.standard_normal(len(vector))
    away -= vector * (away @ vector)
    sample = similarity * vector + np.sqrt(1 - similarity**2) * away / np.linalg.norm(away)
    return _float32(sample)


def save(statistics: FaceStatistics, path: Path) -> None:
    """Writes statistics to a `.npz` file."""
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            mean=statistics.mean,
            between=statistics.between,
            within=statistics.within,
            spread=statistics.spread,
            mated=statistics.real.mated,
            non_mated=statistics.real.non_mated,
        )


def load(path: Path = SHIPPED) -> FaceStatistics:
    """Reads what `save` wrote."""
    with np.load(path) as stored:
        real = Quantiles(stored["mated"], stored["non_mated"])
        return FaceStatistics(stored["mean"], stored["between"], stored["within"], float(stored["spread"]), real)


def _strangeness(statistics: FaceStatistics) -> float:
    """How far generated mated similarities are from the real ones, from the 5th to the 95th hundredth."""
    drawn = generate(statistics, people=_TRIED_PEOPLE, samples_each=1, probes=_TRIED_PEOPLE, seed=0)
    similarities = np.einsum("ij,ij->i", drawn.vectors, drawn.probes)
    shares = [share for share in QUANTILES if share <= 0.95]
    return float(np.abs(np.quantile(similarities, shares) - statistics.real.mated[: len(shares)]).max())


def _root(covariance: NDArray[np.float32]) -> NDArray[np.float32]:
    """A matrix that gives standard normal rows this covariance; what is negative by chance counts as none."""
    values, axes = np.linalg.eigh(covariance.astype(np.float64))
    return _float32((axes * np.sqrt(np.clip(values, 0, None))).T)


def _float32(array: NDArray[np.float64]) -> NDArray[np.float32]:
    return array.astype(np.float32)
