"""Open-set identification: how often a stranger is named, and how often an enrolled person is not.

Some people of a data set are enrolled, everybody is searched. A *mated* probe is another image of an
enrolled person, a *non-mated* one is of somebody else. Terms are those of ISO/IEC 19795-1: FPIR is the
share of non-mated probes that are taken for anybody, FNIR the share of mated probes that are not taken
for their own person. One probe is one vote here: a whole transaction has several.
"""

from __future__ import annotations

import collections
import dataclasses
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from recognition.evaluation.error_rates import NoScores
from recognition.evaluation.lfw_protocol import ImageName
from recognition.vision.errors import PackMismatch
from recognition.vision.types import Embedding

BLOCK_ROWS = 1024
"""Probes searched at a time, so that memory does not grow with their number."""

VOTERS = 5
"""Templates that vote in k-nearest, as in `recognition.decision.matching.k_nearest`; a test compares."""

DET_STEP, DET_STEPS = 0.025, 8
"""The trade-off is told at so many thresholds to either side of the one in force, so far apart."""

NEAREST, K_NEAREST, CENTROID = "nearest", "k_nearest", "centroid"
STRATEGIES = (NEAREST, K_NEAREST, CENTROID)
"""The values of `recognition.decision.matching.Strategy` but for its classifiers; a test compares."""

Matrix: TypeAlias = NDArray[np.float32]
Embeddings: TypeAlias = Mapping[ImageName, Embedding]


class TooFewPeople(ValueError):
    """The images do not show enough people for the gallery that was asked for."""


@dataclasses.dataclass(frozen=True, slots=True)
class OperatingPoint:
    """When a search names somebody.

    Args:
        threshold: similarity that the best person must reach.
        margin: least gap to the next person.
    """

    threshold: float
    margin: float


@dataclasses.dataclass(frozen=True, slots=True)
class Split:
    """Who is enrolled with what, and what is searched.

    Args:
        references: the images that each enrolled person is enrolled with.
        mated: other images of enrolled people.
        non_mated: an image of every other person.
    """

    references: tuple[tuple[ImageName, ...], ...]
    mated: tuple[ImageName, ...]
    non_mated: tuple[ImageName, ...]

    def with_second_sample(self) -> Split:
        """The same people, and a second image for those who keep one to search; that one is no probe."""
        spare = collections.defaultdict[str, list[ImageName]](list)
        for image in self.mated:
            spare[image.person].append(image)
        references = tuple(
            (*images, spare[images[0].person][0]) if len(spare[images[0].person]) > 1 else images
            for images in self.references
        )
        enrolled = {image for images in references for image in images}
        mated = tuple(image for image in self.mated if image not in enrolled)
        return Split(references, mated, self.non_mated)


@dataclasses.dataclass(frozen=True, slots=True)
class Rates:
    """What was counted at one operating point, as shares, 0..1.

    Args:
        fpir: non-mated probes that are named.
        fnir: mated probes that are not named as their own person.
        rank1: mated probes whose own person is the closest, whatever the similarity.
    """

    fpir: float
    fnir: float
    rank1: float

    @classmethod
    def mean(cls, several: Iterable[Rates]) -> Rates:
        """The mean of each rate.

        Raises:
            NoScores: for none.
        """
        rates = list(several)
        if not rates:
            raise NoScores("mean: expected the rates of at least one trial")
        return cls(*(sum(values) / len(rates) for values in zip(*map(dataclasses.astuple, rates), strict=True)))


@dataclasses.dataclass(frozen=True, slots=True)
class Trial:
    """One random gallery, measured.

    Args:
        seed: that shuffled the people.
        mated: number of mated probes.
        non_mated: number of non-mated probes.
        not_acquired: images of the trial in which no face was found.
        rates: at the operating point.
        without_margin: at the same threshold, however close the next person is.
        det: rates at thresholds around the one in force, rising.
        doubled: people who got a second sample in what follows.
        one_sample: rates for the probes that are left then, with one sample each.
        strategies: rates for the same probes with the second sample, for each of `STRATEGIES`.
    """

    seed: int
    mated: int
    non_mated: int
    not_acquired: int
    rates: Rates
    without_margin: Rates
    det: tuple[tuple[float, Rates], ...]
    doubled: int
    one_sample: Rates
    strategies: Mapping[str, Rates]


