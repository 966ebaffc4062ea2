"""`faceweb audit`: is the log what it was, and proofs of it for elsewhere."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.utils import timezone
from tqdm import tqdm

from faceweb import signing
from recognition import conf, sealing_wording
from recognition.management import archiving
from recognition.management.base import NOT_ACCEPTED, RecognitionCommand, file_content
from recognition.models import RecognitionEvent
from recognition.sealing import bundle
from recognition.sealing.chain import Broken
from recognition.services import anchors, archives, dispute_bundles, sealed_log
from recognition.services.archives import ArchiveRefused

PROGRESS_AFTER_S = 1.0


class Command(RecognitionCommand):
    """Proves that the sealed log is whole, anchors it, and makes and verifies dispute bundles."""

    help = "Verify the sealed log of decisions and actions, anchor it, or take signed proofs of events out of it."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """`verify`, `anchor`, `bundle` and `verify-bundle`."""
        super().add_arguments(parser)
        verbs = parser.add_subparsers(dest="verb", title="verbs", required=True)
        verify = verbs.add_parser("verify", help="look at every row; exit status 1 when one is not as it was sealed")
        verify.add_argument(
            "--anchor", type=Path, help="a file of anchors, by which a chain that was computed anew or cut is found"
        )
        archiving.add_fingerprint(verify)
        keep = verbs.add_parser("anchor", help="print the signed head of the log as one line, to be kept elsewhere")
        make = verbs.add_parser("bundle", help="write what is stored of events to one signed file that proves itself")
        make.add_argument("events", type=int, nargs="+", metavar="EVENT", help="number of an event")
        make.add_argument("file", type=Path, metavar="FILE", help="never overwritten")
        prove = verbs.add_parser("verify-bundle", help="verify such a file, anywhere; exit status 1 when it is refused")
        prove.add_argument("file", type=Path, help="what `faceweb audit bundle` wrote, or the page of an event")
        prove.add_argument(
            "--key",
            action="append",
            required=True,
            metavar="FINGERPRINT",
            help="of the key that may have signed it, told when the file was made; may be given several times",
        )
        for each in (verify, keep, make, prove):
            # Absent here must not take back what was said before the verb.
            each.add_argument("--json", action="store_true", default=argparse.SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        """Shows progress on standard error where it takes long."""
        with self.explained():
            verbs = {"verify": self._verify, "anchor": self._anchor, "bundle": self._bundle}
            verbs.get(options["verb"], self._verify_bundle)(options)

    def _anchor(self, options: dict[str, Any]) -> None:
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
            words = f"{sealing_wording.broken_seal(broken)}\n{found.rows:,} rows before it are as they were sealed."
        self.answer(values, words, as_json=options["json"])
        if broken:
            sys.exit(NOT_ACCEPTED)

    def _bundle(self, options: dict[str, Any]) -> None:
        wanted, key = options["events"], signing.key()
        found = RecognitionEvent.objects.in_bulk(wanted)
        missing = [number for number in wanted if number not in found]
        if missing:
            raise dispute_bundles.BundleNotMade(f"There is no event {missing[0]}.")
        own = archives.fingerprint(key.public_key())
        content = dispute_bundles.make(
            events=list(found.values()),
            anchors=anchors.read_kept(path=conf.anchor_file(), trusted=[own]),
            key=key,
            actor=None,
            now=timezone.now(),
        )
        _write_new(options["file"], content)
        words = f"Wrote {options['file']}. Fingerprint of the key that signed it, for whoever verifies it:\n  {own}"
        self.answer({"file": str(options["file"]), "fingerprint": own}, words, as_json=options["json"])

    def _verify_bundle(self, options: dict[str, Any]) -> None:
        try:
            found = bundle.verify(
                file_content(options["file"]), trusted=[text.strip().lower() for text in options["key"]]
            )
        except bundle.BundleRefused as refused:
            reason = str(refused)
            self.answer({"ok": False, "reason": reason}, f"Refused: {reason}.", as_json=options["json"])
            sys.exit(NOT_ACCEPTED)
        values = {
            "ok": True,
            "events": found.events,
            "made_at": found.made_at,
            "anchored_at": [moment.isoformat() for moment in found.anchored_at],
            "contents": {f"{kind}:{number}": content for (kind, number), content in found.contents.items()},
            "removed": [f"{kind}:{number}" for kind, number in found.removed],
        }
        words = [
            f"Genuine. It is about {', '.join(f'event {number}' for number in found.events)} and was made at "
            f"{found.made_at}.",
            *(_in_words(content) for (kind, _), content in found.contents.items() if kind == "event"),
            f"{len(found.contents)} records are as they were sealed, by heads that were signed from "
            f"{found.anchored_at[0]:%Y-%m-%d %H:%M} to {found.anchored_at[-1]:%Y-%m-%d %H:%M} UTC.",
            *(f"Removed since: {kind} {number}." for kind, number in found.removed),
        ]
        self.answer(values, "\n".join(words), as_json=options["json"])


def _in_words(event: Mapping[str, Any]) -> str:
    similarity = "no similarity" if event["similarity"] is None else f"similarity {event['similarity']:.3f}"
    return (
        f"Event {event['id']}: {event['decision']} at {event['decided_at']} UTC, {similarity}, policy version "
        f"{event['policy_version']}, model pack {event['pack'][:12]}..."
    )


def _write_new(path: Path, content: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except OSError as error:
        raise ArchiveRefused(f"{path} cannot be written: {error.strerror}.") from error


def _as_json(broken: Broken) -> dict[str, object]:
    return {
        "position": broken.position,
        "kind": broken.kind or None,
        "row": broken.row_id,
        "reason": broken.fault.value,
        "words": sealing_wording.broken_seal(broken),
    }
