"""`faceweb evaluate`: how good a model pack is, on labelled images."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from recognition.evaluation import reports
from recognition.evaluation.reports import NotComparable
from recognition.management import (
    evaluating,
    evaluating_clusters,
    evaluating_detector,
    evaluating_open_set,
    evaluating_packs,
    evaluating_pairs,
    evaluating_quality,
    evaluating_tilted,
    reporting,
)
from recognition.management.base import FAILED
from recognition.management.data_sets import DataSet


class Command(BaseCommand):
    """Chooses what is measured; embedding the images as enrolment does is common to all.

    In an image the face nearest the centre is used, because LFW centres each image on the person
    that it is named after. An image without a face is not acquired: in pairs, its mated pairs count as
    errors and its non-mated pairs as rightly rejected, both with similarity -1.
    """

    help = "Measure a model pack on labelled images, and compare what was measured."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declares what can be measured, and `evaluate compare`."""
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
        packs = what.add_parser(
            "packs",
            help="every model pack and every strategy on the same images",
            description="Judges pairs, compares all images and searches galleries with each of several model packs and "
            "each strategy, and prints one page of Markdown.",
        )
        evaluating_packs.add_arguments(packs)
        tilted = what.add_parser(
            "tilted",
            help="whether faces tilted by any angle are found, and stay the same faces",
            description="Turns each image in steps of 15 degrees, and tells how many faces are found, how many of them "
            "with landmarks within 10 % of the eye distance of where they are in the upright image (the mean of five), "
            "and how many with a vector of cosine similarity 0.8 or more to that of the upright face. In each image "
            "the face nearest the centre is used. Faces in profile and faces made small, each at angles in turn, have "
            "rows of their own. An image that shows no face upright is left out.",
        )
        evaluating_tilted.add_arguments(tilted)
        detector = what.add_parser(
            "detector",
            help="the detectors of several model packs side by side",
            description="Tells of each pack in how many images its detector finds a face, how far the landmarks that "
            "the face nearest the centre is aligned by are from the mean of the other detectors' landmarks, how long a "
            "search takes on one thread, and how many faces it finds where there are none. Nobody marked the "
            "landmarks by hand, so errors are of detectors against each other.",
        )
        evaluating_detector.add_arguments(detector)
        compare = what.add_parser(
            "compare",
            help="two reports side by side",
            description="Shows two reports that `--json FILE` wrote side by side, with every difference.",
        )
        compare.add_argument("reports", type=Path, nargs=2, metavar="FILE", help="a report in JSON")
        for subcommand in (pairs, open_set, quality, cluster, packs, tilted, detector, compare):
            reporting.add_arguments(subcommand)

    def handle(self, *args: Any, **options: Any) -> None:
        """Measures, prints, and writes the files that were asked for.

        Exit status 2 when some images could not be read: they count as not acquired, and the rest is measured.
        """
        wish = reporting.Wish.of(options)
        if options["what"] == "compare":
            self._compare(options["reports"], wish)
            return
        runs = {
            "pairs": evaluating_pairs,
            "open-set": evaluating_open_set,
            "quality": evaluating_quality,
            "cluster": evaluating_clusters,
            "packs": evaluating_packs,
            "tilted": evaluating_tilted,
            "detector": evaluating_detector,
        }
        data_set = DataSet(options["images"])
        values, words = runs[options["what"]].run({**options, "json": wish.prints_json, "images": data_set})
        unread = data_set.unread
        told = {**values, "unread": unread} if unread else values
        report = reporting.made(options["what"], told, options, timezone.now())
        wish.write(report)
        self.stdout.write(json.dumps(report.values) if wish.prints_json else words)
        evaluating.tell_unread(unread, self.stderr)
        if unread:
            sys.exit(FAILED)

    def _compare(self, paths: Sequence[Path], wish: reporting.Wish) -> None:
        one, other = (reporting.read(path) for path in paths)
        try:
            rows = reports.compare(one.report, other.report)
        except NotComparable as error:
            raise CommandError(f"{one.name} and {other.name}: {error}.") from error
        wish.write_compared(one, other, rows)
        values, words = reporting.compared_json(rows), reporting.compared_words(one, other, rows)
        self.stdout.write(json.dumps(values) if wish.prints_json else words)
