"""Fits a head with PyTorch; the only module that imports it, so it is imported where a head is trained alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import torch
from pytorch_metric_learning import distances, losses, miners, samplers

from recognition.training import triplets
from recognition.training.head import Head
from recognition.training.images import Images
from recognition.training.triplets import MARGIN


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """How a head is fitted.

    Args:
        people: P, of a batch.
        images: K, of each of them.
        learning_rate: of Adam.
        patience: passes without a lower loss of the stopping people, after which it ends.
        most_passes: over the images, after which it ends in any case.
        seed: of the batches.
    """

    people: int = 32
    images: int = 4
    learning_rate: float = 1e-4
    patience: int = 10
    most_passes: int = 200
    seed: int = 0


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What came of it.

    Args:
        head: of the best pass; the unchanged one where none was better.
        best_pass: its number, from 1; 0 for the unchanged one.
        passes: how many there were.
    """

    head: Head
    best_pass: int
    passes: int


class Formula:
    """The loss and the mining of `recognition.training.triplets`, with gradients."""

    def __init__(self, margin: float = MARGIN) -> None:
        """Takes the margin."""
        # Squared Euclidean distance of the vectors at length 1.
        distance = distances.LpDistance(p=2, power=2, normalize_embeddings=True)
        self._miner = miners.TripletMarginMiner(margin=margin, type_of_triplets="semihard", distance=distance)
        self._loss = losses.TripletMarginLoss(margin=margin, distance=distance)

    def mined(self, vectors: torch.Tensor, people: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Anchors, positives and negatives."""
        return tuple(self._miner(vectors, people))

    def loss(self, vectors: torch.Tensor, people: torch.Tensor) -> torch.Tensor:
        """The mean over the mined triplets that have a loss."""
        return self._loss(vectors, people, self._miner(vectors, people))


def fitted(learning: Images, stopping: Images, plan: Plan, told: Callable[[int, float], None]) -> Fitted:
    """Fits a head that begins by leaving every vector as it is, until the stopping people's mean loss falls no more.

    Args:
        learning: of people with two images or more, at least one.
        stopping: of other people.
        plan: how.
        told: the number of each pass and the stopping people's mean loss after it.
    """
    torch.manual_seed(plan.seed)
    np.random.seed(plan.seed)  # noqa: NPY002  # pytorch-metric-learning's sampler draws from it
    dimension = learning.vectors.shape[1]
    layer = torch.nn.Linear(dimension, dimension)
    with torch.no_grad():
        layer.weight.copy_(torch.eye(dimension))
        layer.bias.zero_()
    vectors, people = torch.from_numpy(learning.vectors), torch.from_numpy(learning.people)
    images = min(plan.images, len(people))
    group = min(plan.people, len(np.unique(learning.people)))
    sampler = samplers.MPerClassSampler(
        learning.people, m=images, batch_size=group * images, length_before_new_iter=max(len(people), group * images)
    )
    optimizer, formula = torch.optim.Adam(layer.parameters(), lr=plan.learning_rate), Formula()
    best, best_pass, passes = Head.unchanged(dimension), 0, 0
    lowest = triplets.mean_loss_of_all(stopping.vectors, stopping.people)
    while passes < plan.most_passes and passes - best_pass < plan.patience:
        passes += 1
        for batch in torch.tensor(list(sampler)).split(group * images):
            optimizer.zero_grad()
            formula.loss(layer(vectors[batch]), people[batch]).backward()
            optimizer.step()
        head = Head(layer.weight.detach().numpy().T.copy(), layer.bias.detach().numpy().copy())
        loss = triplets.mean_loss_of_all(head.projected(stopping.vectors), stopping.people)
        told(passes, loss)
        if loss < lowest:
            best, best_pass, lowest = head, passes, loss
    return Fitted(best, best_pass, passes)
