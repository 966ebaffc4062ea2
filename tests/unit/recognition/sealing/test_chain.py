"""The chain: what is hashed is unambiguous, and every change of a row is found."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.sealing import chain
from recognition.sealing.chain import GENESIS, Broken, ChainRow, Content, Fault, Walk

SALT = bytes(range(32))

digests = st.binary(min_size=32, max_size=32)
numbers = st.integers(-(2**63), 2**63 - 1)
parts = st.fixed_dictionaries(
    {"position": numbers, "kind": st.text(), "row_id": numbers, "digest": digests, "previous": digests}
)


def sealed(*kinds: str) -> list[ChainRow]:
    """A whole chain with a row of each of those kinds, whose numbers count from 1."""
    rows, head = [], GENESIS
    for position, kind in enumerate(kinds, 1):
        digest = chain.content_digest(SALT, f"{kind} {position}".encode())
        own = chain.row_hash(position=position, kind=kind, row_id=position, digest=digest, previous=head)
        rows.append(ChainRow(position, kind, position, digest, head, own))
        head = own
    return rows


def walked(rows: list[ChainRow]) -> Broken | None:
    walk = Walk()
    return next(filter(None, map(walk.step, rows)), None)


class TestEncoding:
    @given(parts, parts)
    def test_different_rows_give_different_bytes(self, one: dict[str, Any], other: dict[str, Any]) -> None:
        assert (chain.encoded_row(**one) == chain.encoded_row(**other)) == (one == other)

    @given(parts, st.sampled_from(["position", "row_id"]))
    def test_a_number_more_gives_others(self, row: dict[str, Any], name: str) -> None:
        other = {**row, name: row[name] + 1 if row[name] < 0 else row[name] - 1}
        assert chain.encoded_row(**row) != chain.encoded_row(**other)

    @given(st.binary(), st.binary(), digests, digests)
    def test_different_contents_give_different_digests(
        self, one: bytes, other: bytes, salt: bytes, other_salt: bytes
    ) -> None:
        same = (one, salt) == (other, other_salt)
        assert (chain.content_digest(salt, one) == chain.content_digest(other_salt, other)) == same

    def test_it_is_the_same_for_ever(self) -> None:
        """Chains of before are verified with it: a change of these values makes them worthless."""
        digest = chain.content_digest(SALT, b'{"id": 1}')
        assert digest.hex() == hashlib.sha256(b"faceweb sealed content 1\x00" + SALT + b'{"id": 1}').hexdigest()
        row = chain.row_hash(position=1, kind="event", row_id=2, digest=digest, previous=GENESIS)
        spelled = (
            b"faceweb sealed row 1\x00" + bytes(7) + b"\x01" + b"\x00\x00\x00\x05event" + bytes(7) + b"\x02" + digest
        )
        assert row == hashlib.sha256(spelled + bytes(32)).digest()

    @pytest.mark.parametrize("salt", [b"", bytes(31), bytes(33)])
    def test_a_salt_of_another_length_is_refused(self, salt: bytes) -> None:
        with pytest.raises(ValueError, match="expected 32 bytes"):
            chain.content_digest(salt, b"")

    @pytest.mark.parametrize(("digest", "previous"), [(b"", GENESIS), (GENESIS, bytes(33))])
    def test_a_digest_of_another_length_is_refused(self, digest: bytes, previous: bytes) -> None:
        with pytest.raises(ValueError, match="expected 32 bytes"):
            chain.encoded_row(position=1, kind="event", row_id=1, digest=digest, previous=previous)


class TestWalk:
    def test_an_empty_chain_is_whole(self) -> None:
        walk = Walk()
        assert (walk.position, walk.head) == (0, GENESIS)

    def test_a_whole_chain_is_walked_to_its_end(self) -> None:
        rows, walk = sealed("event", "crop", "audit"), Walk()
        assert [walk.step(row) for row in rows] == [None, None, None]
        assert (walk.position, walk.head) == (3, rows[-1].hash)

    def test_it_goes_on_from_a_row_that_is_known(self) -> None:
        first, second = sealed("event", "crop")
        assert Walk(first.position, first.hash).step(second) is None

    @pytest.mark.parametrize("index", range(4))
    def test_a_row_less_is_found_but_at_the_end(self, index: int) -> None:
        rows = sealed("event", "crop", "audit", "event")
        del rows[index]
        assert walked(rows) == (Broken(Fault.ROW_MISSING, index + 1) if index < 3 else None)

    def test_a_row_twice_is_found(self) -> None:
        rows = sealed("event", "crop")
        assert walked([rows[0], *rows]) == Broken(Fault.ROW_MISSING, 2)

    def test_rows_that_changed_places_are_found(self) -> None:
        first, second, third = sealed("event", "crop", "audit")
        swapped = [first, dataclasses.replace(third, position=2), dataclasses.replace(second, position=3)]
        assert walked(swapped) == Broken(Fault.PREVIOUS_DIFFERS, 2, "audit", 3)

    @given(st.integers(0, 3), st.data())
    def test_whatever_changes_in_a_row_is_found_there(self, index: int, data: st.DataObject) -> None:
        rows = sealed("event", "crop", "audit", "event")
        name = data.draw(st.sampled_from(["kind", "row_id", "digest", "previous", "hash"]))
        values: dict[str, st.SearchStrategy[Any]] = {"kind": st.text(), "row_id": numbers}
        value = data.draw(values.get(name, st.binary(max_size=40)).filter(lambda v: v != getattr(rows[index], name)))
        rows[index] = dataclasses.replace(rows[index], **{name: value})
        broken = walked(rows)
        assert broken is not None
        assert broken.position == index + 1

    def test_a_row_that_was_sealed_anew_is_found_at_the_next_one(self) -> None:
        rows = sealed("event", "crop", "audit")
        forged = dataclasses.replace(rows[0], digest=bytes(32))
        values = {name: getattr(forged, name) for name in ("position", "kind", "row_id", "digest", "previous")}
        rows[0] = dataclasses.replace(forged, hash=chain.row_hash(**values))
        assert walked(rows) == Broken(Fault.PREVIOUS_DIFFERS, 2, "crop", 2)


class TestContent:
    ROW = sealed("event", "crop")[1]
    WHOLE = b"crop 2"

    @pytest.mark.parametrize(
        ("content", "fault"),
        [
            (Content(None, None), Fault.CONTENT_GONE),
            (Content(None, None, vouched_at=1), Fault.CONTENT_GONE),
            (Content(None, None, vouched_at=2), Fault.CONTENT_GONE),
            (Content(None, None, vouched_at=3), None),
            (Content(SALT, None), Fault.CONTENT_GONE),
            (Content(SALT, None, vouched_at=3), Fault.CONTENT_GONE),
            (Content(None, WHOLE), Fault.SALT_GONE),
            (Content(None, WHOLE, vouched_at=3), Fault.SALT_GONE),
            (Content(SALT, b"crop 3"), Fault.CONTENT_CHANGED),
            (Content(bytes(32), WHOLE), Fault.CONTENT_CHANGED),
            (Content(SALT + b"c", b"rop 2"), Fault.CONTENT_CHANGED),
            (Content(SALT, WHOLE, is_emptied=True), Fault.LINK_EMPTIED),
            (Content(SALT, WHOLE), None),
        ],
    )
    def test_it_is_as_sealed_or_vouched_for_by_a_later_row(self, content: Content, fault: Fault | None) -> None:
        assert chain.content_fault(self.ROW, content) == (Broken(fault, 2, "crop", 2) if fault else None)
