"""Heads of the chain that are kept elsewhere, signed: against them it shows that a chain was computed anew or cut."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from recognition.sealing.chain import DIGEST_BYTES

_DOMAIN = b"faceweb anchor 1\x00"


class NoAnchor(ValueError):
    """A text is no anchor, or was changed; the text says which."""


@dataclasses.dataclass(frozen=True, slots=True)
class Anchor:
    """One head.

    Args:
        position: of the row.
        hash: of the row.
        at: when it was made, with a time zone.
    """

    position: int
    hash: bytes
    at: dt.datetime

    def signed_by(self, key: Ed25519PrivateKey) -> str:
        """One line of JSON, without its end, with the signature of that key."""
        return json.dumps(
            {
                "at": self.at.isoformat(),
                "position": self.position,
                "hash": self.hash.hex(),
                "public_key": key.public_key().public_bytes_raw().hex(),
                "signature": key.sign(self._signed()).hex(),
            }
        )

    def _signed(self) -> bytes:
        return _DOMAIN + self.position.to_bytes(8) + self.hash + self.at.isoformat().encode()


@dataclasses.dataclass(frozen=True, slots=True)
class SignedAnchor:
    """An anchor whose signature holds.

    Args:
        anchor: the head.
        fingerprint: SHA-256 of the key that signed it, in hexadecimal digits; whose key that is, the reader must know.
    """

    anchor: Anchor
    fingerprint: str


def claimed_position(line: str | bytes) -> int:
    """Which row a line says it is about; nothing is checked, for which `read` is.

    Raises:
        NoAnchor: for a line that names no row.
    """
    try:
        return int(json.loads(line)["position"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise NoAnchor("it is no anchor") from error


def read(line: str | bytes) -> SignedAnchor:
    """The anchor of a line that `Anchor.signed_by` made.

    Raises:
        NoAnchor: for any other line, and when a value in it was changed.
    """
    try:
        values: dict[str, Any] = json.loads(line)
        anchor = Anchor(int(values["position"]), bytes.fromhex(values["hash"]), dt.datetime.fromisoformat(values["at"]))
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(values["public_key"]))
        signature = bytes.fromhex(values["signature"])
        if len(anchor.hash) != DIGEST_BYTES or anchor.position < 1 or anchor.at.tzinfo is None:
            raise NoAnchor("it is no anchor")
        public.verify(signature, anchor._signed())
    except InvalidSignature as error:
        raise NoAnchor("its signature is not that of what it says") from error
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise NoAnchor("it is no anchor") from error
    return SignedAnchor(anchor, hashlib.sha256(public.public_bytes_raw()).hexdigest())
