"""Dispute bundles: what is stored of some events, in one file that proves itself without the installation.

A bundle is two lines of JSON: what it says, and the signature (Ed25519) over that very line. Every byte counts. It
holds the sealed contents with their salts, and for each the stretch of the chain from its row to a head that was
signed when it was anchored. So it shows that the contents are those of that head, and who signed both; whose key that
is, the reader has to know from elsewhere.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from recognition.sealing import anchors, chain
from recognition.sealing.anchors import Anchor

FORMAT = "faceweb dispute bundle 1"

_DOMAIN = b"faceweb dispute bundle 1\x00"


class BundleRefused(ValueError):
    """A bundle proves nothing; the text says why."""


@dataclasses.dataclass(frozen=True, slots=True)
class Sealed:
    """A content with what proves it.

    Args:
        kind: of it.
        row_id: its number.
        position: of its row in the chain.
        digest: that the row holds.
        salt: None where the content was removed.
        content: as it was sealed; None where it was removed.
    """

    kind: str
    row_id: int
    position: int
    digest: bytes
    salt: bytes | None
    content: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class Stretch:
    """Rows of the chain up to an anchored head.

    Args:
        previous: hash of the row before the first.
        position: of the first.
        rows: kind, number and digest of each.
        anchor: the signed head, as one line; of the last row.
    """

    previous: bytes
    position: int
    rows: tuple[tuple[str, int, bytes], ...]
    anchor: str


@dataclasses.dataclass(frozen=True, slots=True)
class Verified:
    """What a bundle proves.

    Args:
        made_at: when it was made, as it says.
        events: which it is about.
        contents: that are proved, by kind and number.
        removed: that were removed since, by kind and number.
        anchored_at: when the heads were signed that prove them, the latest last.
    """

    made_at: str
    events: tuple[int, ...]
    contents: Mapping[tuple[str, int], Mapping[str, Any]]
    removed: tuple[tuple[str, int], ...]
    anchored_at: tuple[dt.datetime, ...]


def write(
    *,
    events: Sequence[int],
    sealed: Sequence[Sealed],
    stretches: Sequence[Stretch],
    crops: Mapping[int, bytes],
    policies: Sequence[Mapping[str, Any]],
    packs: Sequence[Mapping[str, Any]],
    made_at: dt.datetime,
    key: Ed25519PrivateKey,
) -> bytes:
    """The bytes of a bundle.

    Args:
        events: which it is about.
        sealed: their contents.
        stretches: in which the row of each is.
        crops: pictures by the number of their event, JPEG.
        policies: versions that decided.
        packs: that embedded.
        made_at: with a time zone.
        key: what signs it.
    """
    body = json.dumps(
        {
            "format": FORMAT,
            "made_at": made_at.isoformat(),
            "events": list(events),
            "sealed": [
                {
                    "kind": each.kind,
                    "row": each.row_id,
                    "position": each.position,
                    "digest": each.digest.hex(),
                    "salt": each.salt.hex() if each.salt is not None else None,
                    "content": each.content,
                }
                for each in sealed
            ],
            "chain": [
                {
                    "previous": each.previous.hex(),
                    "position": each.position,
                    "rows": [[kind, row_id, digest.hex()] for kind, row_id, digest in each.rows],
                    "anchor": each.anchor,
                }
                for each in stretches
            ],
            "crops": {str(number): base64.b64encode(jpeg).decode() for number, jpeg in crops.items()},
            "policies": list(policies),
            "packs": list(packs),
        }
    ).encode()
    return body + b"\n" + _signature_line(key.public_key(), key.sign(_DOMAIN + body)) + b"\n"


def verify(content: bytes, *, trusted: Collection[str]) -> Verified:
    """Proves a bundle.

    Args:
        content: its bytes.
        trusted: fingerprints of the keys that may have signed it and its anchors; never taken from the bundle.

    Raises:
        BundleRefused: when anything of it is not as it was signed, or does not fit together.
    """
    body = _signed(content, trusted)
    try:
        said: dict[str, Any] = json.loads(body)
        if said["format"] != FORMAT:
            raise BundleRefused("it is of another version of faceweb, which is needed to verify it")
        places: dict[int, tuple[str, int, bytes]] = {}
        heads = [_proved(each, places, trusted) for each in said["chain"]]
        sealed = [_sealed(each, places) for each in said["sealed"]]
        contents = {(each.kind, each.row_id): json.loads(each.content) for each in sealed if each.content is not None}
        events = tuple(int(number) for number in said["events"])
        _require_events(events, sealed)
        _require_crops(said["crops"], contents)
        _require_origins(said, contents)
        return Verified(
            made_at=str(said["made_at"]),
            events=events,
            contents=contents,
            removed=tuple((each.kind, each.row_id) for each in sealed if each.content is None),
            anchored_at=tuple(sorted(head.at for head in heads)),
        )
    except BundleRefused:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise BundleRefused("it is no dispute bundle of faceweb") from error


def _signed(content: bytes, trusted: Collection[str]) -> bytes:
    body, _, rest = content.partition(b"\n")
    try:
        said = json.loads(rest)
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(said["public_key"]))
        signature = bytes.fromhex(said["signature"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BundleRefused("it is no dispute bundle of faceweb") from error
    # There is one way to write a signature, so that no byte of the file may be another one.
    if rest != _signature_line(public, signature) + b"\n":
        raise BundleRefused("its signature was changed")
    found = hashlib.sha256(public.public_bytes_raw()).hexdigest()
    if found not in trusted:
        raise BundleRefused(f"it was signed by the key {found}, which is not the one that you trust")
    try:
        public.verify(signature, _DOMAIN + body)
    except InvalidSignature as error:
        raise BundleRefused("it was changed after it was signed") from error
    return body


def _signature_line(public: Ed25519PublicKey, signature: bytes) -> bytes:
    return json.dumps({"public_key": public.public_bytes_raw().hex(), "signature": signature.hex()}).encode()


def _proved(said: Mapping[str, Any], places: dict[int, tuple[str, int, bytes]], trusted: Collection[str]) -> Anchor:
    """Follows a stretch to its anchor, and notes where each of its rows is."""
    first, previous = int(said["position"]), bytes.fromhex(said["previous"])
    found: dict[int, tuple[str, int, bytes]] = {}
    for position, (kind, row_id, digest) in enumerate(said["rows"], first):
        found[position] = (str(kind), int(row_id), bytes.fromhex(digest))
        previous = chain.row_hash(
            position=position,
            kind=found[position][0],
            row_id=found[position][1],
            digest=found[position][2],
            previous=previous,
        )
    signed = anchors.read(said["anchor"])
    last = first + len(found) - 1
    if signed.fingerprint not in trusted:
        raise BundleRefused("a head of its chain was signed by a key that you do not trust")
    if (signed.anchor.position, signed.anchor.hash) != (last, previous):
        raise BundleRefused("its rows do not lead to the head that was signed")
    places.update(found)
    return signed.anchor


def _sealed(said: Mapping[str, Any], places: Mapping[int, tuple[str, int, bytes]]) -> Sealed:
    salt, content = said["salt"], said["content"]
    each = Sealed(
        kind=str(said["kind"]),
        row_id=int(said["row"]),
        position=int(said["position"]),
        digest=bytes.fromhex(said["digest"]),
        salt=bytes.fromhex(salt) if salt is not None else None,
        content=str(content) if content is not None else None,
    )
    if places.get(each.position) != (each.kind, each.row_id, each.digest):
        raise BundleRefused(f"{each.kind} {each.row_id} is not in its chain")
    if each.content is None:
        return each
    if each.salt is None or chain.content_digest(each.salt, each.content.encode()) != each.digest:
        raise BundleRefused(f"{each.kind} {each.row_id} is not what was sealed")
    return each


def _require_events(numbers: Sequence[int], sealed: Sequence[Sealed]) -> None:
    """Of each event that it is about there is a place in the chain; so there is a head that was signed as well."""
    if not numbers:
        raise BundleRefused("it is about no event")
    in_chain = {each.row_id for each in sealed if each.kind == "event"}
    for number in numbers:
        if number not in in_chain:
            raise BundleRefused(f"it is about event {number} and holds no proof of it")


def _require_crops(said: Mapping[str, str], contents: Mapping[tuple[str, int], Mapping[str, Any]]) -> None:
    for number, encoded in said.items():
        try:
            jpeg = base64.b64decode(encoded, validate=True)
        except binascii.Error as error:
            raise BundleRefused(f"the picture of event {number} cannot be read") from error
        sealed = contents.get(("crop", int(number)))
        if sealed is None or sealed["sha256"] != hashlib.sha256(jpeg).hexdigest():
            raise BundleRefused(f"the picture of event {number} is not the one that was sealed")


def _require_origins(said: Mapping[str, Any], contents: Mapping[tuple[str, int], Mapping[str, Any]]) -> None:
    """Policies and packs are those that the sealed events name."""
    packs = {pack["digest"] for pack in said["packs"]}
    policies = {(policy["id"], policy["version"]) for policy in said["policies"]}
    for (kind, number), content in contents.items():
        if kind != "event":
            continue
        if content["pack"] not in packs or (content["policy"], content["policy_version"]) not in policies:
            raise BundleRefused(f"it lacks the policy or the model pack of event {number}")
