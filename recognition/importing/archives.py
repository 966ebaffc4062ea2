"""ZIP archives of strangers: everything that could hurt is refused before a byte is unpacked."""

from __future__ import annotations

import re
import stat
import struct
import zipfile
from collections.abc import Iterator
from typing import BinaryIO

from recognition.importing.entries import MOST_FILES, ImportRefused, Refusal
from recognition.vision.errors import TooManyBytes

MOST_RATIO = 100
"""Unpacked over packed size. Photos are packed already; deflate reaches 1,032 on zeros."""

RATIO_MATTERS_FROM_BYTES = 2**20
"""A smaller file may be packed as tightly as it likes."""

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_ENTRY_BYTES = 46
_ENTRY_SIGNATURE = b"PK\x01\x02"
_BYTES_AT_A_TIME = 2**20
_LONGEST_ENTRY_BYTES = 4096
_SIZE_OF_END = _END.size + 2**16
_DRIVE = re.compile(r"^[A-Za-z]:")


class Archive:
    """An archive whose list of files was checked; see `opened`."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._zip = file
        self._entries = {info.filename: info for info in file.infolist() if not info.is_dir()}

    @property
    def paths(self) -> tuple[str, ...]:
        """Of its files, with slashes."""
        return tuple(self._entries)

    def read(self, path: str, most_bytes: int) -> bytes:
        """The content of a file.

        Raises:
            TooManyBytes: where the archive says that it has more than allowed; nothing is unpacked.
            ImportRefused: where the content is damaged, or not what the archive says of it.
        """
        info = self._entries[path]
        if info.file_size > most_bytes:
            raise TooManyBytes(info.file_size, most_bytes)
        try:
            with self._zip.open(info) as file:
                return file.read()
        except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError) as error:
            raise ImportRefused(Refusal.DAMAGED_FILE, path=path[:200]) from error
        # zlib's own error is no OSError, and its module need not be imported to be met.
        except Exception as error:
            if type(error).__module__ != "zlib":
                raise
            raise ImportRefused(Refusal.DAMAGED_FILE, path=path[:200]) from error


def opened(file: BinaryIO, *, most_bytes: int) -> Archive:
    """Opens an archive of somebody else's.

    Args:
        file: open for reading and seekable; stays the caller's.
        most_bytes: that all files together may have, unpacked.

    Raises:
        ImportRefused: for anything that is no archive, too large, or dangerous.
    """
    _check_count(file)
    _check_signatures(file)
    try:
        archive = zipfile.ZipFile(file)
    # Whatever a crafted list makes of it, it is no archive that can be read.
    except (zipfile.BadZipFile, OSError, ValueError, struct.error, NotImplementedError, OverflowError) as error:
        raise ImportRefused(Refusal.NOT_AN_ARCHIVE) from error
    _check(archive.infolist(), file.seek(0, 2), most_bytes)
    return Archive(archive)


def require_size(total_bytes: int, *, most_bytes: int) -> None:
    """Refuses files that have more bytes together than an import may have.

    Raises:
        ImportRefused: when they have.
    """
    if total_bytes > most_bytes:
        raise ImportRefused(Refusal.TOO_LARGE_UNPACKED, most_mb=most_bytes // 2**20)


def _check_count(file: BinaryIO) -> None:
    """Refuses a list of a million files before it is read: it alone would take a gigabyte of memory."""
    size = file.seek(0, 2)
    tail_at = max(size - _SIZE_OF_END - _LOCATOR64.size, 0)
    file.seek(tail_at)
    tail = file.read()
    file.seek(0)
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) - end < _END.size:
        raise ImportRefused(Refusal.NOT_AN_ARCHIVE)
    _, _, _, _, count, list_bytes, _, _ = _END.unpack_from(tail, end)
    locator = end - _LOCATOR64.size
    if locator >= 0 and tail[locator : locator + 4] == b"PK\x06\x07":
        # Some readers look where the locator points, others right before it; a crafted archive has one in each place.
        for at in (_LOCATOR64.unpack_from(tail, locator)[2], max(tail_at + locator - _END64.size, 0)):
            count, list_bytes = _counts_of_64(file, at, count, list_bytes)
    if max(count, list_bytes // _LONGEST_ENTRY_BYTES) > MOST_FILES or list_bytes > MOST_FILES * 8 * _ENTRY_BYTES:
        raise ImportRefused(Refusal.TOO_MANY_FILES, most=MOST_FILES)


def _check_signatures(file: BinaryIO) -> None:
    """Counts the entries themselves: a crafted archive says less than it holds, and its list is read all the same."""
    count, kept = 0, b""
    file.seek(0)
    while block := file.read(_BYTES_AT_A_TIME):
        # A signature may lie across two blocks; what is kept is too short to be counted twice.
        block = kept + block
        count += block.count(_ENTRY_SIGNATURE)
        kept = block[-len(_ENTRY_SIGNATURE) + 1 :]
        if count > MOST_FILES:
            raise ImportRefused(Refusal.TOO_MANY_FILES, most=MOST_FILES)
    file.seek(0)


def _counts_of_64(file: BinaryIO, at: int, count: int, list_bytes: int) -> tuple[int, int]:
    try:
        file.seek(at)
        record = file.read(_END64.size)
    except (OSError, OverflowError, ValueError) as error:
        raise ImportRefused(Refusal.NOT_AN_ARCHIVE) from error
    finally:
        file.seek(0)
    if len(record) < _END64.size or record[:4] != b"PK\x06\x06":
        return count, list_bytes
    values = _END64.unpack(record)
    return max(count, values[7]), max(list_bytes, values[8])


def _check(infos: list[zipfile.ZipInfo], archive_bytes: int, most_bytes: int) -> None:
    if len(infos) > MOST_FILES:
        raise ImportRefused(Refusal.TOO_MANY_FILES, most=MOST_FILES)
    require_size(sum(info.file_size for info in infos), most_bytes=most_bytes)
    packed_bytes = 0
    for info in infos:
        packed_bytes += info.compress_size
        # More than the archive has: files share their bytes, and each of them unpacks the same again.
        if packed_bytes > archive_bytes:
            raise ImportRefused(Refusal.PACKED_TOO_TIGHTLY, path=info.filename[:200])
    seen: set[str] = set()
    for info, refusal in _refused(infos, seen):
        raise ImportRefused(refusal, path=info.filename[:200])


def _refused(infos: list[zipfile.ZipInfo], seen: set[str]) -> Iterator[tuple[zipfile.ZipInfo, Refusal]]:
    for info in infos:
        if _is_unsafe(info.orig_filename) or _is_unsafe(info.filename):
            yield info, Refusal.UNSAFE_PATH
        mode = info.external_attr >> 16
        if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
            yield info, Refusal.LINK_INSIDE
        if info.flag_bits & 0x1:
            yield info, Refusal.ENCRYPTED
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            yield info, Refusal.UNKNOWN_COMPRESSION
        tight = info.file_size > MOST_RATIO * max(info.compress_size, 1)
        if tight and info.file_size > RATIO_MATTERS_FROM_BYTES:
            yield info, Refusal.PACKED_TOO_TIGHTLY
        if info.filename in seen:
            yield info, Refusal.TWICE_THE_SAME_PATH
        seen.add(info.filename)


def _is_unsafe(path: str) -> bool:
    """Whether a path leads, on any system, to where it should not; nothing is written by it, but it is shown."""
    parts = path.replace("\\", "/").split("/")
    return (
        path.startswith(("/", "\\"))
        or ".." in parts
        or bool(_DRIVE.match(path))
        or any(ord(character) < 32 for character in path)
    )
