"""How well groups of faces are people: BCubed and pairwise precision and recall."""

from __future__ import annotations

import collections
import dataclasses
import random
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from recognition.evaluation.error_rates import NoScores
from recognition.evaluation.lfw_protocol import ImageName
from recognition.evaluation.open_set import TooFewPeople
from recognition.vision.types import require_array


@dataclasses.dataclass(frozen=True, slots=True)
class Agreement:
    """How groups agree with people.

    Args:
        precision: how pure the groups are, 0..1.
        recall: how whole the people are, 0..1.
    """

    precision: float
    recall: float

    @property
    def f(self) -> float:
        """The harmonic mean of both, 0..1."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def chosen(images: Iterable[ImageName], *, people: int, min_images: int, seed: int) -> tuple[ImageName, ...]:
    """The images of some people, by name.

    Args:
        images: of the whole data set.
        people: how many, of those with enough images.
        min_images: how many images each has at least.
        seed: shuffles those people, sorted by name.

    Raises:
        TooFewPeople: when fewer people have so many images, or nobody is to be chosen.
    """
    of_person = collections.defaultdict[str, list[ImageName]](list)
    for image in sorted(images):
        of_person[image.person].append(image)
    eligible = sorted(person for person, theirs in of_person.items() if len(theirs) >= min_images)
    if not 1 <= people <= len(eligible):
        raise TooFewPeople(
            f"people: expected 1 to {len(eligible)}, as so many have {min_images} images or more, got {people}"
        )
    random.Random(seed).shuffle(eligible)  # noqa: S311  # a repeatable choice, nothing secret
    return tuple(image for person in sorted(eligible[:people]) for image in of_person[person])


def bcubed(clusters: NDArray[np.int64], people: NDArray[np.int64]) -> Agreement:
    """BCubed: of each face the share of its group that shows its person, and of its person that is in its group.

    Both are means over the faces, so that a large group counts as often as it has faces.

    Source: A. Bagga and B. Baldwin, "Entity-based cross-document coreferencing using the vector space model",
    COLING-ACL 1998; which properties it has alone of such measures: E. Amigó et al., "A comparison of extrinsic
    clustering evaluation metrics based on formal constraints", Information Retrieval 12 (2009).

    Args:
        clusters: (n,) int64, equal for faces of one group; a face by itself has a number of its own.
        people: (n,) int64, equal for faces of one person.

    Raises:
        NoScores: for no faces.
        InvalidArray: for arrays of another shape or type.
    """
    counts = _Counts.of(clusters, people)
    shared = counts.shared.astype(np.float64) ** 2
    return Agreement(
        float((shared / counts.cluster_sizes).sum() / len(clusters)),
        float((shared / counts.person_sizes).sum() / len(clusters)),
    )


def pairwise(clusters: NDArray[np.int64], people: NDArray[np.int64]) -> Agreement:
    """Of the pairs in one group the share that is of one person, and of the pairs of one person that is in one group.

    Without such pairs nothing is wrong with them: then it is 1.

    Source: C. D. Manning, P. Raghavan and H. Schütze, "Introduction to Information Retrieval" (2008), section 16.3.

    Args:
        clusters: (n,) int64, equal for faces of one group; a face by itself has a number of its own.
        people: (n,) int64, equal for faces of one person.

    Raises:
        NoScores: for no faces.
        InvalidArray: for arrays of another shape or type.
    """
    right = _pairs(_Counts.of(clusters, people).shared)
    in_groups, of_people = (_pairs(np.unique(labels, return_counts=True)[1]) for labels in (clusters, people))
    return Agreement(right / in_groups if in_groups else 1.0, right / of_people if of_people else 1.0)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Counts:
    """Of every group and person that share a face: how many they share, and how large each is."""

    shared: NDArray[np.int64]
    cluster_sizes: NDArray[np.int64]
    person_sizes: NDArray[np.int64]

    @classmethod
    def of(cls, clusters: NDArray[np.int64], people: NDArray[np.int64]) -> _Counts:
        require_array("clusters", clusters, shape=(None,), dtype=np.int64)
        require_array("people", people, shape=clusters.shape, dtype=np.int64)
        if len(clusters) == 0:
            raise NoScores("clusters: expected at least one face")
        both, shared = np.unique(np.stack([clusters, people]), axis=1, return_counts=True)
        sizes = []
        for labels, of_pairs in ((clusters, both[0]), (people, both[1])):
            values, counts = np.unique(labels, return_counts=True)
            sizes.append(counts[np.searchsorted(values, of_pairs)])
        return cls(shared, *sizes)


def _pairs(sizes: NDArray[np.int64]) -> int:
    return int((sizes * (sizes - 1) // 2).sum())
