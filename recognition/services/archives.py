"""Signed archives: what a backup and an export of the gallery are written to and read from.

An archive is a zip file. Its members are listed with size and digest in `manifest.json`, which is signed (Ed25519) in
`signature.json`; so whoever changes a byte of what is read breaks it. The signature says that the holder of a key
made the archive. Whose key that is says its fingerprint, which the reader has to know from elsewhere.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import secrets
import struct
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.utils.translation import gettext

FORMAT = 1
"""Counts up when an older reader would misunderstand an archive."""

BLOCK_BYTES = 2**20
MANIFEST, SIGNATURE = "manifest.json", "signature.json"
MOST_MEMBERS = 10_000
MOST_MANIFEST_BYTES = 64 * 2**20
MOST_SIGNATURE_BYTES = 4096
"""What is read before anything is known to be trustworthy is bounded."""

# Of the packing only: what is secret costs more time than space.
_COMPRESSION = {"compression": zipfile.ZIP_DEFLATED, "compresslevel": 1}

_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,  # a kind of packing that Python does not know
    RuntimeError,  # a member that says it is encrypted
    KeyError,
    OverflowError,
    ValueError,
)
"""What Python's zip and JSON readers raise for a file that is no archive of ours, or not any more."""

Report = Callable[[int], None]
"""Is told how many bytes of contents have been handled since it was told last."""


class ArchiveRefused(Exception):
    """The archive cannot be written, read or trusted; the text is for the person who named it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive.

    Args:
        size: in bytes, unpacked.
        sha256: of the unpacked bytes, in hexadecimal digits.
    """

    size: int
    sha256: str


def fingerprint(key: Ed25519PublicKey) -> str:
    """By which people know a key: the SHA-256 of it, 64 hexadecimal digits."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()


class Writer:
    """An archive that is being written; see `writing`."""

    def __init__(self, *, path: Path, unfinished: Path, kind: str, key: Ed25519PrivateKey) -> None:
        """Opens it, for its owner alone."""
        self._path, self._unfinished, self._kind, self._key = path, unfinished, kind, key
        self._members: dict[str, Member] = {}
        descriptor = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(descriptor, "w+b")
        self._zip = zipfile.ZipFile(self._file, "w", **_COMPRESSION)  # type: ignore[call-overload]

    @contextlib.contextmanager
    def member(self, name: str, *, report: Report = lambda size: None) -> Iterator[Callable[[bytes], None]]:
        """Gives what takes the member's bytes, piece by piece; nothing is held in memory."""
        digest, size = hashlib.sha256(), 0
        with self._zip.open(name, "w", force_zip64=True) as file:

            def write(piece: bytes) -> None:
                nonlocal size
                file.write(piece)
                digest.update(piece)
                size += len(piece)
                report(len(piece))

            yield write
        self._members[name] = Member(size, digest.hexdigest())

    def add(self, name: str, content: bytes) -> None:
        """Adds a small member."""
        with self.member(name) as write:
            write(content)

    def finish(self, contents: Mapping[str, Any]) -> None:
        """Signs the archive, and gives it its name once every byte is on the disk.

        Args:
            contents: what the manifest says beside the members.
        """
        listed = {name: dataclasses.asdict(member) for name, member in self._members.items()}
        manifest = {"format": FORMAT, "kind": self._kind, **contents, "members": listed}
        signed = json.dumps(manifest, indent=1).encode()
        public = self._key.public_key().public_bytes_raw()
        signature = {"public_key": public.hex(), "signature": self._key.sign(signed).hex()}
        self._zip.writestr(MANIFEST, signed)
        self._zip.writestr(SIGNATURE, json.dumps(signature))
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._unfinished.rename(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def close(self) -> None:
        """Lets go of the file; what was not finished is removed."""
        with contextlib.suppress(OSError):
            self._zip.close()  # of a disk that is full: the file goes anyway
        self._file.close()
        self._unfinished.unlink(missing_ok=True)


@contextlib.contextmanager
def writing(*, path: Path, kind: str, key: Ed25519PrivateKey) -> Iterator[Writer]:
    """An archive that has its name when it is finished and not before; `Writer.finish` must be called last.

    Args:
        path: its name; nothing is ever overwritten.
        kind: what it is, such as "backup".
        key: what signs it.

    Raises:
        ArchiveRefused: when the file is there already, or cannot be written.
    """
    path = path.absolute()
    if path.exists():
        raise ArchiveRefused(gettext("%(path)s is there already. Choose another name.") % {"path": path})
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        writer = Writer(path=path, unfinished=unfinished, kind=kind, key=key)
        try:
            yield writer
        finally:
            writer.close()
    except OSError as error:
        message = gettext("%(path)s cannot be written: %(reason)s. Nothing was left there.")
        raise ArchiveRefused(message % {"path": path, "reason": error.strerror or error}) from error


class Archive:
    """An archive whose signature holds; see `opened`."""

    def __init__(
        self, *, path: Path, reader: zipfile.ZipFile, contents: Mapping[str, Any], members: Mapping[str, Member]
    ) -> None:
        """Takes what `opened` found."""
        self.path, self.contents, self.members = path, contents, members
        self._zip = reader

    def read(self, name: str, *, report: Report = lambda size: None) -> Iterator[bytes]:
        """The bytes of a member, in blocks; ends with an error when they are not those that were signed.

        Raises:
            ArchiveRefused: then, and when there is no such member.
        """
        member = self.members.get(name)
        if member is None:
            raise ArchiveRefused(gettext("%(path)s has no %(name)s.") % {"path": self.path, "name": name})
        digest, left = hashlib.sha256(), member.size
        with _whole(self.path), self._zip.open(name) as file:
            while block := _block(self.path, file):
                digest.update(block)
                left -= len(block)
                if left < 0:
                    break
                report(len(block))
                yield block
        if left or digest.hexdigest() != member.sha256:
            raise _damaged(self.path)

    def lines(self, name: str, *, report: Report = lambda size: None) -> Iterator[Any]:
        """The values of a member that holds one JSON value a line.

        Raises:
            ArchiveRefused: when it does not.
        """
        rest = b""
        for block in self.read(name, report=report):
            *whole, rest = (rest + block).split(b"\n")
            for line in whole:
                yield _json(self.path, line)
        if rest:
            yield _json(self.path, rest)

    def verify(self, *, report: Report = lambda size: None) -> None:
        """Reads every member to its end.

        Raises:
            ArchiveRefused: when a byte is not as it was signed.
        """
        for name in self.members:
            for _ in self.read(name, report=report):
                pass


@contextlib.contextmanager
def opened(*, path: Path, kind: str, trusted: Collection[str]) -> Iterator[Archive]:
    """An archive, once its signature was found to be that of a trusted key; its members are not read yet.

    Args:
        path: of the file.
        kind: what it must be.
        trusted: fingerprints of the keys that may have signed it.

    Raises:
        ArchiveRefused: when it cannot be read, is damaged, of another kind or version, or not trusted.
    """
    with _whole(path):
        reader = zipfile.ZipFile(path)
    with reader:
        with _whole(path):
            signed = _small(reader, MANIFEST, MOST_MANIFEST_BYTES)
            signature = json.loads(_small(reader, SIGNATURE, MOST_SIGNATURE_BYTES))
            public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signature["public_key"]))
            proof = bytes.fromhex(signature["signature"])
        _require_trust(path, fingerprint(public), trusted)
        try:
            public.verify(proof, signed)
        except InvalidSignature as error:
            raise _damaged(path) from error
        contents = _json(path, signed)
        _require_kind(path, contents, kind)
        with _whole(path):
            members = {name: Member(**member) for name, member in contents["members"].items()}
            names = reader.namelist()
            if sorted(names) != sorted([*members, MANIFEST, SIGNATURE]):
                raise _damaged(path)
        yield Archive(path=path, reader=reader, contents=contents, members=members)


