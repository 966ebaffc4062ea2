"""The whole measurement of `faceweb evaluate pairs`, from embeddings to numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

from recognition.evaluation import all_pairs, gallery_scores, lfw_protocol
from recognition.evaluation.all_pairs import NOT_ACQUIRED_SIMILARITY, AllPairs
from recognition.evaluation.gallery_scores import Tally
from recognition.evaluation.lfw_protocol import Accuracy, FoldsNeeded, ImageName, Pair, PairsFile, ScoredPairs
from recognition.vision.types import Embedding

FMRS = (1e-3, 1e-4, 1e-5)
"""False match rates whose operating points are measured."""

Embeddings: TypeAlias = Mapping[ImageName, Embedding]
"""The images in which a face was found. A pair with any other image counts with
`NOT_ACQUIRED_SIMILARITY`: an error if it is mated, rightly rejected if it is not."""


class TrainPairsNeeded(ValueError):
    """The pairs have no folds, so the threshold has to come from other pairs."""


class TrainPairsNotUsed(ValueError):
    """The pairs have folds and choose their thresholds themselves."""


@dataclasses.dataclass(frozen=True, slots=True)
class Verification:
    """What was measured of the pairs.

    Args:
        accuracy: of the protocol.
        pairs: how many were judged.
        not_acquired: images in which no face was found.
        images: how many the pairs name, train pairs included.
        everything: the comparison of every image with every other; None where not asked for.
        tally: the comparisons by their similarity: of every two images where asked for, else of the pairs judged.
    """

    accuracy: Accuracy
    pairs: int
    not_acquired: int
    images: int
    everything: AllPairs | None
    tally: Tally


def measure(
    embeddings: Embeddings, *, pairs: PairsFile, train_pairs: PairsFile | None = None, with_all_pairs: bool = False
) -> Verification:
    """Judges pairs by the LFW protocol.

    Args:
        embeddings: the images in which a face was found, all of one model pack.
        pairs: what is judged: folds by each other, a single set by the train pairs.
        train_pairs: on what the threshold is chosen.
        with_all_pairs: also compares every image that either file names with every other one, at
            the rates in `FMRS`.

    Raises:
        TrainPairsNeeded: when a single set comes without train pairs.
        TrainPairsNotUsed: when folds come with train pairs.
        NoScores: when there is nothing to compare.
        PackMismatch: when embeddings come from different packs.
    """
    images = pairs.images() | (train_pairs.images() if train_pairs else frozenset())
    accuracy = _accuracy(embeddings, pairs, train_pairs)
    everything = _every_pair(embeddings, sorted(images)) if with_all_pairs else None
    return Verification(
        accuracy=accuracy,
        pairs=len(pairs.pairs),
        not_acquired=len(images - embeddings.keys()),
        images=len(images),
        everything=everything,
        tally=everything.tally if everything else _tally(scored(embeddings, pairs.pairs)),
    )


def _accuracy(embeddings: Embeddings, pairs: PairsFile, train_pairs: PairsFile | None) -> Accuracy:
    if train_pairs is not None:
        if len(pairs.folds) > 1:
            raise TrainPairsNotUsed("these pairs have folds, which choose the threshold for each other")
        return lfw_protocol.trained_accuracy(scored(embeddings, train_pairs.pairs), scored(embeddings, pairs.pairs))
    try:
        return lfw_protocol.folded_accuracy(scored(embeddings, fold) for fold in pairs.folds)
    except FoldsNeeded as error:
        raise TrainPairsNeeded("these pairs have no folds: the threshold has to be chosen on train pairs") from error


def scored(embeddings: Embeddings, pairs: Sequence[Pair]) -> ScoredPairs:
    """Compares pairs; see `Embeddings` for images that are not in it."""
    similarities = [
        embeddings[pair.first].similarity(embeddings[pair.second])
        if pair.first in embeddings and pair.second in embeddings
        else NOT_ACQUIRED_SIMILARITY
        for pair in pairs
    ]
    return ScoredPairs(np.array(similarities, np.float32), np.array([pair.mated for pair in pairs], np.bool_))


def _tally(pairs: ScoredPairs) -> Tally:
    mated, non_mated = (gallery_scores.binned(pairs.similarities[kind]) for kind in (pairs.mated, ~pairs.mated))
    return Tally.of_pairs(mated, non_mated)


def _every_pair(embeddings: Embeddings, images: Sequence[ImageName]) -> AllPairs:
    acquired = np.array([image in embeddings for image in images], np.bool_)
    dimension = next((embedding.dimension for embedding in embeddings.values()), 1)
    nothing = np.zeros(dimension, np.float32)
    vectors = np.stack([embeddings[image].vector if image in embeddings else nothing for image in images])
    _, people = np.unique([image.person for image in images], return_inverse=True)
    return all_pairs.compare(vectors, people.astype(np.int64), fmrs=FMRS, acquired=acquired)
