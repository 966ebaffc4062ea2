"""`faceweb dataset export TARGET`: the pictures of enrolled people as a labelled folder or archive."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db.models import QuerySet
from tqdm import tqdm

from recognition import conf
from recognition.management.base import FAILED, RecognitionCommand, person_by, writing
from recognition.models import Person, PersonGroup
from recognition.services import datasets
from recognition.services.datasets import Exported, Put

NOT_ALL_WRITTEN = 1
"""Exit status when something was written and some samples have no picture; 2 when nothing was written."""


class Command(RecognitionCommand):
    """Exports; the gallery stays as it is."""

    help = "Write the pictures of enrolled people as a labelled folder: originals and aligned crops."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """`export TARGET`, and whose."""
        super().add_arguments(parser)
        verbs = parser.add_subparsers(dest="verb", title="verbs", required=True)
        export = verbs.add_parser("export", help="write pictures as LABEL/originals and LABEL/aligned")
        export.add_argument(
            "target", type=Path, metavar="TARGET", help="a new folder, or a new archive where it ends in .zip"
        )
        export.add_argument(
            "--group", action="append", default=[], metavar="NAME", help="only people of this group; several add up"
        )
        export.add_argument(
            "--person",
            action="append",
            default=[],
            metavar="PERSON",
            help="only this person, by external id or name; several add up",
        )
        # Absent here must not take back what was said before the verb.
        export.add_argument("--json", action="store_true", default=argparse.SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints what was written and which samples have no picture; exit status 1 when there are such."""
        people, target = _chosen(options["group"], options["person"]), options["target"]
        chosen = datasets.choice(people=people)
        if not chosen.pictures:
            raise CommandError(
                f"No picture is kept of the {chosen.people:,} people chosen, so there is nothing to export.",
                returncode=FAILED,
            )
        with (
            self.recognition(),
            _written(target) as put,
            tqdm(total=chosen.pictures, unit="picture", disable=options["json"] or None) as bar,
        ):
            done = datasets.export(people=people, put=put, actor=None, threads=conf.worker_threads(), report=bar.update)
        self.answer(_values(target, done), _words(target, done), as_json=options["json"])
        if done.not_kept:
            sys.exit(NOT_ALL_WRITTEN)


def _chosen(groups: list[str], people: list[str]) -> QuerySet[Person]:
    if not groups and not people:
        return Person.objects.all()
    for name in groups:
        if not PersonGroup.objects.filter(name=name).exists():
            raise CommandError(f"There is no group {name!r}.", returncode=FAILED)
    numbers = [person_by(text).pk for text in people]
    of_groups = Person.objects.filter(groups__name__in=groups).values("pk")
    return Person.objects.filter(pk__in=of_groups) | Person.objects.filter(pk__in=numbers)


@contextlib.contextmanager
def _written(target: Path) -> Iterator[Put]:
    """Takes the files of a folder or archive, which has its name when it is whole and not before.

    Raises:
        CommandError: when something is there, or it cannot be written.
    """
    if target.exists() or target.is_symlink():
        raise CommandError(f"{target} is there already; nothing is ever overwritten.", returncode=FAILED)
    with (
        writing(target),
        tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.absolute().parent) as unfinished,
    ):
        whole = Path(unfinished) / "whole"
        if target.suffix.lower() == ".zip":
            with zipfile.ZipFile(whole, "x") as archive:
                yield datasets.into_archive(archive)
        else:
            whole.mkdir()
            yield lambda path, content: _put(whole / path, content)
        whole.rename(target)


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _values(target: Path, done: Exported) -> Mapping[str, Any]:
    return {"target": str(target), **dataclasses.asdict(done)}


def _words(target: Path, done: Exported) -> str:
    lines = [f"Sample #{number}: no picture is kept of it." for number in done.not_kept]
    lines += [
        f"Sample #{number}: its face was not found again; only the original is there." for number in done.not_aligned
    ]
    aligned = done.pictures - len(done.not_aligned)
    lines.append(f"Wrote {target}: {done.people:,} people, {done.pictures:,} originals, {aligned:,} aligned crops.")
    return "\n".join(lines)
