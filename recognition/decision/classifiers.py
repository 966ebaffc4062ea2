"""Classifiers over embeddings: does who learned the gallery agree with what a search found?

A classifier knows the enrolled people and an explicit class of *other people*: faces that are nobody's who is enrolled.
It names nobody by itself. Of those whom a search found similar enough it chooses one, or says that it is one of the
other people, and `objection` makes of that whether the first of the search may be named. So whatever it answers, nobody
is accepted whom the nearest sample alone would not have been.
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar, Protocol, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recognition.decision.matching import CandidateList, Objection, Strategy
from recognition.vision.types import require_array

OTHER_PEOPLE = 0
"""Stands for the class of everybody who is not enrolled; the database counts from 1."""

MADE_UP = 0
"""Stands for where a face came from that is nobody's."""

NEIGHBOURS = 25
"""Faces that vote (k)."""

SOFTNESS = 0.05
"""How much more of a similarity makes a neighbour's vote e times as heavy. Measured: docs/adr/0017-classifiers.md."""

_LENGTH_TOLERANCE = 1e-3

Vectors: TypeAlias = NDArray[np.float32]
Numbers: TypeAlias = NDArray[np.int64]


@dataclasses.dataclass(frozen=True, slots=True)
class Left:
    """What of the data that classifiers were made of is still there.

    Args:
        people: (n,) int64, who has samples.
        samples: (n,) int64, of everybody.
        faces: (n,) int64, unknown faces.
    """

    people: Numbers
    samples: Numbers
    faces: Numbers


