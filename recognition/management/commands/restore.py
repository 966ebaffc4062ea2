"""`faceweb restore FILE`: a backup into an empty installation."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from faceweb import env, schema, state
from recognition.management import archiving
from recognition.management.base import RecognitionCommand
from recognition.management.commands.backup import SECRET_KEY
from recognition.services import archives, backup, erasure_ledger, restore


class Command(RecognitionCommand):
    """Restores everything or nothing."""

    help = "Restore a backup into an empty installation, and erase again who was erased since it was made."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """FILE, and what is known of it from elsewhere."""
        parser.add_argument("file", type=Path, help="what `faceweb backup` wrote")
        archiving.add_fingerprint(parser)
        parser.add_argument(
            "--erasures",
            type=Path,
            action="append",
            default=[],
            help="a ledger of erasures (erasures.jsonl in the state directory of the installation that is lost); may "
            "be given several times",
        )
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Reads the file twice: to verify all of it before anything is written, and to load it."""
        is_shown = not options["json"]
        ledgers = [erasure_ledger.ledger(), *options["erasures"]]
        trusted = archiving.trusted(options["fingerprint"])
        with (
            self.explained(),
            archives.opened(path=options["file"], kind=backup.KIND, trusted=trusted) as archive,
            schema.alone(),
        ):
            total = archiving.total_of(archive)
            contents = restore.contents_of(archive=archive)
            erased = erasure_ledger.since(moment=contents.moment, ledgers=ledgers)
            with archiving.progress("Verifying", total=total, is_shown=is_shown) as report:
                archive.verify(report=report)
            with archiving.progress("Loading", total=total, is_shown=is_shown) as report:
                done = restore.into_empty_database(archive=archive, erased=erased, report=report)
            erasure_ledger.adopt(ledgers=options["erasures"])
        key = self._put_key(done.keys)
        values = {
            "moment": done.moment.isoformat(),
            "rows": dict(done.rows),
            "erased_again": done.erased,
            "jobs": done.jobs,
            "secret_key": key,
        }
        people = done.rows["recognition_person"]
        words = [
            f"Restored the backup of {done.moment:%Y-%m-%d %H:%M} UTC: {people:,} people, "
            f"{sum(done.rows.values()):,} rows in all.",
            f"Erased again, because they were erased since: {done.erased}.",
            *([f"Jobs that go on: {done.jobs}."] if done.jobs else []),
            _KEY_WORDS[key],
        ]
        self.answer(values, "\n".join(words), as_json=options["json"])

    def _put_key(self, keys: dict[str, bytes] | Any) -> str:
        if env.SECRET_KEY.is_set():
            return "environment"
        if SECRET_KEY not in keys:
            return "new"
        state.write_private(state.secret_key_file(), keys[SECRET_KEY])
        return "restored"


_KEY_WORDS = {
    "environment": "The secret key is the one of the environment.",
    "new": "The backup holds no secret key: it came from the environment there. Set the same, or keep the new one.",
    "restored": "The secret key is the one of the backup.",
}
