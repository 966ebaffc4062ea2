"""`faceweb evaluate open-set`: how often strangers are named, and enrolled people are not."""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.management.base import CommandError

from recognition.evaluation import open_set
from recognition.evaluation.error_rates import NoScores
from recognition.evaluation.open_set import NEAREST, OperatingPoint, Rates, TooFewPeople, Trial
from recognition.management import evaluating
from recognition.selectors.packs import ActivePack
from recognition.vision.errors import PackError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    evaluating.add_images(parser)
    parser.add_argument("--gallery-size", type=int, required=True, metavar="N", help="people to enrol")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="S", help="which people: a number that shuffles them (default: 0)"
    )
    parser.add_argument(
        "--seeds",
        type=int,
        default=1,
        metavar="COUNT",
        help="measure that many galleries, from seed S on, and print the means too (default: 1)",
    )


def run(options: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Measures.

    Returns:
        The result for --json, and in words.

    Raises:
        CommandError: when it cannot be measured; the text says why.
    """
    begin = time.monotonic()
    if options["seeds"] < 1:
        raise CommandError(f"--seeds: expected 1 or more, got {options['seeds']}.")
    images = options["images"].found()
    seeds = range(options["seed"], options["seed"] + options["seeds"])
    try:
        # Before minutes are spent on embedding.
        open_set.split(images, gallery_size=options["gallery_size"], seed=seeds[0])
        active, policy, pipeline = evaluating.deciding()
        embeddings = evaluating.embedded(pipeline, options["images"], images, quiet=options["json"])
        at = OperatingPoint(policy.identification_threshold, policy.margin)
        trials = tuple(
            open_set.measure(embeddings, images, gallery_size=options["gallery_size"], seed=seed, at=at)
            for seed in seeds
        )
    except (PackError, TooFewPeople, NoScores) as error:
        raise CommandError(str(error)) from error
    measured = _Measured(active, at, options["gallery_size"], trials, time.monotonic() - begin)
    return {**measured.as_json(), "runtime": pipeline.runtime}, measured.words()


@dataclasses.dataclass(frozen=True, slots=True)
class _Measured:
    active: ActivePack
    at: OperatingPoint
    gallery_size: int
    trials: tuple[Trial, ...]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """The means on top, and each gallery for itself in `trials`."""
        first = self.trials[0]
        return {
            "gallery_size": self.gallery_size,
            "seed": first.seed,
            "threshold": self.at.threshold,
            "margin": self.at.margin,
            **_as_json(self.trials),
            "pack": {"name": self.active.name, "digest": self.active.digest},
            "trials": [{"seed": trial.seed, **_as_json([trial])} for trial in self.trials],
            "seconds": round(self.seconds, 1),
        }

    def words(self) -> str:
        """The means as tables, and both rates of each gallery where there are several."""
        trials = self.trials
        one_sample = Rates.mean(trial.one_sample for trial in trials)
        lines = [
            f"{'Model pack':<24}{self.active.name} ({self.active.digest[:12]})",
            f"{'Gallery':<24}{self.gallery_size:,} people, one image each",
            f"{'Probes':<24}{_mean(trial.mated for trial in trials):,.0f} of people enrolled, "
            f"{_mean(trial.non_mated for trial in trials):,.0f} of others",
            f"{'Images not acquired':<24}{_mean(trial.not_acquired for trial in trials):g}",
            f"{'Threshold, margin':<24}{self.at.threshold:.4f}, {self.at.margin:g}",
            f"{'Time':<24}{self.seconds:.1f} s",
            "",
            _HEADER,
            _row("as decided", Rates.mean(trial.rates for trial in trials)),
            _row("without the margin", Rates.mean(trial.without_margin for trial in trials)),
        ]
        if len(trials) > 1:
            lines += [_row(f"seed {trial.seed}", trial.rates) for trial in trials]
        lines += ["", _HEADER.replace(" " * 9, "Threshold", 1)]
        lines += [_row(f"{threshold:.4f}", rates) for threshold, rates in _mean_det(trials)]
        lines += [
            "",
            f"A second image for the {_mean(trial.doubled for trial in trials):,.0f} people who have three or more, "
            "which is no probe then",
            _HEADER,
            _row("one image", one_sample),
        ]
        lines += [_row(f"two, {name}", rates) for name, rates in _mean_strategies(trials).items()]
        return "\n".join(lines)


def _as_json(trials: Sequence[Trial]) -> dict[str, Any]:
    strategies = _mean_strategies(trials)
    return {
        **_rates_json(Rates.mean(trial.rates for trial in trials)),
        "without_margin": _rates_json(Rates.mean(trial.without_margin for trial in trials)),
        "det": [
            {"threshold": round(threshold, 4), "fpir": round(rates.fpir, 5), "fnir": round(rates.fnir, 5)}
            for threshold, rates in _mean_det(trials)
        ],
        "mated": _mean(trial.mated for trial in trials),
        "non_mated": _mean(trial.non_mated for trial in trials),
        "not_acquired": _mean(trial.not_acquired for trial in trials),
        "second_sample": {
            "people": _mean(trial.doubled for trial in trials),
            "one": _rates_json(Rates.mean(trial.one_sample for trial in trials)),
            "two": _rates_json(strategies[NEAREST]),
        },
        "strategies": {name: _rates_json(rates) for name, rates in strategies.items()},
    }


def _mean_det(trials: Sequence[Trial]) -> list[tuple[float, Rates]]:
    """The trade-off: every trial was measured at the same thresholds."""
    columns = zip(*(trial.det for trial in trials), strict=True)
    return [(column[0][0], Rates.mean(rates for _, rates in column)) for column in columns]


def _mean_strategies(trials: Sequence[Trial]) -> dict[str, Rates]:
    return {name: Rates.mean(trial.strategies[name] for trial in trials) for name in open_set.STRATEGIES}


def _mean(counts: Iterable[int]) -> float:
    values = list(counts)
    return sum(values) / len(values)


def _rates_json(rates: Rates) -> dict[str, float]:
    return {name: round(value, 5) for name, value in dataclasses.asdict(rates).items()}


_HEADER = f"{'':<24}{'FPIR':<12}{'FNIR':<12}Rank 1"


def _row(name: str, rates: Rates) -> str:
    return f"{name:<24}" + "".join(f"{value:<12.2%}" for value in (rates.fpir, rates.fnir)) + f"{rates.rank1:.2%}"