def split(images: Iterable[ImageName], *, gallery_size: int, seed: int) -> Split:
    """Chooses who is enrolled.

    Args:
        images: of the whole data set.
        gallery_size: people to enrol, of those with two images or more; each with their first image.
        seed: shuffles the people, sorted by name.

    Raises:
        TooFewPeople: when fewer people have two images, nobody is to be enrolled, or nobody is left over.
    """
    of_person = collections.defaultdict[str, list[ImageName]](list)
    for image in sorted(images):
        of_person[image.person].append(image)
    # By code points, not by locale: the same split on every machine.
    eligible = sorted(person for person, theirs in of_person.items() if len(theirs) > 1)
    if not 1 <= gallery_size <= len(eligible):
        raise TooFewPeople(
            f"gallery: expected 1 to {len(eligible)} people, as so many have two images or more, got {gallery_size}"
        )
    random.Random(seed).shuffle(eligible)  # noqa: S311  # a repeatable choice, nothing secret
    enrolled = eligible[:gallery_size]
    others = sorted(of_person.keys() - set(enrolled))
    if not others:
        raise TooFewPeople("gallery: expected somebody who is not enrolled, but every person is")
    return Split(
        references=tuple((of_person[person][0],) for person in enrolled),
        mated=tuple(image for person in enrolled for image in of_person[person][1:]),
        non_mated=tuple(of_person[person][0] for person in others),
    )


