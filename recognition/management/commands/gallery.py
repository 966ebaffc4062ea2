"""`faceweb gallery export FILE` and `faceweb gallery import FILE`: people with their samples and templates alone."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from faceweb import signing
from recognition.management import archiving
from recognition.management.base import RecognitionCommand
from recognition.services import archives, gallery_export, gallery_import, jobs
from recognition.worker import packs


class Command(RecognitionCommand):
    """Moves a gallery from one installation to another."""

    help = "Export the gallery to a signed file, or import such a file."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """`export FILE` and `import FILE`."""
        super().add_arguments(parser)
        verbs = parser.add_subparsers(dest="verb", title="verbs", required=True)
        write = verbs.add_parser("export", help="write people, samples and templates to a file")
        write.add_argument("file", type=Path, help="the archive; never overwritten")
        write.add_argument("--with-images", action="store_true", help="the pictures of the samples too")
        read = verbs.add_parser("import", help="add people and samples of a file that are not here yet")
        read.add_argument("file", type=Path, help="what `faceweb gallery export` wrote")
        read.add_argument("--dry-run", action="store_true", help="say what would be added, and add nothing")
        archiving.add_fingerprint(read)
        for each in (write, read):
            # Absent here must not take back what was said before the verb.
            each.add_argument("--json", action="store_true", default=argparse.SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        """Shows progress on standard error, and what was written or added."""
        with self.explained():
            packs.ensure_active()
            if options["verb"] == "export":
                self._export(options)
            else:
                self._import(options)

    def _export(self, options: dict[str, Any]) -> None:
        with archiving.progress("Writing", total=None, is_shown=not options["json"]) as report:
            done = gallery_export.write(
                path=options["file"],
                key=signing.key(),
                program=archiving.program(),
                with_images=options["with_images"],
                report=report,
            )
        words = (
            f"Wrote {options['file']}, {archiving.megabytes(done.size)}: {done.people:,} people, "
            f"{done.samples:,} samples, {done.templates:,} templates, {done.images:,} pictures.\n"
            f"Fingerprint of the key that signed it, for an import elsewhere:\n  {done.fingerprint}"
        )
        self.answer({"file": str(options["file"]), **dataclasses.asdict(done)}, words, as_json=options["json"])

    def _import(self, options: dict[str, Any]) -> None:
        trusted = archiving.trusted(options["fingerprint"])
        is_shown = not options["json"]
        with archives.opened(path=options["file"], kind=gallery_export.KIND, trusted=trusted) as archive:
            total = archiving.total_of(archive)
            with archiving.progress("Verifying", total=total, is_shown=is_shown) as report:
                archive.verify(report=report)
            with archiving.progress("Reading", total=total, is_shown=is_shown) as report:
                done = gallery_import.read(archive=archive, actor=None, is_dry_run=options["dry_run"], report=report)
        if done.samples and not options["dry_run"]:
            jobs.ask_for_gallery_check(actor=None)
        verb = "Would add" if options["dry_run"] else "Added"
        words = (
            f"{verb} {done.people:,} people, {done.samples:,} samples, {done.images:,} pictures. "
            f"Here already: {done.people_known:,} people, {done.samples_known:,} samples."
        )
        values = {"dry_run": options["dry_run"], **dataclasses.asdict(done)}
        self.answer(values, words, as_json=options["json"])
