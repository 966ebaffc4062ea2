"""`faceweb evaluate packs`: every model pack and every strategy on the same images, as one page of Markdown."""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from recognition.evaluation import claims, open_set, verification
from recognition.evaluation.error_rates import NoScores
from recognition.evaluation.lfw_protocol import ImageName, PairsFile
from recognition.evaluation.open_set import OperatingPoint, Rates, TooFewPeople
from recognition.evaluation.verification import TrainPairsNeeded, TrainPairsNotUsed
from recognition.management import evaluating, evaluating_classifiers
from recognition.training.classifiers import LEAST_OTHERS, MOST_PEOPLE, MOST_SAMPLES, CannotLearn
from recognition.vision import model_packs
from recognition.vision.errors import PackError
from recognition.worker import packs as worker_packs

IDENTIFICATION_FMR = 1e-5
"""False match rate whose threshold searches are made at, as the policy of a new pack has it."""

MARGIN = 0.05
"""Least lead over the next person, as a new policy has it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    evaluating.add_images(parser)
    parser.add_argument("--pairs", type=Path, required=True, metavar="FILE", help="pairs to judge, in one set")
    parser.add_argument(
        "--train-pairs", type=Path, required=True, metavar="FILE", help="pairs that thresholds are chosen on"
    )
    parser.add_argument(
        "--pack",
        action="append",
        dest="packs",
        metavar="NAME",
        help="model pack; may be given several times (default: opencv-zoo)",
    )
    parser.add_argument("--gallery-size", type=int, default=200, metavar="N", help="people to enrol (default: 200)")
    parser.add_argument("--seeds", type=int, default=5, metavar="COUNT", help="galleries to take means of (default: 5)")


def run(options: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Measures.

    Returns:
        The result for --json, and as Markdown.

    Raises:
        CommandError: when it cannot be measured; the text says why.
    """
    if options["seeds"] < 1:
        raise CommandError(f"--seeds: expected 1 or more, got {options['seeds']}.")
    train, test = (evaluating.read_pairs(options[name]) for name in ("train_pairs", "pairs"))
    wanted = options["images"].located(train.images() | test.images())
    try:
        open_set.split(wanted, gallery_size=options["gallery_size"], seed=0)
        measured = [
            _measured(name, options, wanted, train, test)
            for name in options["packs"] or [model_packs.DEFAULT_PACK_NAME]
        ]
    except (PackError, NoScores, TooFewPeople, TrainPairsNeeded, TrainPairsNotUsed) as error:
        raise CommandError(str(error)) from error
    values = {
        "images": len(wanted),
        "pairs": len(test.pairs),
        "gallery_size": options["gallery_size"],
        "galleries": options["seeds"],
        "packs": measured,
    }
    return values, _markdown(values)


def _measured(
    name: str, options: Mapping[str, Any], wanted: Sequence[ImageName], train: PairsFile, test: PairsFile
) -> dict[str, Any]:
    begin = time.monotonic()
    loaded, stored = worker_packs.load_and_register(name)
    embeddings = evaluating.embedded(loaded.pipeline, options["images"], wanted, quiet=options["json"])
    compared = verification.measure(embeddings, pairs=test, train_pairs=train, with_all_pairs=True)
    assert compared.everything is not None  # noqa: S101  # was asked for
    points = {f"{point.fmr:f}".rstrip("0"): point for point in compared.everything.points}
    strictest = next(point for point in compared.everything.points if point.fmr == IDENTIFICATION_FMR)
    at = OperatingPoint(strictest.threshold, MARGIN)
    trials = [
        open_set.measure(embeddings, wanted, gallery_size=options["gallery_size"], seed=seed, at=at)
        for seed in range(options["seeds"])
    ]
    judged = {
        strategy: claims.accuracy(embeddings, train.pairs, test.pairs, strategy=strategy)
        for strategy in claims.STRATEGIES
    }
    return {
        "name": stored.name,
        "digest": stored.digest,
        "licence": stored.licence,
        "runtime": loaded.pipeline.runtime,
        "not_acquired": len(wanted) - len(embeddings),
        "pairs": {
            strategy: {"accuracy": round(found.mean, 5), "threshold": round(found.threshold, 4)}
            for strategy, found in judged.items()
        },
        "tmr_at_fmr": {fmr: round(compared.everything.tmr(point), 5) for fmr, point in points.items()},
        "searches": {
            strategy: _rates(Rates.mean(trial.strategies[strategy] for trial in trials))
            for strategy in open_set.STRATEGIES
        },
        "cross_validated": _classified(embeddings, wanted, options, at),
        "identification_threshold": round(at.threshold, 4),
        "seconds": round(time.monotonic() - begin, 1),
    }