def measure(
    embeddings: Embeddings, images: Iterable[ImageName], *, gallery_size: int, seed: int, at: OperatingPoint
) -> Trial:
    """Measures one random gallery.

    Args:
        embeddings: the images in which a face was found, all of one model pack. A mated probe that is not
            among them, or whose person could not be enrolled, is a miss; a non-mated one names nobody.
        images: of the whole data set.
        gallery_size: people to enrol.
        seed: see `split`.
        at: threshold and margin in force.

    Raises:
        TooFewPeople: see `split`.
        PackMismatch: when embeddings come from different packs.
        NoScores: when no face was found in any image that is to be enrolled.
    """
    _require_one_pack(embeddings)
    one = split(images, gallery_size=gallery_size, seed=seed)
    two = one.with_second_sample()
    undoubled = dataclasses.replace(two, references=one.references)
    searched = _search(embeddings, one, NEAREST, at.threshold)
    anywhere = OperatingPoint(at.threshold, -np.inf)
    around = (at.threshold + step * DET_STEP for step in range(-DET_STEPS, DET_STEPS + 1))
    thresholds = [threshold for threshold in around if -1.0 <= threshold <= 1.0]
    everything = {image for images in one.references for image in images} | {*one.mated, *one.non_mated}
    return Trial(
        seed=seed,
        mated=len(one.mated),
        non_mated=len(one.non_mated),
        not_acquired=len(everything - embeddings.keys()),
        rates=searched.rates(at),
        without_margin=searched.rates(anywhere),
        det=tuple((threshold, searched.rates(OperatingPoint(threshold, at.margin))) for threshold in thresholds),
        doubled=sum(len(images) > 1 for images in two.references),
        one_sample=_search(embeddings, undoubled, NEAREST, at.threshold).rates(at),
        strategies={name: _search(embeddings, two, name, at.threshold).rates(at) for name in STRATEGIES},
    )


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What searches answered, a row a probe.

    Args:
        person: (n,) int64 index of the person ranked first; -1 for a probe without a face.
        similarity: (n,) float32 of that person's.
        margin: (n,) float32 lead over the closest other person; infinite without another.
    """

    person: NDArray[np.int64]
    similarity: Matrix
    margin: Matrix

    def named(self, at: OperatingPoint) -> NDArray[np.bool_]:
        """(n,) bool: which probes are taken for the person ranked first."""
        return (self.person >= 0) & (self.similarity >= at.threshold) & (self.margin >= at.margin)

    @classmethod
    def joined(cls, parts: Sequence[Found]) -> Found:
        """The answers of several blocks as one."""
        return cls(
            np.concatenate([part.person for part in parts]),
            np.concatenate([part.similarity for part in parts]),
            np.concatenate([part.margin for part in parts]),
        )


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Searched:
    mated: Found
    non_mated: Found
    own: NDArray[np.int64]

    def rates(self, at: OperatingPoint) -> Rates:
        is_own = self.mated.person == self.own
        hits = is_own & self.mated.named(at)
        # Never a mean of nothing: every enrolled person has a mated probe, and somebody is not enrolled.
        return Rates(float(self.non_mated.named(at).mean()), 1.0 - float(hits.mean()), float(is_own.mean()))


def _search(embeddings: Embeddings, chosen: Split, strategy: str, least_similarity: float) -> _Searched:
    people = [images[0].person for images in chosen.references]
    enrolled = [
        (number, embeddings[image].vector)
        for number, images in enumerate(chosen.references)
        for image in images
        if image in embeddings
    ]
    if not enrolled:
        raise NoScores("gallery: expected a face in at least one image that is to be enrolled")
    owners = np.array([number for number, _ in enrolled], np.int64)
    templates = np.stack([vector for _, vector in enrolled])
    index = {person: number for number, person in enumerate(people)}

    def searched(images: Sequence[ImageName]) -> Found:
        blocks = [
            rank(_vectors(embeddings, block, templates.shape[1]), templates, owners, strategy, least_similarity)
            for block in _blocks(images)
        ]
        found = Found.joined([*blocks, _NOTHING])
        acquired = np.array([image in embeddings for image in images], np.bool_)
        return Found(np.where(acquired, found.person, -1), found.similarity, found.margin)

    own = np.array([index[image.person] for image in chosen.mated], np.int64)
    return _Searched(searched(chosen.mated), searched(chosen.non_mated), own)


def rank(
    probes: Matrix, templates: Matrix, owners: NDArray[np.int64], strategy: str, least_similarity: float = -1.0
) -> Found:
    """Searches probes in a gallery, by a strategy of `recognition.decision.matching`.

    Args:
        probes: (n, d) float32 unit vectors.
        templates: (m, d) float32 unit vectors.
        owners: (m,) int64 index of each template's person, rising.
        strategy: of `STRATEGIES`.
        least_similarity: what a template must reach to vote, where templates vote.
    """
    people, firsts = np.unique(owners, return_index=True)
    similarities = probes @ templates.T
    scores = np.maximum.reduceat(similarities, firsts, axis=1)
    if strategy == CENTROID:
        sums = np.add.reduceat(templates, firsts, axis=0)
        scores = probes @ (sums / np.linalg.norm(sums, axis=1, keepdims=True)).T
    rows = np.arange(len(probes))
    first = scores.argmax(axis=1)
    if strategy == K_NEAREST:
        votes = _votes(similarities, np.searchsorted(people, owners), len(people), least_similarity)
        # Votes are whole numbers, and a quarter of a similarity is less than half of one: it only breaks ties.
        first = (votes + scores / 4).argmax(axis=1)
    others = scores.copy()
    others[rows, first] = -np.inf
    similarity = scores[rows, first]
    return Found(people[first], similarity, similarity - others.max(axis=1))


def _votes(similarities: Matrix, columns: NDArray[np.int64], people: int, least_similarity: float) -> Matrix:
    """(n, people) float32: how many of each row's most similar templates are whose."""
    voters = min(VOTERS, similarities.shape[1])
    nearest = np.argpartition(-similarities, voters - 1, axis=1)[:, :voters]
    reaches = np.take_along_axis(similarities, nearest, axis=1) >= least_similarity
    votes = np.zeros((len(similarities), people), np.float32)
    np.add.at(votes, (np.arange(len(similarities))[:, None], columns[nearest]), reaches.astype(np.float32))
    return votes


_NOTHING = Found(np.empty(0, np.int64), np.empty(0, np.float32), np.empty(0, np.float32))


def _vectors(embeddings: Embeddings, images: Sequence[ImageName], dimension: int) -> Matrix:
    """A row an image; zeros stand where no face was found, and are told apart afterwards."""
    nothing = np.zeros(dimension, np.float32)
    return np.stack([embeddings[image].vector if image in embeddings else nothing for image in images])


def _blocks(images: Sequence[ImageName]) -> Iterator[Sequence[ImageName]]:
    return (images[start : start + BLOCK_ROWS] for start in range(0, len(images), BLOCK_ROWS))


def _require_one_pack(embeddings: Embeddings) -> None:
    digests = sorted({embedding.pack_digest for embedding in embeddings.values()})
    if len(digests) > 1:
        raise PackMismatch(
            f"These embeddings come from {len(digests)} model packs ({', '.join(digest[:12] for digest in digests)}); "
            "their similarities would mean nothing. Embed all images with one pack."
        )
