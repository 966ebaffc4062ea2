"""`faceweb evaluate pairs`: the protocol of Labeled Faces in the Wild."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from recognition.evaluation import error_rates, reports, verification
from recognition.evaluation.all_pairs import AllPairs
from recognition.evaluation.error_rates import NoScores
from recognition.evaluation.verification import TrainPairsNeeded, TrainPairsNotUsed, Verification
from recognition.management import evaluating
from recognition.models import ModelPack
from recognition.services import packs
from recognition.vision import model_packs
from recognition.vision.errors import PackError
from recognition.vision.model_packs import OperatingPoint
from recognition.worker import packs as worker_packs


def add_arguments(pairs: argparse.ArgumentParser) -> None:
    """Declares the options."""
    evaluating.add_images(pairs)
    pairs.add_argument("--pairs", type=Path, required=True, metavar="FILE", help="pairs to judge")
    pairs.add_argument("--train-pairs", type=Path, metavar="FILE", help="pairs that the threshold is chosen on")
    pairs.add_argument(
        "--all-pairs",
        action="store_true",
        help="also compare every image that the files name with every other one, and measure the thresholds",
    )
    pairs.add_argument(
        "--pack", default=model_packs.DEFAULT_PACK_NAME, metavar="NAME", help="model pack (default: %(default)s)"
    )
    pairs.add_argument("--record", action="store_true", help="keep the measured thresholds with the pack")


def run(options: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Measures.

    Returns:
        The result for --json, and in words.

    Raises:
        CommandError: when it cannot be measured; the text says why.
    """
    begin = time.monotonic()
    if options["record"] and not options["all_pairs"]:
        raise CommandError("--record needs --all-pairs: thresholds are measured on every pair of the images.")
    pairs = evaluating.read_pairs(options["pairs"])
    train_pairs = evaluating.read_pairs(options["train_pairs"]) if options["train_pairs"] else None
    try:
        loaded, stored = worker_packs.load_and_register(options["pack"])
    except PackError as error:
        raise CommandError(str(error)) from error
    images = pairs.images() | (train_pairs.images() if train_pairs else frozenset())
    wanted = options["images"].located(images)
    embeddings = evaluating.embedded(loaded.pipeline, options["images"], wanted, quiet=options["json"])
    try:
        measured = verification.measure(
            embeddings, pairs=pairs, train_pairs=train_pairs, with_all_pairs=options["all_pairs"]
        )
    except TrainPairsNeeded as error:
        raise CommandError(f"{options['pairs']} holds one set of pairs: choose with --train-pairs.") from error
    except TrainPairsNotUsed as error:
        raise CommandError(f"{options['pairs']} holds folds: leave --train-pairs out.") from error
    except NoScores as error:
        raise CommandError(str(error)) from error
    if options["record"] and measured.everything is not None:
        _record(stored, measured.everything, options["images"].folder, measured.images)
    seconds = time.monotonic() - begin
    words = _as_table(measured, stored, seconds, runtime=loaded.pipeline.runtime)
    return _as_json(measured, stored, seconds, runtime=loaded.pipeline.runtime), words


def _record(pack: ModelPack, everything: AllPairs, folder: Path, count: int) -> None:
    weak = [f"{point.fmr:g}" for point in everything.points if not _is_supported(everything, point.fmr)]
    if weak:
        raise CommandError(
            f"Not recorded: {everything.non_mated:,} non-mated pairs are too few to measure a threshold at FMR "
            f"{' and '.join(weak)}; the rarest rate needs {error_rates.LEAST_FALSE_MATCHES} false matches."
        )
    packs.record_measurement(
        pack=pack,
        operating_points=tuple(
            OperatingPoint(fmr=point.fmr, threshold=round(point.threshold, 4), tmr=round(everything.tmr(point), 4))
            for point in everything.points
        ),
        measured_on=f"{folder.absolute().parent.name}/{folder.name}, all pairs of {count:,} images"[:200],
        actor=None,
    )


def _is_supported(everything: AllPairs, fmr: float) -> bool:
    return error_rates.is_supported(everything.non_mated, fmr)


def _rate(fmr: float) -> str:
    """A rate as a plain decimal: 0.00001, never 1e-05."""
    return f"{fmr:.10f}".rstrip("0")


def _as_json(measured: Verification, pack: ModelPack, seconds: float, *, runtime: str) -> dict[str, Any]:
    everything = measured.everything
    points = everything.points if everything else ()
    return {
        "accuracy": round(measured.accuracy.mean, 5),
        "std": round(measured.accuracy.std, 5),
        "pairs": measured.pairs,
        "not_acquired": measured.not_acquired,
        "threshold": round(measured.accuracy.threshold, 4),
        "tmr_at_fmr": {_rate(point.fmr): round(everything.tmr(point), 5) for point in points if everything},
        "thresholds_at_fmr": {_rate(point.fmr): round(point.threshold, 4) for point in points},
        "pack": {"name": pack.name, "digest": pack.digest, "licence": pack.licence},
        "runtime": runtime,
        "images": measured.images,
        "mated": everything.mated if everything else None,
        "non_mated": everything.non_mated if everything else None,
        "seconds": round(seconds, 1),
        reports.SCORES: measured.tally.pairs_as_json(),
    }


def _as_table(measured: Verification, pack: ModelPack, seconds: float, *, runtime: str) -> str:
    accuracy = measured.accuracy
    rows = [
        ("Model pack", f"{pack.name} ({pack.digest[:12]})"),
        ("Runtime", runtime),
        ("Pairs judged", f"{measured.pairs:,}"),
        ("Accuracy", f"{accuracy.mean:.4f}" + (f" (standard deviation {accuracy.std:.4f})" if accuracy.std else "")),
        ("Threshold (similarity)", f"{accuracy.threshold:.4f}"),
        ("Images", f"{measured.images:,}"),
        ("Images not acquired", f"{measured.not_acquired:,}"),
        ("Time", f"{seconds:.1f} s"),
    ]
    lines = [f"{name:<24}{value}" for name, value in rows]
    if measured.everything is not None:
        everything = measured.everything
        lines += [
            "",
            f"All pairs of the images: {everything.mated:,} mated, {everything.non_mated:,} non-mated",
            f"{'FMR':<12}{'Threshold':<12}{'TMR':<12}False matches",
        ]
        lines += [
            f"{_rate(point.fmr):<12}{point.threshold:<12.4f}{everything.tmr(point):<12.4f}{point.non_mated_matches:,}"
            + ("" if _is_supported(everything, point.fmr) else "  (too few pairs to tell)")
            for point in everything.points
        ]
    return "\n".join(lines)
