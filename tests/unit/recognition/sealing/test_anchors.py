from __future__ import annotations

import contextlib
import datetime as dt
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from recognition.sealing import anchors
from recognition.sealing.anchors import Anchor, NoAnchor

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
ANCHOR = Anchor(7, bytes(range(32)), dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC))
LINE = ANCHOR.signed_by(KEY).encode()


def changed(**values: Any) -> str:
    return json.dumps({**json.loads(LINE), **values})


def test_what_was_signed_is_read_with_who_signed_it() -> None:
    signed = anchors.read(LINE)
    assert signed.anchor == ANCHOR
    assert signed.fingerprint == "139e3940e64b5491722088d9a0d741628fc826e09475d341a780acde3c4b8070"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b"[" * 2000,
        changed(position=8),
        changed(position=0),
        changed(position=2**70),
        changed(hash="00" * 32),
        changed(hash="00"),
        changed(at="2026-03-01T12:00:01+00:00"),
        changed(at="2026-03-01T12:00:00"),
        changed(public_key="00" * 32),
        changed(signature="00" * 64),
        changed(signature=None),
    ],
)
def test_anything_else_is_refused(line: str | bytes) -> None:
    with pytest.raises(NoAnchor, match=r"it is no anchor|its signature"):
        anchors.read(line)


@given(st.integers(0, len(LINE) - 1), st.integers(1, 255))
def test_whatever_byte_is_changed_says_nothing_else(index: int, flip: int) -> None:
    """A changed space, or a letter of a digit in the other case, may leave it as it was; nothing makes another one."""
    line = LINE[:index] + bytes([LINE[index] ^ flip]) + LINE[index + 1 :]
    with contextlib.suppress(NoAnchor):
        assert anchors.read(line).anchor == ANCHOR
