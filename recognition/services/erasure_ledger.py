"""The ledger of erasures: who was erased, kept beside the database so that a restored backup brings nobody back.

A file in the state directory, one JSON object a line: `{"at": "2026-...Z", "kind": "person", "uid": "..."}`. It holds
no name, only the stable id of a row that is gone. Lines are added and never changed.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import json
import os
import uuid
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Literal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from recognition import conf

Kind = Literal["person", "sample"]

CLOCK_SKEW = dt.timedelta(seconds=5)
"""The ledger has the time of a web host and a backup that of the database; an erasure applied twice does no harm."""


class LedgerRefused(Exception):
    """The ledger cannot be written or read; the text is for the person who needs it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Erasure:
    """One row that was erased.

    Args:
        at: when, with a time zone.
        kind: of what.
        uid: its stable id.
    """

    at: dt.datetime
    kind: Kind
    uid: uuid.UUID

    def as_line(self) -> bytes:
        """How the ledger holds it."""
        return json.dumps({"at": self.at.isoformat(), "kind": self.kind, "uid": str(self.uid)}).encode() + b"\n"


def ledger() -> Path:
    """The ledger of this installation; there is no file before the first erasure."""
    return conf.state_dir() / "erasures.jsonl"


def record(*, people: Collection[uuid.UUID], samples: Collection[uuid.UUID]) -> None:
    """Notes an erasure in the ledger once the transaction that erases is committed.

    Args:
        people: stable ids of the people who are erased.
        samples: stable ids of the samples, those of these people included: in a backup they may be somebody else's.

    Raises:
        LedgerRefused: when the ledger cannot be written; at once, so that nothing is erased that would come back.
    """
    _append(())
    transaction.on_commit(functools.partial(_note, tuple(people), tuple(samples)))


def since(*, moment: dt.datetime, ledgers: Iterable[Path]) -> tuple[Erasure, ...]:
    """What was erased from a moment on, by all of these ledgers; each once, the earliest first.

    Args:
        moment: with a time zone; `CLOCK_SKEW` earlier counts too.
        ledgers: files; the installation's own may not be there yet.

    Raises:
        LedgerRefused: when one cannot be read.
    """
    found = {entry for path in ledgers for entry in _read(path) if entry.at >= moment - CLOCK_SKEW}
    return tuple(sorted(found, key=lambda entry: (entry.at, entry.kind, str(entry.uid))))


def adopt(*, ledgers: Iterable[Path]) -> None:
    """Adds to this installation's ledger what others hold, for the next time that a backup is restored here.

    Raises:
        LedgerRefused: when one cannot be read, or its own cannot be written.
    """
    known = set(_read(ledger()))
    _append([entry for path in ledgers for entry in _read(path) if entry not in known])


def _note(people: Collection[uuid.UUID], samples: Collection[uuid.UUID]) -> None:
    now = timezone.now()
    _append([Erasure(now, "person", uid) for uid in people] + [Erasure(now, "sample", uid) for uid in samples])


def _append(entries: Collection[Erasure]) -> None:
    path = ledger()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "a+b") as file:
            if not entries:
                return
            size = os.fstat(file.fileno()).st_size
            is_torn = size > 0 and os.pread(file.fileno(), 1, size - 1) != b"\n"  # by a loss of power
            file.write(b"\n" * is_torn + b"".join(entry.as_line() for entry in entries))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise LedgerRefused(
            gettext(
                "The erasure cannot be noted in %(path)s: %(reason)s. A backup restored later would bring back who is "
                "erased. Make room, or give the user who runs faceweb the right to write there."
            )
            % {"path": path, "reason": error.strerror or error}
        ) from error


def _read(path: Path) -> list[Erasure]:
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError as error:
        if path == ledger():
            return []
        raise LedgerRefused(gettext("There is no ledger %(path)s.") % {"path": path}) from error
    except OSError as error:
        message = gettext("The ledger %(path)s cannot be read: %(reason)s.")
        raise LedgerRefused(message % {"path": path, "reason": error.strerror or error}) from error
    return [_parsed(path, number, line) for number, line in enumerate(lines, 1)]


def _parsed(path: Path, number: int, line: bytes) -> Erasure:
    try:
        values = json.loads(line)
        at = dt.datetime.fromisoformat(values["at"])
        if values["kind"] not in ("person", "sample") or at.tzinfo is None:
            raise ValueError(values["kind"])
        return Erasure(at, values["kind"], uuid.UUID(values["uid"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise LedgerRefused(
            gettext(
                "Line %(number)s of the ledger %(path)s cannot be read. Look at it: an erasure may be missing. "
                "Remove the line to go on without it."
            )
            % {"number": number, "path": path}
        ) from error
