"""Pairs judged as claims: the second image against everything that is known of the person of the first.

The protocol of Labeled Faces in the Wild compares two images. Somebody who is enrolled has several: here the first one
stands for its person, who is enrolled with it and with all of their other images but the second one, for mated and
non-mated pairs alike. How those become one similarity is the strategy.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from recognition.evaluation import lfw_protocol
from recognition.evaluation.all_pairs import NOT_ACQUIRED_SIMILARITY
from recognition.evaluation.lfw_protocol import Accuracy, ImageName, Pair, ScoredPairs
from recognition.evaluation.open_set import CENTROID, NEAREST
from recognition.vision.types import Embedding

ONE_IMAGE = "one image"

STRATEGIES = (ONE_IMAGE, NEAREST, CENTROID)
"""`k_nearest` of `recognition.decision.matching` judges a claim as `nearest` does: one person alone has all votes."""


def accuracy(
    embeddings: Mapping[ImageName, Embedding], train: Sequence[Pair], test: Sequence[Pair], *, strategy: str
) -> Accuracy:
    """Judges the test pairs at the threshold that judges most of the train pairs right.

    Args:
        embeddings: the images in which a face was found, all of one model pack; what people are enrolled with.
        train: pairs to choose the threshold on.
        test: pairs to judge.
        strategy: of `STRATEGIES`.

    Raises:
        NoScores: for no pairs.
    """
    return lfw_protocol.trained_accuracy(scored(embeddings, train, strategy), scored(embeddings, test, strategy))


def scored(embeddings: Mapping[ImageName, Embedding], pairs: Sequence[Pair], strategy: str) -> ScoredPairs:
    """The similarity of each claim; one without a face on either side has `NOT_ACQUIRED_SIMILARITY`."""
    known = collections.defaultdict[str, list[ImageName]](list)
    for image in embeddings:
        known[image.person].append(image)
    similarities = [_similarity(embeddings, known, pair, strategy) for pair in pairs]
    return ScoredPairs(np.array(similarities, np.float32), np.array([pair.mated for pair in pairs], np.bool_))


def _similarity(
    embeddings: Mapping[ImageName, Embedding], known: Mapping[str, Sequence[ImageName]], pair: Pair, strategy: str
) -> float:
    enrolled = [pair.first] if strategy == ONE_IMAGE else known.get(pair.first.person, ())
    references = [embeddings[image].vector for image in enrolled if image in embeddings and image != pair.second]
    if not references or pair.second not in embeddings:
        return NOT_ACQUIRED_SIMILARITY
    return _COMBINED[strategy](np.stack(references), embeddings[pair.second].vector)


def _nearest(references: NDArray[np.float32], probe: NDArray[np.float32]) -> float:
    return float((references @ probe).max())


def _centroid(references: NDArray[np.float32], probe: NDArray[np.float32]) -> float:
    total = references.sum(axis=0)
    return float(total @ probe / np.linalg.norm(total))


_COMBINED: Mapping[str, Callable[[NDArray[np.float32], NDArray[np.float32]], float]] = {
    ONE_IMAGE: _nearest,
    NEAREST: _nearest,
    CENTROID: _centroid,
}
