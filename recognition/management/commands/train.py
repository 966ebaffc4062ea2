"""`faceweb train head`: learn a projection of a pack's vectors from labelled images."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from recognition.management import evaluating, training
from recognition.management.base import NOT_ACCEPTED, RecognitionCommand
from recognition.management.data_sets import DataSet


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
        """Prints what came of it; exit status 1 when the head is not better.

        Images that could not be read get a line on standard error, and the head is learned without them.
        """
        data_set = DataSet(options["images"])
        values, words = training.run({**options, "images": data_set})
        self.answer({**values, "unread": data_set.unread}, words, as_json=options["json"])
        evaluating.tell_unread(data_set.unread, self.stderr)
        if not values["is_better"]:
            sys.exit(NOT_ACCEPTED)
