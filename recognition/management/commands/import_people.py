"""`faceweb import-people PATH`: many people at once, from a folder or a ZIP archive."""

from __future__ import annotations

import argparse
import collections
import contextlib
import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from tqdm import tqdm

from recognition import conf, import_wording
from recognition.importing import archives
from recognition.importing.entries import ImportRefused, PlannedFile
from recognition.importing.layouts import Layout
from recognition.management import folders
from recognition.management.base import FAILED, RecognitionCommand
from recognition.management.enrolling import FileOutcome
from recognition.management.folders import Read
from recognition.models import ImportItem
from recognition.services import importing, jobs
from recognition.services.importing import Plan

GREW = (ImportItem.State.ENROLLED, ImportItem.State.SET_ASIDE)
"""What became of a file that is in the gallery now."""


class Command(RecognitionCommand):
    """Imports people; importing the same again changes nothing."""

    help = "Enrol many people from a folder or a ZIP archive: a folder a person, names in file names, or a people.csv."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """PATH, and how to read it."""
        parser.add_argument("path", type=Path, metavar="PATH", help="a folder or a ZIP archive")
        parser.add_argument("--dry-run", action="store_true", help="only say what would happen")
        parser.add_argument(
            "--layout",
            choices=[layout.value for layout in Layout],
            default=Layout.AUTO.value,
            help="where there is no people.csv: a folder a person, or names in file names (default: find out)",
        )
        parser.add_argument(
            "--results", type=Path, metavar="CSV", help="write what became of each file into a new file"
        )
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Shows progress on standard error and the files that were not enrolled at the end.

        Stopped and started again it goes on: what is enrolled is known, and is not looked at again.
        """
        with contextlib.ExitStack() as stack:
            try:
                paths, read = stack.enter_context(_opened(options["path"]))
                plan = importing.plan(paths=paths, read=read, layout=Layout(options["layout"]))
                outcomes = [FileOutcome.skipped(file, file.skip) for file in plan.files if file.skip is not None]
                if not options["dry_run"]:
                    # Opened before the work, so that it does not end without its results.
                    rows = stack.enter_context(_results(options["results"])) if options["results"] else None
                    outcomes += self._imported(plan, read, quiet=options["json"])
                    if any(outcome.state in GREW for outcome in outcomes):
                        jobs.ask_for_gallery_check(actor=None)
                    if rows is not None:
                        rows.writerows(outcome.row() for outcome in outcomes)
            except ImportRefused as refused:
                raise CommandError(import_wording.refusal_sentence(refused), returncode=FAILED) from refused
        self.answer(*_summary(plan, outcomes, is_dry=options["dry_run"]), as_json=options["json"])

    def _imported(self, plan: Plan, read: Read, *, quiet: bool) -> list[FileOutcome]:
        outcomes: list[FileOutcome] = []
        with tqdm(total=len(plan.taken), unit="photo", disable=quiet) as bar:
            unknown: list[PlannedFile] = []
            for file, is_known in importing.with_known(files=plan.taken, read=read):
                if is_known:
                    outcomes.append(FileOutcome.known(file))
                    bar.update()
                else:
                    unknown.append(file)
            if unknown:
                with self.recognition():
                    self._look(unknown, read, outcomes, bar)
        return outcomes

    def _look(self, files: Sequence[PlannedFile], read: Read, outcomes: list[FileOutcome], bar: Any) -> None:
        looked_at = importing.looked_at(files=importing.contents(files=files, read=read), threads=conf.worker_threads())
        for step in importing.in_steps(results=looked_at, size=importing.FILES_A_STEP):
            results = importing.take(files=[(importing.of_file(file), seen) for file, seen in step], actor=None)
            outcomes += [FileOutcome.of(file, result) for (file, _), result in zip(step, results, strict=True)]
            bar.update(len(step))


def _summary(plan: Plan, outcomes: Sequence[FileOutcome], *, is_dry: bool) -> tuple[dict[str, Any], str]:
    counts = collections.Counter(outcome.state for outcome in outcomes)
    values: dict[str, Any] = {
        "people": plan.known + plan.new,
        "new_people": plan.new,
        "files": len(plan.files),
        "dry_run": is_dry,
        **{state.value: counts[state] for state in ImportItem.State if state is not ImportItem.State.PENDING},
        "reasons": dict(collections.Counter(why["reason"] for outcome in outcomes for why in outcome.why)),
        "results": [outcome.as_json() for outcome in outcomes],
    }
    lines = [outcome.words() for outcome in outcomes if outcome.reasons]
    lines.append(f"People: {plan.known + plan.new}, of them new: {plan.new}. Files: {len(plan.files)}.")
    if is_dry:
        lines.append(f"Would be looked at: {len(plan.taken)}. Nothing was changed.")
    else:
        lines.append(
            f"Enrolled: {values['enrolled']}, set aside: {values['set_aside']}, known already: {values['known']}, "
            f"not used: {values['refused']}."
        )
    return values, "\n".join(lines)


@contextlib.contextmanager
def _opened(place: Path) -> Iterator[tuple[Sequence[str], Read]]:
    """Paths and reader of a folder or an archive.

    Raises:
        CommandError: when there is neither.
        ImportRefused: for an archive that is none, or dangerous.
    """
    if place.is_dir():
        yield folders.files_below(place), folders.reader(place)
    elif place.is_file():
        with place.open("rb") as file:
            archive = archives.opened(file, most_bytes=conf.import_max_bytes())
            yield archive.paths, archive.read
    else:
        raise CommandError(f"There is no folder or archive {place}.", returncode=FAILED)


@contextlib.contextmanager
def _results(place: Path) -> Iterator[Any]:
    try:
        file = place.open("x", newline="", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise CommandError(f"{place} cannot be made: {error.strerror}.", returncode=FAILED) from error
    with file:
        writer = csv.writer(file)
        writer.writerow(["file", "person", "result", "reasons"])
        yield writer