def _classified(
    embeddings: open_set.Embeddings, wanted: Sequence[ImageName], options: Mapping[str, Any], at: OperatingPoint
) -> dict[str, dict[str, float]] | str:
    """The rates of every strategy, classifiers too; why not, where the images are nothing to learn of."""
    try:
        found = evaluating_classifiers.rates(
            embeddings, wanted, gallery_size=options["gallery_size"], seeds=options["seeds"], at=at
        )
    except CannotLearn as error:
        return str(error)
    return {strategy.value: _rates(rates) for strategy, rates in found.items()}


def _rates(rates: Rates) -> dict[str, float]:
    return {name: round(value, 5) for name, value in dataclasses.asdict(rates).items()}


_WORDS = {
    claims.ONE_IMAGE: "one image against one",
    open_set.NEAREST: "all other images of the person, `nearest` and `k_nearest`",
    open_set.CENTROID: "all other images of the person, `centroid`",
}


def _markdown(values: Mapping[str, Any]) -> str:
    packs = values["packs"]
    fmrs = list(packs[0]["tmr_at_fmr"])
    return "\n".join(
        [
            f"{values['images']:,} images, {values['pairs']:,} pairs.",
            "",
            *_table(
                ("Pack", "Digest", "Licence", "Runtime", "Without a face"),
                [
                    (pack["name"], f"`{pack['digest'][:12]}`", pack["licence"], pack["runtime"], pack["not_acquired"])
                    for pack in packs
                ],
            ),
            "",
            "## Pairs",
            "",
            "The second image of each pair against what the person of the first is enrolled with; thresholds were",
            "chosen on the train pairs.",
            "",
            *_table(
                ("Pack", "Enrolled with", "Accuracy", "Threshold"),
                [
                    (pack["name"], _WORDS[strategy], f"{found['accuracy']:.4f}", f"{found['threshold']:.4f}")
                    for pack in packs
                    for strategy, found in pack["pairs"].items()
                ],
            ),
            "",
            "## All pairs of the images",
            "",
            *_table(
                ("Pack", *(f"TMR at FMR {fmr}" for fmr in fmrs)),
                [(pack["name"], *(f"{pack['tmr_at_fmr'][fmr]:.4f}" for fmr in fmrs)) for pack in packs],
            ),
            "",
            "## Searches",
            "",
            f"Means of {values['galleries']} galleries of {values['gallery_size']:,} people, of whom those with three",
            "images or more are enrolled with two and searched with the others. The threshold is that of FMR",
            f"{fmrs[-1]} over all pairs, the margin {MARGIN}.",
            "",
            *_table(
                ("Pack", "Strategy", "Threshold", "FPIR", "FNIR", "Rank 1"),
                [
                    (pack["name"], f"`{strategy}`", f"{pack['identification_threshold']:.4f}", *_percents(rates))
                    for pack in packs
                    for strategy, rates in pack["searches"].items()
                ],
            ),
            "",
            "## Classifiers",
            "",
            "The same galleries, with all images of each person: a third of them at a time is held out and searched.",
            "Of everybody else classifiers learn the first image, but for a third at a time that is searched.",
            "Threshold and margin are those above; an image without a face is left out.",
            "",
            *_classifiers(packs),
        ]
    )


def _classifiers(packs: Sequence[Mapping[str, Any]]) -> list[str]:
    rows = [
        (pack["name"], f"`{strategy}`", *_percents(rates))
        for pack in packs
        if not isinstance(pack["cross_validated"], str)
        for strategy, rates in pack["cross_validated"].items()
    ]
    left_out = [pack["name"] for pack in packs if isinstance(pack["cross_validated"], str)]
    table = _table(("Pack", "Strategy", "FPIR", "FNIR", "Rank 1"), rows) if rows else []
    return [*table, *(f"{name}: not compared. {_LEARNABLE}" for name in left_out)]


_LEARNABLE = (
    f"Classifiers learn at most {MOST_PEOPLE:,} people with {MOST_SAMPLES:,} images, some of them with two, and need "
    f"{LEAST_OTHERS} other people."
)


def _percents(rates: Mapping[str, float]) -> list[str]:
    return [f"{rates[name]:.2%}" for name in ("fpir", "fnir", "rank1")]


def _table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    lines = [header, ["---"] * len(header), *rows]
    return [f"| {' | '.join(map(str, line))} |" for line in lines]
