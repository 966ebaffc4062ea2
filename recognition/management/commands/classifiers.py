"""`faceweb classifiers`: how they stand and what they are worth, and with --train their training."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from tqdm import tqdm

from recognition import classifier_wording
from recognition.evaluation.targets import Rate
from recognition.jobs import classifiers as training
from recognition.management import following
from recognition.management.base import RecognitionCommand
from recognition.selectors import classifiers as read
from recognition.selectors import packs
from recognition.selectors.classifiers import Standing
from recognition.services import classifiers


class Command(RecognitionCommand):
    """Tells of classifiers, and trains them."""

    help = "Show how the classifiers of the gallery stand and what they are worth; --train trains them."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """--train and --json."""
        super().add_arguments(parser)
        parser.add_argument("--train", action="store_true", help="learn the gallery of now, all kinds")

    def handle(self, *args: Any, **options: Any) -> None:
        """Shows progress on standard error, then how they stand.

        Raises:
            CommandError: when the training fails, is cancelled, or runs already.
        """
        with self.explained():
            if options["train"]:
                self._train(is_quiet=options["json"])
            pack = packs.active()
            standings = read.standings(pack)
            done = read.newest_comparison(pack.id)
        result = done.result if done is not None else {}
        words = [*map(_line, standings), *(_compared(result) if result else ["Nothing was compared yet."])]
        values = {
            "pack": pack.name,
            "classifiers": {each.strategy.value: _values(each) for each in standings},
            "comparison": result,
        }
        self.answer(values, "\n".join(words), as_json=options["json"])

    def _train(self, *, is_quiet: bool) -> None:
        job = classifiers.ask_for_training(actor=None)
        with tqdm(desc="Training", unit="step", file=self.stderr, disable=is_quiet or None) as bar:
            following.to_its_end(job, training.train, bar)


def _values(standing: Standing) -> dict[str, Any]:
    row = standing.row
    known = {"people": row.people, "samples": row.samples, "others": row.others} if row is not None else {}
    return {
        "state": standing.state.value,
        "is_asked": standing.is_needed,
        "trained_at": row.trained_at.isoformat() if row is not None else None,
        **known,
    }


def _line(standing: Standing) -> str:
    asked = ", asked by a policy" if standing.is_needed else ""
    return f"{standing.strategy:<16}{standing.state}{asked}. {classifier_wording.note(standing)}".rstrip()


def _compared(result: Mapping[str, Any]) -> list[str]:
    at = f"Threshold {result['threshold']:.4f}, margin {result['margin']:g}, policy {result['policy']}"
    rows = [
        f"{name:<16}"
        + "".join(
            f"{_share(Rate(errors, trials)):<26}"
            for errors, trials in (
                (counted["mated"] - counted["first"], counted["mated"]),
                (counted["missed"], counted["mated"]),
                (counted["named"], counted["non_mated"]),
            )
        ).rstrip()
        for name, counted in result["table"].items()
    ]
    header = f"{'':<16}{'another is closest':<26}{'missed':<26}others named"
    return ["", classifier_wording.learned(result), at, header, *rows]


def _share(rate: Rate) -> str:
    interval = rate.interval
    if rate.share is None or interval is None:
        return "not counted"
    return f"{rate.share:.2%} ({interval.low:.2%}..{interval.high:.2%})"
