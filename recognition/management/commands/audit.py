"""`faceweb audit verify`: is the log what it was?"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from django.utils import timezone
from tqdm import tqdm

from faceweb import signing
from recognition import wording
from recognition.management import archiving
from recognition.management.base import NOT_ACCEPTED, RecognitionCommand
from recognition.sealing.chain import Broken
from recognition.services import anchors, sealed_log

PROGRESS_AFTER_S = 1.0


class Command(RecognitionCommand):
    """Proves that the sealed log is whole, and anchors it."""

    help = "Verify the sealed log of decisions and actions, or anchor it."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """`verify` and `anchor`."""
        super().add_arguments(parser)
        verbs = parser.add_subparsers(dest="verb", title="verbs", required=True)
        verify = verbs.add_parser("verify", help="look at every row; exit status 1 when one is not as it was sealed")
        verify.add_argument(
            "--anchor", type=Path, help="a file of anchors, by which a chain that was computed anew or cut is found"
        )
        archiving.add_fingerprint(verify)
        keep = verbs.add_parser("anchor", help="print the signed head of the log as one line, to be kept elsewhere")
        for each in (verify, keep):
            # Absent here must not take back what was said before the verb.
            each.add_argument("--json", action="store_true", default=argparse.SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        """Shows progress on standard error where it takes long."""
        with self.explained():
            if options["verb"] == "anchor":
                self._anchor()
            else:
                self._verify(options)

    def _anchor(self) -> None:
        head = anchors.head(now=timezone.now())
        if head is None:
            raise anchors.AnchorRefused("The sealed log is empty: there is nothing to anchor yet.")
        self.stdout.write(head.signed_by(signing.key()))

    def _verify(self, options: dict[str, Any]) -> None:
        known = []
        if options["anchor"] is not None:
            known = anchors.read(path=options["anchor"], trusted=archiving.trusted(options["fingerprint"]))
        is_quiet = options["json"]
        with tqdm(
            desc="Verifying", total=sealed_log.rows_now(), unit=" rows", delay=PROGRESS_AFTER_S, disable=is_quiet
        ) as bar:
            found = sealed_log.verify(anchors=known, report=bar.update)
        broken = found.first_broken
        values = {
            "ok": found.is_whole,
            "rows": found.rows,
            "anchors": len(known),
            "head": found.head.hex(),
            "first_broken": _as_json(broken) if broken else None,
            "rows_per_s": round(found.rows_per_s),
        }
        against = f" and agree with {len(known):,} anchors" if known else ""
        words = f"All {found.rows:,} rows are as they were sealed{against} ({found.rows_per_s:,.0f} rows/s)."
        if broken:
            words = f"{wording.broken_seal(broken)}\n{found.rows:,} rows before it are as they were sealed."
        self.answer(values, words, as_json=options["json"])
        if broken:
            sys.exit(NOT_ACCEPTED)


def _as_json(broken: Broken) -> dict[str, object]:
    return {
        "position": broken.position,
        "kind": broken.kind or None,
        "row": broken.row_id,
        "reason": broken.fault.value,
        "words": wording.broken_seal(broken),
    }