class Classifier(Protocol):
    """What a search may ask; both kinds are also made of arrays alone, by the names of their fields."""

    strategy: ClassVar[Strategy]

    @property
    def learned(self) -> Numbers:
        """(p,) int64, rising: the enrolled people that it knows."""

    @property
    def size(self) -> int:
        """Faces, or machines, that it is made of."""

    def scores(self, probes: Vectors) -> Vectors:
        """(m, 1 + p) float32, higher is closer: of the other people, then of each of `learned`.

        Args:
            probes: (m, d) float32 of unit length.
        """

    def keeping(self, left: Left) -> Self:
        """The same without whatever was made of data that is gone."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class KnnClassifier:
    """The nearest faces vote, each with the more weight the nearer it is: k nearest neighbours with a kernel.

    Plain votes would not do: of somebody with one sample, all but one neighbour are other people.

    Args:
        vectors: (n, d) float32 of unit length.
        people: (n,) int64, whose each is; `OTHER_PEOPLE` for who is not enrolled.
        sources: (n,) int64, the sample, or of other people the unknown face, that each came from; `MADE_UP` for one
            that is nobody's.

    Raises:
        InvalidArray: for arrays of another shape or type.
        ValueError: for a vector that is not of unit length, or a number below 0.
    """

    strategy: ClassVar[Strategy] = Strategy.KNN_CLASSIFIER

    vectors: Vectors
    people: Numbers
    sources: Numbers
    _classes: Numbers = dataclasses.field(init=False, repr=False)
    _columns: Numbers = dataclasses.field(init=False, repr=False)

    def __post_init__(self) -> None:
        require_array("vectors", self.vectors, shape=(None, None), dtype=np.float32)
        require_array("people", self.people, shape=(len(self.vectors),), dtype=np.int64)
        require_array("sources", self.sources, shape=(len(self.vectors),), dtype=np.int64)
        # "not <=" and not ">", so that a length that is not a number is wrong too.
        if not np.all(np.abs(np.linalg.norm(self.vectors, axis=1) - 1) <= _LENGTH_TOLERANCE):
            raise ValueError("vectors: expected rows of length 1")
        if np.any(self.people < OTHER_PEOPLE) or np.any(self.sources < MADE_UP):
            raise ValueError("people and sources: expected no number below 0")
        classes = np.union1d(self.people, [OTHER_PEOPLE]).astype(np.int64)
        object.__setattr__(self, "_classes", classes)
        object.__setattr__(self, "_columns", np.searchsorted(classes, self.people))

    @property
    def learned(self) -> Numbers:
        """See `Classifier`."""
        return self._classes[1:]

    @property
    def size(self) -> int:
        """See `Classifier`."""
        return len(self.vectors)

    def scores(self, probes: Vectors) -> Vectors:
        """See `Classifier`; minus infinity for who has no vote."""
        voters = min(NEIGHBOURS, len(self.vectors))
        if not voters:
            return np.full((len(probes), len(self._classes)), -np.inf, np.float32)
        found = np.zeros((len(probes), len(self._classes)), np.float32)
        similarities = probes @ self.vectors.T
        nearest = np.argpartition(-similarities, voters - 1, axis=1)[:, :voters]
        closeness = np.take_along_axis(similarities, nearest, axis=1)
        weights = np.exp((closeness - closeness.max(axis=1, keepdims=True)) / SOFTNESS)
        np.add.at(found, (np.arange(len(probes))[:, None], self._columns[nearest]), weights)
        return np.where(found > 0, found, np.float32(-np.inf))

    def keeping(self, left: Left) -> Self:
        """See `Classifier`: each face goes with the sample or the unknown face that it came from."""
        is_other = self.people == OTHER_PEOPLE
        stays = np.where(
            is_other,
            (self.sources == MADE_UP) | np.isin(self.sources, left.faces),
            np.isin(self.sources, left.samples),
        )
        return type(self)(self.vectors[stays], self.people[stays], self.sources[stays])


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class SvmClassifier:
    """A linear support vector machine for each class, one against the rest; the one that says most wins.

    Args:
        weights: (c, d) float32, a row a class.
        biases: (c,) float32.
        people: (c,) int64, rising; the first is `OTHER_PEOPLE`.

    Raises:
        InvalidArray: for arrays of another shape or type.
        ValueError: without the class of other people, for people out of order, or for what is no number.
    """

    strategy: ClassVar[Strategy] = Strategy.SVM_CLASSIFIER

    weights: Vectors
    biases: Vectors
    people: Numbers

    def __post_init__(self) -> None:
        require_array("weights", self.weights, shape=(None, None), dtype=np.float32)
        require_array("biases", self.biases, shape=(len(self.weights),), dtype=np.float32)
        require_array("people", self.people, shape=(len(self.weights),), dtype=np.int64)
        if not len(self.people) or self.people[0] != OTHER_PEOPLE or np.any(np.diff(self.people) <= 0):
            raise ValueError(f"people: expected rising numbers that begin with {OTHER_PEOPLE}")
        if not (np.isfinite(self.weights).all() and np.isfinite(self.biases).all()):
            raise ValueError("weights and biases: expected finite numbers")

    @property
    def learned(self) -> Numbers:
        """See `Classifier`."""
        return self.people[1:]

    @property
    def size(self) -> int:
        """See `Classifier`."""
        return len(self.people)

    def scores(self, probes: Vectors) -> Vectors:
        """See `Classifier`; distances from the planes that part each class from the rest, times the length of a row."""
        return np.asarray(probes @ self.weights.T + self.biases, np.float32)

    def keeping(self, left: Left) -> Self:
        """See `Classifier`: the machine of each person goes with them."""
        stays = (self.people == OTHER_PEOPLE) | np.isin(self.people, left.people)
        return type(self)(self.weights[stays], self.biases[stays], self.people[stays])


def choose(classifier: Classifier, probes: Vectors, may_be: NDArray[np.bool_]) -> Numbers:
    """Which of some people each face is.

    Args:
        classifier: that is asked.
        probes: (m, d) float32 of unit length.
        may_be: (m, p) bool: which of `learned` may be chosen for each.

    Returns:
        (m,) int64: one of them, or `OTHER_PEOPLE`: also where they are as likely as anybody who may be.
    """
    scores = classifier.scores(probes)
    allowed = np.column_stack([np.ones(len(probes), np.bool_), may_be]) & ~np.isnan(scores)
    classes = np.append(OTHER_PEOPLE, classifier.learned)
    return np.asarray(classes[np.where(allowed, scores, -np.inf).argmax(axis=1)], np.int64)


def objection(
    candidates: CandidateList, classifier: Classifier | None, probe: Vectors, *, least_similarity: float
) -> Objection | None:
    """What a classifier has against the person whom a search found first.

    Args:
        candidates: what the search found.
        classifier: of the same model pack; None where none can be used.
        probe: (d,) float32 of unit length, that was searched for.
        least_similarity: what a candidate must reach to be one whom the classifier may choose. Pass the threshold. The
            first one always may be, so that the answer is worth something for lower thresholds too.
    """
    best = candidates.best
    if best is None:
        return None
    if classifier is None:
        return Objection.NO_CLASSIFIER
    if best.person_id not in classifier.learned:
        return Objection.NOT_LEARNED
    alike = [each.person_id for each in candidates.people if each.similarity >= least_similarity]
    may_be = np.isin(classifier.learned, [best.person_id, *alike])
    chosen = int(choose(classifier, probe[None], may_be[None])[0])
    if chosen == best.person_id:
        return None
    return Objection.OTHER_PEOPLE if chosen == OTHER_PEOPLE else Objection.ANOTHER_PERSON
