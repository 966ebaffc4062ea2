"""Learns classifiers of a gallery.

That needs no PyTorch: k nearest neighbours only keep what they were given, and the linear support vector machines are
scikit-learn's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from recognition.decision.classifiers import OTHER_PEOPLE, KnnClassifier, SvmClassifier
from recognition.decision.other_people import OtherPeople
from recognition.vision.templates import Templates

MOST_PEOPLE = 1000
"""Whose machines are learned in about two minutes on two cores: docs/adr/0017-classifiers.md has the numbers."""

MOST_SAMPLES = 3000
"""Likewise; each is compared with each other one."""

LEAST_OTHERS = 20
"""Faces of other people; with fewer the class says nothing."""

CLASSES_A_STEP = 50
"""Machines that are learned between two looks at whether the work should end."""

PENALTY = 2.0
"""How much all errors of a machine may cost beside a narrow margin: C is this share of the number of faces. More makes
machines that refuse the people themselves. Measured: docs/adr/0017-classifiers.md."""

NOBODY, TOO_MANY_PEOPLE = "nobody_to_learn", "too_many_people_to_learn"
TOO_MANY_SAMPLES, TOO_FEW_OTHERS = "too_many_samples_to_learn", "too_few_others_to_learn"


class CannotLearn(ValueError):
    """No classifier can be learned of this gallery.

    Args:
        code: why; `recognition.wording` has the sentence.
        count: how many there are.
        limit: how many there may, or must, be.
    """

    def __init__(self, code: str, count: int, limit: int) -> None:
        super().__init__(f"{code}: {count}, limit {limit}")
        self.code, self.count, self.limit = code, count, limit


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What classifiers are learned of.

    Args:
        gallery: the templates that a search sees.
        others: who is not enrolled.
    """

    gallery: Templates
    others: OtherPeople

    def require_learnable(self) -> None:
        """Refuses what would be learned for long, or for nothing.

        Raises:
            CannotLearn: for nobody, for more than can be learned, or for too few other people.
        """
        people = len(np.unique(self.gallery.people))
        if not people:
            raise CannotLearn(NOBODY, 0, 1)
        if people > MOST_PEOPLE:
            raise CannotLearn(TOO_MANY_PEOPLE, people, MOST_PEOPLE)
        if len(self.gallery) > MOST_SAMPLES:
            raise CannotLearn(TOO_MANY_SAMPLES, len(self.gallery), MOST_SAMPLES)
        if len(self.others) < LEAST_OTHERS:
            raise CannotLearn(TOO_FEW_OTHERS, len(self.others), LEAST_OTHERS)


def knn(lesson: Lesson) -> KnnClassifier:
    """Keeps every face."""
    gallery, others = lesson.gallery, lesson.others
    return KnnClassifier(
        np.concatenate([gallery.vectors, others.vectors]),
        np.concatenate([gallery.people, np.full(len(others), OTHER_PEOPLE)]),
        np.concatenate([gallery.samples, others.sources]),
    )


def svm(lesson: Lesson, *, threads: int, on_step: Callable[[], None]) -> SvmClassifier:
    """Learns a machine for each person, and one for the other people: each against all the rest.

    A person has few samples and the rest thousands, so that both sides weigh the same.

    Args:
        lesson: what to learn of.
        threads: machines that are learned at a time.
        on_step: is called after every `CLASSES_A_STEP` machines; what it raises ends the work.
    """
    # Imported where it is used: it takes a second, and nothing else of this process needs it.
    from sklearn.svm import LinearSVC

    kept = knn(lesson)
    vectors = np.ascontiguousarray(kept.vectors, np.float64)  # once, and not for each machine
    classes = np.append(OTHER_PEOPLE, kept.learned)

    def machine(number: int) -> NDArray[np.float64]:
        # The primal problem, because there are more samples than numbers in a vector; it has nothing random.
        one = LinearSVC(C=PENALTY / len(vectors), class_weight="balanced", dual=False)
        found = one.fit(vectors, kept.people == number)
        return np.append(found.coef_[0], found.intercept_[0])

    machines: list[NDArray[np.float64]] = []
    with ThreadPoolExecutor(threads) as pool:
        for begin in range(0, len(classes), CLASSES_A_STEP):
            machines += pool.map(machine, classes[begin : begin + CLASSES_A_STEP].tolist())
            on_step()
    learned = np.stack(machines).astype(np.float32)
    return SvmClassifier(np.ascontiguousarray(learned[:, :-1]), np.ascontiguousarray(learned[:, -1]), classes)


def steps(lesson: Lesson) -> int:
    """How often `svm` says that a step is done."""
    return -(-(len(np.unique(lesson.gallery.people)) + 1) // CLASSES_A_STEP)
