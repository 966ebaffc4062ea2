"""`faceweb evaluate quality`: whether the unified quality score foretells missed matches."""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from django.core.management.base import CommandError

from recognition.evaluation import discard
from recognition.evaluation.discard import DiscardPoint
from recognition.evaluation.error_rates import NoScores
from recognition.evaluation.lfw_protocol import ImageName
from recognition.management import evaluating
from recognition.management.evaluating import Acquired
from recognition.selectors.packs import ActivePack
from recognition.vision.errors import PackError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    evaluating.add_images(parser)


def run(options: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Measures.

    Returns:
        The result for --json, and in words.

    Raises:
        CommandError: when it cannot be measured; the text says why.
    """
    begin = time.monotonic()
    names = options["images"].found()
    try:
        active, policy, pipeline = evaluating.deciding()
        threshold = policy.verification_threshold
        faces = evaluating.acquired(pipeline, options["images"], names, quiet=options["json"])
        points = _curve(faces, threshold)
    except (PackError, NoScores) as error:
        raise CommandError(str(error)) from error
    measured = _Measured(
        active, threshold, len(names), len(names) - len(faces), points, _shares(faces), time.monotonic() - begin
    )
    return {**measured.as_json(), "runtime": pipeline.runtime}, measured.words()


def _curve(faces: Mapping[ImageName, Acquired], threshold: float) -> tuple[DiscardPoint, ...]:
    if not faces:
        raise NoScores("No face was found in any of the images.")
    _, people = np.unique([name.person for name in faces], return_inverse=True)
    vectors = np.stack([face.embedding.vector for face in faces.values()])
    return discard.curve(vectors, people.astype(np.int64), _qualities(faces), threshold=threshold)


def _qualities(faces: Mapping[ImageName, Acquired]) -> np.ndarray[Any, np.dtype[np.int64]]:
    scores = [face.quality.scores for face in faces.values()]
    return np.array([score.unified_quality_score for score in scores if score is not None], np.int64)


def _shares(faces: Mapping[ImageName, Acquired]) -> dict[str, int]:
    """How the score is spread over the images."""
    levels = (5, 25, 50, 75, 95)
    values = np.percentile(_qualities(faces), levels)
    return {str(level): round(value) for level, value in zip(levels, values.tolist(), strict=True)}


@dataclasses.dataclass(frozen=True, slots=True)
class _Measured:
    active: ActivePack
    threshold: float
    images: int
    not_acquired: int
    points: tuple[DiscardPoint, ...]
    percentiles: dict[str, int]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        return {
            "images": self.images,
            "not_acquired": self.not_acquired,
            "threshold": self.threshold,
            "percentiles": self.percentiles,
            "curve": [
                {
                    "discarded": point.share,
                    "least_quality": point.least_quality,
                    "mated": point.mated,
                    "missed": point.missed,
                    "fnmr": round(point.fnmr, 5),
                }
                for point in self.points
            ],
            "pack": {"name": self.active.name, "digest": self.active.digest},
            "seconds": round(self.seconds, 1),
        }

    def words(self) -> str:
        spread = ", ".join(f"{level} %: {value}" for level, value in self.percentiles.items())
        lines = [
            f"{'Model pack':<24}{self.active.name} ({self.active.digest[:12]})",
            f"{'Images':<24}{self.images:,}",
            f"{'Images not acquired':<24}{self.not_acquired:,}",
            f"{'Threshold (similarity)':<24}{self.threshold:.4f}",
            f"{'Unified quality score':<24}{spread}",
            f"{'Time':<24}{self.seconds:.1f} s",
            "",
            f"{'Worst images left out':<24}{'Score from':<12}{'Mated pairs':<13}{'Missed':<8}FNMR",
        ]
        lines += [
            f"{point.share:<24.0%}{point.least_quality:<12}{point.mated:<13,}{point.missed:<8,}{point.fnmr:.2%}"
            for point in self.points
        ]
        return "\n".join(lines)
