"""What classifiers are worth on a gallery, beside the other strategies.

Each sample is held out once and searched for; people with one sample are enrolled all the time. Other people are held
out likewise, all faces of one of them together, so that nobody is judged whom the classifier has learned.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from recognition.decision.classifiers import Classifier, Numbers, Vectors, choose
from recognition.decision.matching import Strategy
from recognition.evaluation import open_set
from recognition.evaluation.open_set import Found, OperatingPoint
from recognition.training import classifiers
from recognition.training.classifiers import Lesson
from recognition.vision.templates import Templates

FOLDS = 3
"""Parts of the samples, of which each is held out once."""


_NOBODY = -1


@dataclasses.dataclass(frozen=True, slots=True)
class Counted:
    """What was counted for one strategy.

    Args:
        mated: held-out samples of enrolled people.
        first: of them, those whose own person is the closest, whatever the similarity.
        missed: of them, those that are not named as their own person.
        non_mated: faces of other people.
        named: of them, those that are named as anybody.
    """

    mated: int = 0
    first: int = 0
    missed: int = 0
    non_mated: int = 0
    named: int = 0

    def __add__(self, other: Counted) -> Counted:
        both = zip(dataclasses.astuple(self), dataclasses.astuple(other), strict=True)
        return Counted(*(one + more for one, more in both))


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Fold:
    lesson: Lesson
    mated: Vectors
    own: Numbers
    non_mated: Vectors


def cross_validated(
    lesson: Lesson, at: OperatingPoint, *, threads: int, on_step: Callable[[], None]
) -> Mapping[Strategy, Counted]:
    """Counts for every strategy.

    Args:
        lesson: everything that is known.
        at: threshold and margin in force. For the mean of a person's samples they mean something else than for samples.
        threads: see `classifiers.svm`.
        on_step: likewise; it is called `FOLDS` times as often as `classifiers.steps` says.
    """
    counted = dict.fromkeys(Strategy, Counted())
    for number in range(FOLDS):
        fold = _fold(lesson, number)
        learned: dict[Strategy, Classifier] = {
            Strategy.KNN_CLASSIFIER: classifiers.knn(fold.lesson),
            Strategy.SVM_CLASSIFIER: classifiers.svm(fold.lesson, threads=threads, on_step=on_step),
        }
        for strategy in Strategy:
            counted[strategy] += _counted(fold, strategy, learned.get(strategy), at)
    return counted


def _fold(lesson: Lesson, number: int) -> _Fold:
    gallery, others = lesson.gallery, lesson.others
    _, first, of, counts = np.unique(gallery.people, return_index=True, return_inverse=True, return_counts=True)
    position = np.arange(len(gallery)) - first[of]
    held = (counts[of] > 1) & (position % FOLDS == number)
    _, group = np.unique(others.groups, return_inverse=True)
    held_others = group % FOLDS == number
    kept = Templates(gallery.samples[~held], gallery.people[~held], gallery.vectors[~held])
    return _Fold(
        Lesson(kept, others.only(~held_others)),
        gallery.vectors[held],
        gallery.people[held],
        others.vectors[held_others],
    )


def _counted(fold: _Fold, strategy: Strategy, classifier: Classifier | None, at: OperatingPoint) -> Counted:
    first, named = _searched(fold.lesson.gallery, fold.mated, strategy, classifier, at)
    _, others_named = _searched(fold.lesson.gallery, fold.non_mated, strategy, classifier, at)
    return Counted(
        mated=len(fold.mated),
        first=int((first == fold.own).sum()),
        missed=int((named != fold.own).sum()),
        non_mated=len(fold.non_mated),
        named=int((others_named != _NOBODY).sum()),
    )


def _searched(
    gallery: Templates, probes: Vectors, strategy: Strategy, classifier: Classifier | None, at: OperatingPoint
) -> tuple[Numbers, Numbers]:
    """Who is the closest to each probe, and whom it is named as; each `_NOBODY` where it is nobody."""
    ranking = strategy if classifier is None else Strategy.NEAREST
    found = open_set.rank(probes, gallery.vectors, gallery.people, ranking, at.threshold)
    first, is_named = found.person, found.named(at)
    if classifier is not None:
        is_named &= _agrees(gallery, probes, classifier, found, at)
        scores = classifier.scores(probes)[:, 1:]
        first = np.where(np.isfinite(scores.max(axis=1)), classifier.learned[scores.argmax(axis=1)], _NOBODY)
    return first, np.where(is_named, found.person, _NOBODY)


def _agrees(
    gallery: Templates, probes: Vectors, classifier: Classifier, found: Found, at: OperatingPoint
) -> NDArray[np.bool_]:
    """(m,) bool: `decision.classifiers.objection` has none, for many probes at once."""
    people, firsts = np.unique(gallery.people, return_index=True)
    alike = np.maximum.reduceat(probes @ gallery.vectors.T, firsts, axis=1) >= at.threshold
    chosen = choose(classifier, probes, alike | (found.person[:, None] == people))
    return np.asarray(chosen == found.person, np.bool_)