def _require_trust(path: Path, found: str, trusted: Collection[str]) -> None:
    if found not in trusted:
        raise ArchiveRefused(
            gettext(
                "%(path)s was signed by a key that this installation does not know. When it was made, the fingerprint "
                "of its key was printed: if that is\n  %(found)s\nsay so with --fingerprint; if not, do not use it."
            )
            % {"path": path, "found": found}
        )


def _require_kind(path: Path, contents: Mapping[str, Any], kind: str) -> None:
    version = contents.get("format")
    if not isinstance(version, int) or version > FORMAT:
        raise ArchiveRefused(
            gettext("%(path)s was made by a newer version of faceweb, which is needed to read it.") % {"path": path}
        )
    if contents.get("kind") != kind:
        raise ArchiveRefused(
            gettext("%(path)s is a %(found)s, and a %(wanted)s is needed.")
            % {"path": path, "found": contents.get("kind"), "wanted": kind}
        )


def _small(reader: zipfile.ZipFile, name: str, limit: int) -> bytes:
    if len(reader.infolist()) > MOST_MEMBERS:
        raise ValueError("too many members")
    with reader.open(name) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise ValueError(f"{name} is too large")
    return content


def _block(path: Path, file: IO[bytes]) -> bytes:
    with _whole(path):
        return file.read(BLOCK_BYTES)


def _json(path: Path, text: bytes) -> Any:
    with _whole(path):
        return json.loads(text)


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[None]:
    """Tells in a sentence what readers raise for a file that is damaged, or none of ours."""
    try:
        yield
    except OSError as error:
        message = gettext("%(path)s cannot be read: %(reason)s.")
        raise ArchiveRefused(message % {"path": path, "reason": error.strerror or error}) from error
    except (*_DAMAGE, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> ArchiveRefused:
    return ArchiveRefused(
        gettext(
            "%(path)s is damaged, was changed, or is no archive of faceweb. Nothing was taken from it: use another "
            "copy."
        )
        % {"path": path}
    )
