"""Bundles: read without a database, and refused with whatever is changed in them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from recognition.sealing import bundle, chain
from recognition.sealing.anchors import Anchor
from recognition.sealing.bundle import BundleRefused, Sealed, Stretch

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\x01")
NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
SALT = bytes(range(32))
CROP = b"\xff\xd8 a picture"
CONTENTS = [
    ("event", 5, '{"id" : 5, "decision" : "accept", "pack" : "dd", "policy" : 3, "policy_version" : 1}'),
    ("crop", 5, json.dumps({"event": 5, "sha256": hashlib.sha256(CROP).hexdigest()})),
    ("claim", 5, '{"event" : 5, "claimed_id" : "ada-1"}'),
]


def fingerprint(key: Ed25519PrivateKey) -> str:
    return hashlib.sha256(key.public_key().public_bytes_raw()).hexdigest()


def parts() -> dict[str, Any]:
    """Of a bundle about one event whose claimed id was erased since; its chain begins at row 9."""
    sealed = [
        Sealed(kind, number, position, chain.content_digest(SALT, content.encode()), SALT, content)
        for position, (kind, number, content) in enumerate(CONTENTS, 9)
    ]
    sealed[2] = dataclasses.replace(sealed[2], salt=None, content=None)
    head = before = bytes(range(32, 64))
    for each in sealed:
        head = chain.row_hash(
            position=each.position, kind=each.kind, row_id=each.row_id, digest=each.digest, previous=head
        )
    rows = tuple((each.kind, each.row_id, each.digest) for each in sealed)
    return {
        "events": [5],
        "sealed": sealed,
        "stretches": [Stretch(before, 9, rows, Anchor(11, head, NOW).signed_by(KEY))],
        "crops": {5: CROP},
        "policies": [{"id": 3, "version": 1, "values": {}}],
        "packs": [{"digest": "dd"}],
        "made_at": NOW,
        "key": KEY,
    }


def made(**changes: Any) -> bytes:
    return bundle.write(**{**parts(), **changes})


@functools.cache
def whole() -> bytes:
    return made()


def refusal(content: bytes, *trusted: str) -> str:
    with pytest.raises(BundleRefused) as refused:
        bundle.verify(content, trusted=trusted or [fingerprint(KEY)])
    return str(refused.value)


def test_what_was_made_is_proved() -> None:
    found = bundle.verify(whole(), trusted=[fingerprint(KEY)])
    assert found.events == (5,)
    assert found.contents["event", 5]["decision"] == "accept"
    assert found.removed == (("claim", 5),)
    assert found.anchored_at == (NOW,)


@given(st.data())
def test_any_byte_that_is_another_one_is_refused(data: st.DataObject) -> None:
    content = whole()
    index = data.draw(st.integers(0, len(content) - 1))
    flip = data.draw(st.integers(1, 255))
    refusal(content[:index] + bytes([content[index] ^ flip]) + content[index + 1 :])


@given(st.binary(min_size=1, max_size=20))
def test_any_byte_less_or_more_is_refused(more: bytes) -> None:
    refusal(whole() + more)
    refusal(whole()[: -len(more)])
    refusal(more + whole())


@pytest.mark.parametrize("content", [b"", b"\n", b"{}\n{}\n", b"\xff\n\xff", b"[" * 100_000])
def test_what_is_no_bundle_is_refused(content: bytes) -> None:
    assert refusal(content) == "it is no dispute bundle of faceweb"


def test_the_key_of_the_bundle_is_not_trusted_for_being_in_it() -> None:
    assert fingerprint(STRANGER) in refusal(made(key=STRANGER))
    assert "not the one that you trust" in refusal(whole(), fingerprint(STRANGER))


def test_who_may_sign_can_still_not_put_it_together_from_what_does_not_fit() -> None:
    own = parts()
    (stretch,), sealed = own["stretches"], own["sealed"]

    def with_first(**changes: Any) -> list[Sealed]:
        return [dataclasses.replace(sealed[0], **changes), *sealed[1:]]

    last_hash = Anchor(11, bytes(32), NOW)
    strange = dataclasses.replace(stretch, anchor=json.dumps(json.loads(stretch.anchor)))
    assert "event 5 is not what was sealed" in refusal(made(sealed=with_first(content="{}")))
    assert "event 5 is not what was sealed" in refusal(made(sealed=with_first(salt=None)))
    assert "is not in its chain" in refusal(made(sealed=with_first(position=10)))
    assert "is not in its chain" in refusal(made(sealed=with_first(digest=bytes(32))))
    assert "is not in its chain" in refusal(made(stretches=[]))
    no_head = dataclasses.replace(stretch, anchor=last_hash.signed_by(KEY))
    assert "do not lead to the head" in refusal(made(stretches=[no_head]))
    other_rows = dataclasses.replace(stretch, rows=stretch.rows[:2])
    assert "do not lead to the head" in refusal(made(stretches=[other_rows]))
    assert bundle.verify(made(stretches=[strange]), trusted=[fingerprint(KEY)]).events == (5,)
    foreign = Anchor(11, bytes.fromhex(json.loads(stretch.anchor)["hash"]), NOW).signed_by(STRANGER)
    assert "that you do not trust" in refusal(made(stretches=[dataclasses.replace(stretch, anchor=foreign)]))
    assert "picture of event 5 is not the one" in refusal(made(crops={5: b"another"}))
    assert "picture of event 6 is not the one" in refusal(made(crops={6: CROP}))
    assert "about no event" in refusal(made(events=[]))
    assert "about event 6 and holds no proof" in refusal(made(events=[5, 6]))
    assert "about event 5 and holds no proof" in refusal(made(sealed=[], stretches=[], crops={}))
    assert "lacks the policy" in refusal(made(policies=[]))
    assert "lacks the policy" in refusal(made(packs=[{"digest": "ee"}]))
