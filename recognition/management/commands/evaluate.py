"""`faceweb evaluate`: how good a model pack is, on labelled images."""

from __future__ import annotations

import argparse
import json
from typing import Any

from django.core.management.base import BaseCommand

from recognition.management import evaluating_clusters, evaluating_open_set, evaluating_pairs, evaluating_quality


class Command(BaseCommand):
    """Chooses what is measured; embedding the images as enrolment does is common to all.

    In an image the face nearest the centre is used, because LFW centres each image on the person
    that it is named after. An image without a face is not acquired: in pairs, its mated pairs count as
    errors and its non-mated pairs as rightly rejected, both with similarity -1.
    """

    help = "Measure a model pack on labelled images."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declares `evaluate pairs`, `evaluate open-set`, `evaluate quality` and `evaluate cluster`."""
        what = parser.add_subparsers(dest="what", required=True)
        pairs = what.add_parser(
            "pairs",
            help="the protocol of Labeled Faces in the Wild",
            description="Judges pairs of images: the pairs of a file with folds by thresholds chosen on the other "
            "folds, those of a file without by a threshold chosen on the train pairs. In each image the face nearest "
            "the centre is used. An image without a face is not acquired: its mated pairs count as errors, its "
            "non-mated pairs as rightly rejected.",
        )
        evaluating_pairs.add_arguments(pairs)
        open_set = what.add_parser(
            "open-set",
            help="how often strangers are named, and enrolled people are not",
            description="Enrols some of the people who have two images or more with their first image, searches their "
            "other images and the first image of everybody else, and tells how many searches the policy in force gets "
            "wrong. In each image the face nearest the centre is used. An image without a face is not acquired: an "
            "enrolled person is missed by it, and a stranger is not named.",
        )
        evaluating_open_set.add_arguments(open_set)
        quality = what.add_parser(
            "quality",
            help="whether the unified quality score foretells missed matches",
            description="Compares every two images of one person, and tells how many pairs stay below the verification "
            "threshold of the policy in force when the images with the worst unified quality score are left out. In "
            "each image the face nearest the centre is used. An image without a face has no quality and is left out.",
        )
        evaluating_quality.add_arguments(quality)
        cluster = what.add_parser(
            "cluster",
            help="whether faces are grouped by person",
            description="Groups the faces of some people without being told whose they are, and tells how well the "
            "groups agree with the people. In each image the face nearest the centre is used. An image without a face "
            "is left out. The threshold is that of a search by the policy in force.",
        )
        evaluating_clusters.add_arguments(cluster)
        for subcommand in (pairs, open_set, quality, cluster):
            subcommand.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measures and prints."""
        runs = {
            "pairs": evaluating_pairs,
            "open-set": evaluating_open_set,
            "quality": evaluating_quality,
            "cluster": evaluating_clusters,
        }
        run = runs[options["what"]].run
        values, words = run(options)
        self.stdout.write(json.dumps(values) if options["json"] else words)
