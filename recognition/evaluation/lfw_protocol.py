"""The protocol of Labeled Faces in the Wild: pairs files, folds, accuracy.

Source: Huang et al., "Labeled Faces in the Wild: A Database for Studying Face Recognition in
Unconstrained Environments", University of Massachusetts, Amherst, TR 07-49 (2007), and its README
for the file format. Images are `NAME/NAME_0001.jpg`. A pairs file, tab-separated:

    10      300                         ten folds of 300 mated and 300 non-mated pairs, or
    500                                 one set of 500 mated and 500 non-mated pairs
    Abel_Pacheco    1       4           mated: two images of one person
    Ben_Kingsley    1       Ian_Thorpe  2     non-mated: one image each of two people

In each fold or set the mated pairs come first.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from recognition.evaluation.error_rates import NoScores
from recognition.vision.types import DetectedFace, Size, require_array


class InvalidPairsFile(ValueError):
    """A pairs file that does not follow the format; the text names the line."""


class FoldsNeeded(ValueError):
    """A single set of pairs was to be judged by thresholds chosen on its other folds."""


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class ImageName:
    """One image of the data set.

    Args:
        person: as its folder is called.
        number: from 1.
        file: how it is called in that folder; empty where it has the data set's own name.
    """

    person: str
    number: int
    file: str = dataclasses.field(default="", compare=False)

    @property
    def path(self) -> str:
        """Where the image is, below the folder of all images."""
        return f"{self.person}/{self.file or f'{self.person}_{self.number:04d}.jpg'}"


@dataclasses.dataclass(frozen=True, slots=True)
class Pair:
    """Two images to compare."""

    first: ImageName
    second: ImageName

    @property
    def mated(self) -> bool:
        """Whether both show one person."""
        return self.first.person == self.second.person


@dataclasses.dataclass(frozen=True, slots=True)
class PairsFile:
    """The pairs of a file.

    Args:
        folds: as the file divides them; a single one where its header has one number.
    """

    folds: tuple[tuple[Pair, ...], ...]

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The pairs of all folds, in the order of the file."""
        return tuple(pair for fold in self.folds for pair in fold)

    def images(self) -> frozenset[ImageName]:
        """Every image that some pair names."""
        return frozenset(image for pair in self.pairs for image in (pair.first, pair.second))


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class ScoredPairs:
    """Pairs after their comparison.

    Args:
        similarities: (n,) float32.
        mated: (n,) bool.

    Raises:
        InvalidArray: for arrays of another shape or type.
    """

    similarities: NDArray[np.float32]
    mated: NDArray[np.bool_]

    def __post_init__(self) -> None:
        require_array("similarities", self.similarities, shape=(None,), dtype=np.float32)
        require_array("mated", self.mated, shape=self.similarities.shape, dtype=np.bool_)

    @classmethod
    def joined(cls, parts: Sequence[ScoredPairs]) -> ScoredPairs:
        """The pairs of several folds as one."""
        return cls(
            np.concatenate([part.similarities for part in parts]), np.concatenate([part.mated for part in parts])
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Accuracy:
    """The result of the protocol.

    Args:
        mean: share of pairs judged right, 0..1; over folds, the mean of their shares.
        std: population standard deviation over the folds; 0.0 for a single set.
        threshold: cosine similarity; over folds, the mean of their thresholds.
    """

    mean: float
    std: float
    threshold: float


def parse(text: str) -> PairsFile:
    """Reads a pairs file.

    Raises:
        InvalidPairsFile: naming the line, what was expected there and what came.
    """
    lines = Lines(text)
    header = lines.fields("a header of one or two numbers")
    if len(header) not in (1, 2):
        raise lines.error("a header of one or two numbers", header)
    numbers = [lines.number(field, header) for field in header]
    folds, pairs = numbers if len(numbers) == 2 else (1, *numbers)
    parsed = tuple(tuple(_fold(lines, pairs)) for _ in range(folds))
    lines.expect_end()
    return PairsFile(parsed)


def _fold(lines: Lines, pairs: int) -> Iterator[Pair]:
    for _ in range(pairs):
        fields = lines.fields("a mated pair")
        if len(fields) != 3 or fields[1] == fields[2]:
            raise lines.error("a mated pair: a name and two different numbers", fields)
        name, first, second = fields
        yield Pair(lines.image(name, first, fields), lines.image(name, second, fields))
    for _ in range(pairs):
        fields = lines.fields("a non-mated pair")
        if len(fields) != 4 or fields[0] == fields[2]:
            raise lines.error("a non-mated pair: a name and a number, another name and a number", fields)
        name, first, other, second = fields
        yield Pair(lines.image(name, first, fields), lines.image(other, second, fields))


class Lines:
    """The lines of a pairs file, read one by one, with errors that name the line."""

    def __init__(self, text: str) -> None:
        """Begins before the first line; blank lines at the end are no lines."""
        # Not splitlines(): it also splits at characters that may be part of a name.
        self._lines = [line.removesuffix("\r") for line in text.rstrip().split("\n")]
        self._read = 0

    def fields(self, expected: str) -> list[str]:
        """The next line's fields."""
        if self._read == len(self._lines):
            raise InvalidPairsFile(f"after line {self._read}: expected {expected}, but the file ends there")
        self._read += 1
        return [field.strip() for field in self._lines[self._read - 1].split("\t")]

    def number(self, field: str, fields: list[str]) -> int:
        """A field of this line as a whole number from 1."""
        if not (field.isascii() and field.isdecimal()) or int(field) < 1:
            raise self.error("a whole number from 1", fields)
        return int(field)

    def image(self, name: str, number: str, fields: list[str]) -> ImageName:
        """A name and a number of this line as an image."""
        if not name or "/" in name or "\0" in name or name in (".", ".."):
            raise self.error("a person's folder", fields)
        return ImageName(name, self.number(number, fields))

    def expect_end(self) -> None:
        """Refuses lines beyond those that the header announced."""
        if self._read < len(self._lines):
            raise InvalidPairsFile(f"line {self._read + 1}: expected the end of the file, as its header announced")

    def error(self, expected: str, fields: list[str]) -> InvalidPairsFile:
        """What is wrong with this line."""
        return InvalidPairsFile(f"line {self._read}: expected {expected}, got {' | '.join(fields)!r}")


def central_face(faces: Sequence[DetectedFace], size: Size) -> DetectedFace:
    """The face that an image of the data set is about: LFW centres each image on it.

    Args:
        faces: as found in the image, at least one.
        size: of the image.
    """

    def distance(face: DetectedFace) -> float:
        box = face.box
        return float(np.hypot(box.x_min + box.x_max - size.width, box.y_min + box.y_max - size.height))

    return min(faces, key=distance)


def best_threshold(scored: ScoredPairs) -> float:
    """The threshold at which most pairs are judged right.

    Where several are equally good, the middle one of them, halfway between the neighbouring scores,
    so that it is as far as possible from either side.

    Raises:
        NoScores: for no pairs.
    """
    if len(scored.similarities) == 0:
        raise NoScores("best_threshold: expected at least one pair")
    order = np.argsort(scored.similarities, kind="stable")
    scores, mated = scored.similarities[order].astype(np.float64), scored.mated[order]
    # A cut at position i judges the pairs before it non-mated, and those from it on mated.
    right = np.concatenate([[0], np.cumsum(~mated)]) + np.concatenate([np.cumsum(mated[::-1])[::-1], [0]])
    edges = np.concatenate([[scores[0] - 1.0], scores, [scores[-1] + 1.0]])
    possible = edges[:-1] < edges[1:]
    best = np.flatnonzero(possible & (right == right[possible].max()))
    cut = best[len(best) // 2]
    return float(edges[cut] + edges[cut + 1]) / 2


def share_right(scored: ScoredPairs, threshold: float) -> float:
    """Share of pairs judged right at a threshold, 0..1.

    Raises:
        NoScores: for no pairs.
    """
    if len(scored.similarities) == 0:
        raise NoScores("share_right: expected at least one pair")
    return float(np.mean((scored.similarities >= threshold) == scored.mated))


def trained_accuracy(train: ScoredPairs, test: ScoredPairs) -> Accuracy:
    """View 1: the threshold is chosen on the train pairs, the accuracy is that of the test pairs."""
    threshold = best_threshold(train)
    return Accuracy(share_right(test, threshold), 0.0, threshold)


def folded_accuracy(folds: Iterable[ScoredPairs]) -> Accuracy:
    """View 2: each fold is judged at the threshold chosen on all other folds.

    Raises:
        FoldsNeeded: for fewer than two folds.
    """
    parts = tuple(folds)
    if len(parts) < 2:
        raise FoldsNeeded(f"expected at least two folds, got {len(parts)}")
    results = [
        trained_accuracy(ScoredPairs.joined(parts[:index] + parts[index + 1 :]), fold)
        for index, fold in enumerate(parts)
    ]
    shares = np.array([result.mean for result in results])
    return Accuracy(float(shares.mean()), float(shares.std()), float(np.mean([result.threshold for result in results])))
