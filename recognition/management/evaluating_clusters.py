"""`faceweb evaluate cluster`: whether faces are grouped by person, where nobody says who they are."""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from django.core.management.base import CommandError

from recognition.decision import clustering
from recognition.decision.clustering import ALONE, CannotCluster, Method
from recognition.evaluation import clusters
from recognition.evaluation.clusters import Agreement
from recognition.evaluation.error_rates import NoScores
from recognition.evaluation.lfw_protocol import ImageName
from recognition.evaluation.open_set import TooFewPeople
from recognition.management import evaluating
from recognition.selectors.packs import ActivePack
from recognition.vision.errors import PackError
from recognition.vision.types import Embedding


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    evaluating.add_images(parser)
    parser.add_argument("--people", type=int, default=200, metavar="N", help="how many people (default: 200)")
    parser.add_argument(
        "--min-images", type=int, default=3, metavar="N", help="images that each has at least (default: 3)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="S", help="which people: a number that shuffles them (default: 0)"
    )
    parser.add_argument(
        "--method",
        choices=[method.value for method in Method],
        default=Method.AGGLOMERATIVE.value,
        help="how faces are grouped (default: agglomerative); k-means is told how many people there are",
    )


def run(options: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Measures.

    Returns:
        The result for --json, and in words.

    Raises:
        CommandError: when it cannot be measured; the text says why.
    """
    begin = time.monotonic()
    try:
        images = clusters.chosen(
            options["images"].found(),
            people=options["people"],
            min_images=options["min_images"],
            seed=options["seed"],
        )
        active, policy, pipeline = evaluating.deciding()
        threshold = policy.identification_threshold
        embeddings = evaluating.embedded(pipeline, options["images"], images, quiet=options["json"])
        result = _grouped(embeddings, threshold, Method(options["method"]))
    except (PackError, TooFewPeople, NoScores, CannotCluster) as error:
        raise CommandError(str(error)) from error
    measured = _Measured(
        active, threshold, options["method"], options["people"], images, result, time.monotonic() - begin
    )
    return measured.as_json(), measured.words()


@dataclasses.dataclass(frozen=True, slots=True)
class _Grouped:
    faces: int
    clusters: int
    alone: int
    bcubed: Agreement
    pairwise: Agreement


def _grouped(embeddings: Mapping[ImageName, Embedding], threshold: float, method: Method) -> _Grouped:
    if not embeddings:
        raise NoScores("No face was found in any of the images.")
    names = sorted(embeddings)
    people = np.unique([name.person for name in names], return_inverse=True)[1].astype(np.int64)
    labels = clustering.cluster(
        np.stack([embeddings[name].vector for name in names]),
        threshold=threshold,
        method=method,
        count=len(np.unique(people)) if method is Method.KMEANS else None,
    )
    alone = labels == ALONE
    # Each of those is a group of its own.
    own = np.where(alone, len(labels) + np.arange(len(labels)), labels)
    return _Grouped(
        faces=len(names),
        clusters=len(np.unique(own)),
        alone=int(alone.sum()),
        bcubed=clusters.bcubed(own, people),
        pairwise=clusters.pairwise(own, people),
    )


@dataclasses.dataclass(frozen=True, slots=True)
class _Measured:
    active: ActivePack
    threshold: float
    method: str
    people: int
    images: Sequence[ImageName]
    result: _Grouped
    seconds: float

    def as_json(self) -> dict[str, Any]:
        result = self.result
        return {
            "bcubed_f": round(result.bcubed.f, 5),
            "bcubed_precision": round(result.bcubed.precision, 5),
            "bcubed_recall": round(result.bcubed.recall, 5),
            "pairwise_f": round(result.pairwise.f, 5),
            "pairwise_precision": round(result.pairwise.precision, 5),
            "pairwise_recall": round(result.pairwise.recall, 5),
            "clusters": result.clusters,
            "of_one_face": result.alone,
            "people": self.people,
            "images": len(self.images),
            "not_acquired": len(self.images) - result.faces,
            "method": self.method,
            "threshold": self.threshold,
            "pack": {"name": self.active.name, "digest": self.active.digest},
            "seconds": round(self.seconds, 1),
        }

    def words(self) -> str:
        result = self.result
        return "\n".join(
            [
                f"{'Model pack':<24}{self.active.name} ({self.active.digest[:12]})",
                f"{'Images':<24}{len(self.images):,} of {self.people:,} people",
                f"{'Images not acquired':<24}{len(self.images) - result.faces:,}",
                f"{'Method, threshold':<24}{self.method}, {self.threshold:.4f}",
                f"{'Clusters':<24}{result.clusters:,}, of them of one face: {result.alone:,}",
                f"{'Time':<24}{self.seconds:.1f} s",
                "",
                f"{'':<24}{'F':<12}{'Precision':<12}Recall",
                _row("BCubed", result.bcubed),
                _row("Pairwise", result.pairwise),
            ]
        )


def _row(name: str, measured: Agreement) -> str:
    return f"{name:<24}{measured.f:<12.4f}{measured.precision:<12.4f}{measured.recall:.4f}"
