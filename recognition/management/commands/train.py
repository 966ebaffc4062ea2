"""`faceweb train head`: learn a projection of a pack's vectors from labelled images."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from recognition.management import training
from recognition.management.base import NOT_ACCEPTED, RecognitionCommand


class Command(RecognitionCommand):
    """Trains; nothing is brought into use."""

    help = "Learn a head on a model pack from labelled images; it becomes a pack of its own."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declares `train head`."""
        what = parser.add_subparsers(dest="what", required=True)
        head = what.add_parser(
            "head",
            help="a small projection, by triplet loss",
            description="Learns a linear projection of the vectors of a model pack by triplet loss with semi-hard "
            "mining, from some of the people; stops by others, and is judged by others again. In each image the face "
            "nearest the centre is used. Needs PyTorch: make setup-train.",
        )
        training.add_arguments(head)
        super().add_arguments(head)

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints what came of it; exit status 1 when the head is not better."""
        values, words = training.run(options)
        self.answer(values, words, as_json=options["json"])
        if not values["is_better"]:
            sys.exit(NOT_ACCEPTED)
