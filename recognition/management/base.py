"""What the recognition commands share: JSON or words, and errors told in a sentence."""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recognition.decision.policy import QualityFault
from recognition.models import Person
from recognition.selectors import people
from recognition.selectors.packs import NoActivePack
from recognition.services import analysis
from recognition.services.analysis import AnalyserUnavailable
from recognition.services.anchors import AnchorRefused
from recognition.services.archives import ArchiveRefused
from recognition.services.dispute_bundles import BundleNotMade
from recognition.services.erasure_ledger import LedgerRefused
from recognition.services.gallery_import import GalleryRefused
from recognition.services.jobs import JobRefused
from recognition.services.pack_rules import ThresholdsNotMeasured
from recognition.services.pack_switch import SwitchRefused
from recognition.services.policies import ChangeRefused
from recognition.services.restore import NotEmpty
from recognition.services.search import SearchRefused
from recognition.vision.errors import VisionError

NOT_ACCEPTED = 1
"""Exit status of a comparison that did not match; errors have 2, as with grep."""

FAILED = 2

_EXPLAINED = (
    VisionError,
    SearchRefused,
    AnalyserUnavailable,
    NoActivePack,
    ThresholdsNotMeasured,
    ChangeRefused,
    SwitchRefused,
    ArchiveRefused,
    AnchorRefused,
    BundleNotMade,
    LedgerRefused,
    NotEmpty,
    GalleryRefused,
    JobRefused,
)
"""Errors whose text is for people."""


class RecognitionCommand(BaseCommand):
    """A command that prints an answer in words, or with --json as one JSON object."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Adds --json; commands add their own before or after."""
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of words")

    def answer(self, values: Mapping[str, Any], words: str, *, as_json: bool) -> None:
        """Prints an answer once, in the form that was asked for."""
        self.stdout.write(json.dumps(values, indent=2) if as_json else encodable(words))

    @contextlib.contextmanager
    def recognition(self) -> Iterator[None]:
        """Runs the models in this process, in the thread that asks, for as long as the block lasts.

        Raises:
            CommandError: for every error that has an explanation.
        """
        # Imported here, because web hosts have nothing that runs networks, and need the other commands.
        from recognition.worker import recogniser

        with self.explained():
            analysis.connect(recogniser.start())
            yield

    @contextlib.contextmanager
    def explained(self) -> Iterator[None]:
        """Turns errors that were written for people into the command's own.

        Raises:
            CommandError: with the same text.
        """
        try:
            yield
        except (*_EXPLAINED, ValueError) as error:
            raise CommandError(str(error), returncode=FAILED) from error


def encodable(text: str) -> str:
    """A text that can be written: a file name may hold bytes that are no text, which are shown with a backslash."""
    return text.encode("utf-8", "backslashreplace").decode()


def file_content(path: Path) -> bytes:
    """The bytes of a file that the person named.

    Raises:
        CommandError: when it cannot be read; the message names it.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.", returncode=FAILED) from error


@contextlib.contextmanager
def writing(target: Path) -> Iterator[None]:
    """Around what writes a file or folder that the person named.

    Raises:
        CommandError: when it cannot be written; the message names it.
    """
    try:
        yield
    except OSError as error:
        raise CommandError(f"{target} cannot be written: {error.strerror or error}.", returncode=FAILED) from error


def person_by(text: str) -> Person:
    """The person that the command line means: by external id, else by name.

    Raises:
        CommandError: when there is none, or when several have the name.
    """
    found = list(filter(None, [people.claimed(text)])) or list(people.named(text)[:2])
    if not found:
        raise CommandError(f"Nobody is enrolled as {text!r}, by external id or by name.", returncode=FAILED)
    if len(found) > 1:
        raise CommandError(
            f"Several people are enrolled as {text!r}. Give them external ids in the admin, and use those.",
            returncode=FAILED,
        )
    return found[0]


def fault_json(fault: QualityFault) -> dict[str, object]:
    """A refused gate as JSON."""
    return {
        "reason": fault.reason.value,
        "measured": round(fault.measured, 3),
        "required": round(fault.required, 3),
    }
