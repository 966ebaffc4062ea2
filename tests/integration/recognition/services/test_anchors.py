"""Heads outside of the database: kept, sent, and held against a chain that was computed anew or cut."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection

from recognition.models import AuditAction, EventCrop, SealedRow
from recognition.sealing import chain
from recognition.sealing.anchors import Anchor
from recognition.sealing.chain import Fault
from recognition.services import anchors, audit, sealed_log, webhooks
from recognition.services.anchors import AnchorRefused
from tests import fakes
from tests.integration.recognition.services.test_sealed_log import settle, tampering

pytestmark = pytest.mark.django_db

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
TRUSTED = (hashlib.sha256(KEY.public_key().public_bytes_raw()).hexdigest(),)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "far" / "anchors.jsonl"


def entries(count: int) -> None:
    for number in range(count):
        audit.record(action=AuditAction.PERSON_CHANGED, actor=None, subject=None, details={"number": number})
    settle()


def keep(file: Path) -> bool:
    settle()
    head = anchors.head(now=fakes.NOW)
    assert head is not None
    return anchors.keep(path=file, anchor=head, key=KEY)


def fault(file: Path) -> tuple[Fault, int | None] | None:
    with connection.cursor() as cursor:
        found = sealed_log.look_through(cursor=cursor, anchors=anchors.read(path=file, trusted=TRUSTED))
    return (found.first_broken.fault, found.first_broken.position) if found.first_broken else None


def computed_anew() -> None:
    """What somebody does who can write to every table and knows how the chain is made."""
    with tampering() as cursor:
        head = chain.GENESIS
        for row in SealedRow.objects.order_by("position"):
            cursor.execute(
                "SELECT salt, (recognition_sealed_content(kind, row_id)).content FROM recognition_sealedcontent"
                " WHERE kind = %s AND row_id = %s",
                [row.kind, row.row_id],
            )
            salt, content = cursor.fetchone()
            digest = chain.content_digest(bytes(salt), content.encode())
            own = chain.row_hash(position=row.position, kind=row.kind, row_id=row.row_id, digest=digest, previous=head)
            cursor.execute(
                "UPDATE recognition_sealedrow SET digest = %s, previous = %s, hash = %s WHERE position = %s",
                [digest, head, own, row.position],
            )
            head = own


class TestKeep:
    def test_an_empty_log_has_no_head(self) -> None:
        assert anchors.head(now=fakes.NOW) is None

    def test_a_head_is_kept_once_in_a_private_file(self, file: Path) -> None:
        entries(2)
        assert keep(file)
        assert not keep(file)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        entries(1)
        assert keep(file)
        assert [anchor.position for anchor in anchors.read(path=file, trusted=TRUSTED)] == [2, 3]

    @pytest.mark.parametrize("heads", [0, 1])
    def test_a_line_that_was_torn_makes_room_for_the_next_one(self, heads: int, file: Path) -> None:
        file.parent.mkdir()
        for _ in range(heads):
            entries(1)
            assert keep(file)
        with file.open("ab") as torn:
            torn.write(b'{"at": "20')
        entries(1)
        assert keep(file)
        positions = [anchor.position for anchor in anchors.read(path=file, trusted=TRUSTED)]
        assert positions == list(range(1, heads + 2))

    def test_a_place_that_cannot_be_written_is_told(self, tmp_path: Path) -> None:
        entries(1)
        (tmp_path / "full").write_bytes(b"")
        with pytest.raises(AnchorRefused, match=r"cannot be anchored in .*full"):
            keep(tmp_path / "full" / "anchors.jsonl")


class TestSend:
    @pytest.mark.parametrize("status", [200, 204])
    def test_what_is_sent_can_be_kept_there_and_read(self, status: int, file: Path) -> None:
        entries(1)
        sent: list[bytes] = []

        def post(*, url: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> int:
            sent.append(body)
            return status

        head = anchors.head(now=fakes.NOW)
        assert head is not None
        anchors.send(url="https://far.example", anchor=head, key=KEY, post=post)
        file.parent.mkdir()
        file.write_bytes(sent[0])
        assert anchors.read(path=file, trusted=TRUSTED) == [head]

    def test_what_is_not_taken_is_told(self) -> None:
        entries(1)

        def refuse(**_: object) -> int:
            return 500

        def fail(**_: object) -> int:
            raise webhooks.CallFailed("no answer")

        head = anchors.head(now=fakes.NOW)
        assert head is not None
        with pytest.raises(AnchorRefused, match="HTTP 500"):
            anchors.send(url="https://far.example", anchor=head, key=KEY, post=refuse)
        with pytest.raises(AnchorRefused, match="no answer"):
            anchors.send(url="https://far.example", anchor=head, key=KEY, post=fail)


class TestRead:
    def test_a_file_without_an_anchor_proves_nothing(self, file: Path) -> None:
        with pytest.raises(AnchorRefused, match="cannot be read"):
            anchors.read(path=file, trusted=TRUSTED)
        file.parent.mkdir()
        file.write_bytes(b"\n")
        with pytest.raises(AnchorRefused, match="holds no anchor"):
            anchors.read(path=file, trusted=TRUSTED)

    def test_a_line_that_is_none_is_named(self, file: Path) -> None:
        entries(1)
        keep(file)
        file.write_bytes(file.read_bytes() + b"x" * 9000)
        with pytest.raises(AnchorRefused, match=r"Line 2 of .* proves nothing"):
            anchors.read(path=file, trusted=TRUSTED)

    def test_one_of_a_key_that_nobody_trusts_is_refused(self, file: Path) -> None:
        entries(1)
        keep(file)
        with pytest.raises(AnchorRefused, match=TRUSTED[0]):
            anchors.read(path=file, trusted=())


class TestReadKept:
    def test_no_file_keeps_none(self, file: Path) -> None:
        assert anchors.read_kept(path=file, trusted=TRUSTED).next(1, within=100) is None

    def test_the_nearest_that_holds_is_found_whatever_else_is_in_the_file(self, file: Path) -> None:
        kept = {row: Anchor(row, bytes([row]) * 32, fakes.NOW) for row in (2, 5, 9)}
        stranger = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
        lines = [
            kept[9].signed_by(KEY),
            kept[2].signed_by(KEY),
            kept[5].signed_by(KEY),
            Anchor(3, bytes(32), fakes.NOW).signed_by(stranger),
            kept[2].signed_by(KEY).replace('"position": 2', '"position": 4'),
            '{"position": 1}',
            '{"position": "x"}',
            '{"position": 1e999}',
            "[" * 3000,
            "7",
            "torn",
        ]
        file.parent.mkdir()
        file.write_text("\n".join(lines))
        found = anchors.read_kept(path=file, trusted=TRUSTED)
        # By hand: 1 and 4 are no anchors, 3 is of a stranger, so that 3 is followed by 5.
        for row, expected in {1: 2, 2: 2, 3: 5, 5: 5, 6: 9, 9: 9}.items():
            assert found.next(row, within=3) == kept[expected]
        assert found.next(6, within=2) is None
        assert found.next(10, within=100) is None

    def test_only_what_is_asked_for_is_checked(self, file: Path) -> None:
        head = Anchor(200, bytes(32), fakes.NOW)
        # Bytes that are no line at all: whoever read them would fail.
        unread: list[tuple[int, Any]] = [(row, None) for row in (*range(1, 200), 201)]
        lines = sorted([*unread, (200, head.signed_by(KEY).encode())], key=lambda line: line[0])
        assert anchors.KeptAnchors(lines, TRUSTED).next(200, within=100) == head


class TestAgainstAnAnchor:
    def test_a_log_that_went_on_agrees(self, file: Path) -> None:
        entries(2)
        keep(file)
        entries(2)
        assert fault(file) is None

    def test_one_that_was_computed_anew_is_found(self, file: Path) -> None:
        entries(2)
        event = fakes.event()
        EventCrop.objects.create(event=event, jpeg=b"a crop")
        entries(1)
        keep(file)
        with tampering() as cursor:
            cursor.execute("UPDATE recognition_recognitionevent SET decision = 'reject_no_match'")
        computed_anew()
        with connection.cursor() as cursor:
            assert sealed_log.look_through(cursor=cursor).is_whole
        last = SealedRow.objects.latest("position").position
        assert fault(file) == (Fault.NOT_AS_ANCHORED, last)

    def test_one_whose_end_was_cut_off_is_found(self, file: Path) -> None:
        entries(5)
        keep(file)
        with tampering() as cursor:
            cursor.execute(
                "DELETE FROM recognition_auditentry WHERE id > (SELECT max(id) - 2 FROM recognition_auditentry)"
            )
            cursor.execute("DELETE FROM recognition_sealedrow WHERE position > 3")
        with connection.cursor() as cursor:
            assert sealed_log.look_through(cursor=cursor).is_whole
        assert fault(file) == (Fault.SHORTER_THAN_ANCHORED, 4)
        entries(2)  # what came since does not hide it
        assert fault(file) == (Fault.NOT_AS_ANCHORED, 5)
