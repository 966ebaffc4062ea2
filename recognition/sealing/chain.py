"""The chain of hashes: how a row is sealed, and how a change is found.

Row n holds a salted digest of what it seals and the hash of row n - 1; its own hash covers both. So whoever changes,
removes, adds or moves a row breaks the chain there, unless they compute every row after it anew: that is found by
comparing with a head that was kept elsewhere.

PostgreSQL computes the same when it seals (see migration 0019); tests hold the two against each other.
"""

from __future__ import annotations

import dataclasses
import hashlib
from enum import StrEnum

GENESIS = bytes(32)
"""What the first row holds as the hash before it."""

DIGEST_BYTES = 32
SALT_BYTES = 32

# Different beginnings: what was hashed as a content is never taken for a row, whatever bytes it is made of.
_CONTENT = b"faceweb sealed content 1\x00"
_ROW = b"faceweb sealed row 1\x00"


class Fault(StrEnum):
    """What is wrong with a row of the chain."""

    ROW_MISSING = "row_missing"
    PREVIOUS_DIFFERS = "previous_differs"
    HASH_DIFFERS = "hash_differs"
    CONTENT_CHANGED = "content_changed"
    CONTENT_GONE = "content_gone"
    SALT_GONE = "salt_gone"
    LINK_EMPTIED = "link_emptied"
    NOT_SEALED = "not_sealed"
    NOT_AS_ANCHORED = "not_as_anchored"
    SHORTER_THAN_ANCHORED = "shorter_than_anchored"


@dataclasses.dataclass(frozen=True, slots=True)
class ChainRow:
    """One row of the chain.

    Args:
        position: from 1 on, without gaps.
        kind: of what it seals.
        row_id: the number of what it seals, among those of its kind.
        digest: salted, of the content; see `content_digest`.
        previous: hash of the row before; `GENESIS` in the first.
        hash: see `row_hash`.
    """

    position: int
    kind: str
    row_id: int
    digest: bytes
    previous: bytes
    hash: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Content:
    """What there is now of what a row sealed.

    Args:
        salt: None where it was removed together with the content.
        document: the canonical content; None where it was removed.
        vouched_at: position of the row that says that it was removed rightly; None where none does.
        is_emptied: whether a link of it was emptied although what it pointed to is still there.
    """

    salt: bytes | None
    document: bytes | None
    vouched_at: int | None = None
    is_emptied: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Broken:
    """The first row that is not as it was sealed.

    Args:
        fault: what is wrong.
        position: in the chain; None for what never was in it.
        kind: of what it seals; empty where the row itself is missing.
        row_id: its number; None where the row itself is missing.
    """

    fault: Fault
    position: int | None
    kind: str = ""
    row_id: int | None = None


def content_digest(salt: bytes, document: bytes) -> bytes:
    """The SHA-256 of a content, which tells nothing of it to whoever lacks the salt.

    Raises:
        ValueError: for a salt of another length: of a longer one nobody could say where the content begins.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"salt: expected {SALT_BYTES} bytes, got {len(salt)}")
    return hashlib.sha256(_CONTENT + salt + document).digest()


def encoded_row(*, position: int, kind: str, row_id: int, digest: bytes, previous: bytes) -> bytes:
    """The bytes that a row's hash is made of; different rows give different bytes.

    Every part has a fixed length, big-endian, but for the kind, before which its length stands.

    Raises:
        ValueError: for a digest or hash of another length.
    """
    if len(digest) != DIGEST_BYTES or len(previous) != DIGEST_BYTES:
        raise ValueError(f"expected {DIGEST_BYTES} bytes, got {len(digest)} and {len(previous)}")
    name = kind.encode()
    return b"".join(
        (
            _ROW,
            position.to_bytes(8, signed=True),
            len(name).to_bytes(4),
            name,
            row_id.to_bytes(8, signed=True),
            digest,
            previous,
        )
    )


def row_hash(*, position: int, kind: str, row_id: int, digest: bytes, previous: bytes) -> bytes:
    """The SHA-256 of `encoded_row`."""
    encoded = encoded_row(position=position, kind=kind, row_id=row_id, digest=digest, previous=previous)
    return hashlib.sha256(encoded).digest()


class Walk:
    """Goes along a chain from a row that is known, and says what is wrong with the next one."""

    def __init__(self, position: int = 0, head: bytes = GENESIS) -> None:
        """Begins after that row; without one, before the first."""
        self.position, self.head = position, head

    def step(self, row: ChainRow) -> Broken | None:
        """Goes on to a row; None when it is the next one and whole. After a fault nothing is known any more."""
        wanted = self.position + 1
        if row.position != wanted:
            return Broken(Fault.ROW_MISSING, wanted)
        fault = self._fault(row)
        if fault is not None:
            return Broken(fault, row.position, row.kind, row.row_id)
        self.position, self.head = row.position, row.hash
        return None

    def _fault(self, row: ChainRow) -> Fault | None:
        if row.previous != self.head:
            return Fault.PREVIOUS_DIFFERS
        if len(row.digest) != DIGEST_BYTES or row.hash != row_hash(
            position=row.position, kind=row.kind, row_id=row.row_id, digest=row.digest, previous=row.previous
        ):
            return Fault.HASH_DIFFERS
        return None


def content_fault(row: ChainRow, content: Content) -> Broken | None:
    """What is wrong with the content of a row; None where it is as sealed, or was removed and a later row says so."""
    fault = _content_fault(row, content)
    return Broken(fault, row.position, row.kind, row.row_id) if fault is not None else None


def _content_fault(row: ChainRow, content: Content) -> Fault | None:
    if content.document is None:
        # An earlier row cannot know of the removal, and who throws away the salt alone proves nothing.
        is_vouched = content.vouched_at is not None and content.vouched_at > row.position
        return None if content.salt is None and is_vouched else Fault.CONTENT_GONE
    if content.salt is None:
        return Fault.SALT_GONE
    if len(content.salt) != SALT_BYTES or content_digest(content.salt, content.document) != row.digest:
        return Fault.CONTENT_CHANGED
    return Fault.LINK_EMPTIED if content.is_emptied else None
