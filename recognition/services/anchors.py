"""Keeps heads of the sealed log outside of the database, in a file and at an address, and reads them from there."""

from __future__ import annotations

import bisect
import contextlib
import dataclasses
import datetime as dt
import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils.translation import gettext

from recognition.models import AnchorPlace, SealedRow
from recognition.sealing import anchors
from recognition.sealing.anchors import Anchor, NoAnchor, SignedAnchor
from recognition.services import webhooks

TIMEOUT_S = 10.0
"""For the connection to the address, and again for its answer."""

MOST_REASON = 200
MOST_LINE_BYTES = 4096
_LAST_BYTES = 2 * MOST_LINE_BYTES


class AnchorRefused(Exception):
    """An anchor cannot be kept, read or trusted; the text is for the person who needs it.

    Args:
        text: all of it.
        reason: of a place that does not take anchors, as the system or the address has it.
    """

    def __init__(self, text: str, *, reason: str = "") -> None:
        """Keeps both."""
        super().__init__(text)
        self.reason = reason


def head(*, now: dt.datetime) -> Anchor | None:
    """The end of the chain; None while it is empty."""
    row = SealedRow.objects.order_by("-position").first()
    return Anchor(row.position, bytes(row.hash), now) if row is not None else None


def keep(*, path: Path, anchor: Anchor, key: Ed25519PrivateKey) -> bool:
    """Adds an anchor to a file, where its last line is not about the same row.

    Args:
        path: made where it is not there yet, for its owner alone.
        anchor: the head.
        key: what signs it.

    Returns:
        Whether it was added.

    Raises:
        AnchorRefused: when the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "a+b") as file:
            size = os.fstat(descriptor).st_size
            end = os.pread(descriptor, _LAST_BYTES, max(0, size - _LAST_BYTES))
            if _is_about(end, anchor):
                return False
            unended = end[end.rfind(b"\n") + 1 :]
            if _is_torn(unended):
                os.ftruncate(descriptor, size - len(unended))
                unended = b""
            file.write(b"\n" * bool(unended) + anchor.signed_by(key).encode() + b"\n")
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        message, reason = gettext("The sealed log cannot be anchored in %(path)s: %(reason)s."), _why(error)
        raise AnchorRefused(message % {"path": path, "reason": reason}, reason=reason) from error
    return True


def send(*, url: str, anchor: Anchor, key: Ed25519PrivateKey, post: webhooks.Post = webhooks.post) -> None:
    """Sends an anchor to an address, as one JSON object.

    Raises:
        AnchorRefused: when it was not taken; a later one proves all that it would have.
    """
    body = anchor.signed_by(key).encode()
    try:
        status = post(url=url, body=body, headers={"Content-Type": "application/json"}, timeout_s=TIMEOUT_S)
    except webhooks.CallFailed as error:
        raise _not_sent(str(error)) from error
    if not 200 <= status < 300:
        raise _not_sent(f"HTTP {status}")


def note(*, place: AnchorPlace.Code, now: dt.datetime, problem: str = "") -> None:
    """Remembers how it went to keep an anchor, for whoever looks after the system; the log has the whole text.

    Args:
        place: where.
        now: with a time zone.
        problem: why it failed; empty where it went well.
    """
    row, _ = AnchorPlace.objects.get_or_create(code=place)
    if problem:
        row.failing_since = row.failing_since or now
    else:
        row.kept_at, row.failing_since = now, None
    row.reason = problem[:MOST_REASON]
    row.save()


def give_up(*, place: AnchorPlace.Code) -> None:
    """Forgets a place that the settings do not name any more."""
    AnchorPlace.objects.filter(code=place).delete()


def read(*, path: Path, trusted: Collection[str]) -> list[Anchor]:
    """The anchors of a file, as they stand there.

    Args:
        path: what `keep` wrote, or lines that were sent.
        trusted: fingerprints of the keys that may have signed them.

    Raises:
        AnchorRefused: when the file cannot be read, or a line of it is none, was changed, or is not trusted.
    """
    found = []
    for number, line in _lines(path):
        try:
            signed = anchors.read(line)
        except NoAnchor as error:
            message = gettext("Line %(number)s of %(path)s proves nothing: %(reason)s. Use another copy of the file.")
            raise AnchorRefused(message % {"number": number, "path": path, "reason": error}) from error
        _require_trust(path, number, signed, trusted)
        found.append(signed.anchor)
    if not found:
        raise AnchorRefused(gettext("%(path)s holds no anchor.") % {"path": path})
    return found


@dataclasses.dataclass(frozen=True, slots=True)
class KeptAnchors:
    """The anchors of a file, each checked when it is asked for: one is added every hour, and a check takes its time.

    Args:
        lines: of the file with the rows that they say they are about, by row.
        trusted: fingerprints of the keys that may have signed them.
    """

    lines: Sequence[tuple[int, bytes]]
    trusted: Collection[str]

    def next(self, position: int, *, within: int) -> Anchor | None:
        """The nearest head at or after a row.

        Args:
            position: of the row.
            within: how many rows further at most.

        Returns:
            The first that holds and that a trusted key signed; None where there is none.
        """
        for claimed, line in self.lines[bisect.bisect_left(self.lines, position, key=_claimed) :]:
            if claimed > position + within:
                break
            with contextlib.suppress(NoAnchor):
                signed = anchors.read(line)
                if signed.fingerprint in self.trusted:
                    return signed.anchor
        return None


def read_kept(*, path: Path, trusted: Collection[str]) -> KeptAnchors:
    """The anchors of a file that these keys signed; what else is in it, and no file, counts for nothing.

    Raises:
        AnchorRefused: when the file cannot be read.
    """
    lines = []
    for _, line in _lines(path) if path.exists() else ():
        with contextlib.suppress(NoAnchor):
            lines.append((anchors.claimed_position(line), line))
    return KeptAnchors(sorted(lines, key=_claimed), trusted)


def _claimed(line: tuple[int, bytes]) -> int:
    return line[0]


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(MOST_LINE_BYTES):
                number += 1
                if line.strip():
                    yield number, line
    except OSError as error:
        message = gettext("%(path)s cannot be read: %(reason)s.")
        raise AnchorRefused(message % {"path": path, "reason": _why(error)}) from error


def _require_trust(path: Path, number: int, signed: SignedAnchor, trusted: Collection[str]) -> None:
    if signed.fingerprint not in trusted:
        raise AnchorRefused(
            gettext(
                "Line %(number)s of %(path)s was signed by a key that this installation does not know. If the "
                "fingerprint of its key is\n  %(found)s\nsay so with --fingerprint; if not, it proves nothing."
            )
            % {"number": number, "path": path, "found": signed.fingerprint}
        )


def _is_torn(line: bytes) -> bool:
    """Whether it is the beginning of a line that a loss of power cut off; the file would be refused for it."""
    try:
        anchors.read(line)
    except NoAnchor:
        return 0 < len(line) < MOST_LINE_BYTES
    return False


def _is_about(end: bytes, anchor: Anchor) -> bool:
    lines = end.splitlines()
    try:
        last = anchors.read(lines[-1]).anchor if lines else None
    except NoAnchor:
        return False
    return last is not None and (last.position, last.hash) == (anchor.position, anchor.hash)


def _not_sent(reason: str) -> AnchorRefused:
    message = gettext("The sealed log could not be anchored at its address: %(reason)s.")
    return AnchorRefused(message % {"reason": reason}, reason=reason)


def _why(error: OSError) -> str:
    return error.strerror or str(error)
