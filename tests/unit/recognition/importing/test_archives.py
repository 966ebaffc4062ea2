from __future__ import annotations

import contextlib
import io
import stat
import struct
import time
import zipfile
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recognition.importing import archives
from recognition.importing.entries import ImportRefused, Refusal
from recognition.vision.errors import TooManyBytes

MOST_BYTES = 8 * 2**30


def packed(*entries: tuple[str | zipfile.ZipInfo, bytes], compression: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(name, content, compression)
    return file


def link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("Ada/1.jpg")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def patched(file: io.BytesIO, old: bytes, new: bytes) -> io.BytesIO:
    assert old in file.getvalue()
    return io.BytesIO(file.getvalue().replace(old, new))


def encrypted() -> io.BytesIO:
    # The flag of the first bit, in the list and before the content.
    data = bytearray(packed(("a.jpg", b"x")).getvalue())
    data[data.index(b"PK\x03\x04") + 6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return io.BytesIO(bytes(data))


def twice() -> io.BytesIO:
    return patched(packed(("a.jpg", b"x"), ("b.jpg", b"y")), b"b.jpg", b"a.jpg")


HOSTILE: dict[str, tuple[Callable[[], io.BytesIO], Refusal]] = {
    "empty": (io.BytesIO, Refusal.NOT_AN_ARCHIVE),
    "no archive": (lambda: io.BytesIO(b"x" * 1000), Refusal.NOT_AN_ARCHIVE),
    "cut off": (lambda: io.BytesIO(packed(("a.jpg", b"x" * 5000)).getvalue()[:-30]), Refusal.NOT_AN_ARCHIVE),
    "above": (lambda: packed(("../../etc/cron.d/x.jpg", b"x")), Refusal.UNSAFE_PATH),
    "above inside": (lambda: packed(("a/../../x.jpg", b"x")), Refusal.UNSAFE_PATH),
    "absolute": (lambda: packed(("/etc/passwd.jpg", b"x")), Refusal.UNSAFE_PATH),
    "drive": (lambda: packed(("C:/x.jpg", b"x")), Refusal.UNSAFE_PATH),
    "backslashes": (lambda: packed(("..\\..\\x.jpg", b"x")), Refusal.UNSAFE_PATH),
    "control characters": (lambda: packed(("a\nb.jpg", b"x")), Refusal.UNSAFE_PATH),
    "link": (lambda: packed((link(), b"/etc/passwd")), Refusal.LINK_INSIDE),
    "bomb": (lambda: packed(("a.jpg", b"\0" * 2**22)), Refusal.PACKED_TOO_TIGHTLY),
    "encrypted": (encrypted, Refusal.ENCRYPTED),
    "twice": (twice, Refusal.TWICE_THE_SAME_PATH),
    "bzip2": (lambda: packed(("a.jpg", b"x"), compression=zipfile.ZIP_BZIP2), Refusal.UNKNOWN_COMPRESSION),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused_with_the_reason(name: str) -> None:
    make, refusal = HOSTILE[name]
    with pytest.raises(ImportRefused) as caught:
        archives.opened(make(), most_bytes=MOST_BYTES)
    assert caught.value.refusal is refusal


def test_a_million_files_are_refused_before_the_list_is_read() -> None:
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    entries = entry * 1_000_000
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1_000_000, 1_000_000, len(entries), 0)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(entries), 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    file = io.BytesIO(entries + end64 + locator + end)
    begin = time.process_time()
    with pytest.raises(ImportRefused) as caught:
        archives.opened(file, most_bytes=MOST_BYTES)
    assert caught.value.refusal is Refusal.TOO_MANY_FILES
    assert time.process_time() - begin < 1.0


def entries(count: int) -> bytes:
    head = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0)
    return b"".join(head + b"%06d" % number for number in range(count))


def ended(listed: bytes, list_bytes: int) -> bytes:
    """With an end that says there is one file."""
    return listed + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, list_bytes, 0, 0)


def too_many_said_as_one() -> bytes:
    listed = entries(100_001)
    return ended(listed, len(listed))


def too_many_where_the_locator_does_not_point() -> bytes:
    listed = entries(100_001)
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 100_001, 100_001, len(listed), 0)
    return ended(listed + end64 + struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1), 0)


@pytest.mark.parametrize("make", [too_many_said_as_one, too_many_where_the_locator_does_not_point])
def test_too_many_files_are_refused_before_they_are_read_whatever_the_end_says(
    make: Callable[[], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("the list was read")

    data = make()
    monkeypatch.setattr(zipfile, "ZipFile", never)
    with pytest.raises(ImportRefused) as caught:
        archives.opened(io.BytesIO(data), most_bytes=MOST_BYTES)
    assert caught.value.refusal is Refusal.TOO_MANY_FILES


@given(st.integers(1, 40))
def test_signatures_are_counted_once_wherever_blocks_end(block: int) -> None:
    data = packed(*((f"{number}.jpg", b"") for number in range(5)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archives, "_BYTES_AT_A_TIME", block)
        patch.setattr(archives, "MOST_FILES", 5)
        assert len(archives.opened(data, most_bytes=MOST_BYTES).paths) == 5
        patch.setattr(archives, "MOST_FILES", 4)
        with pytest.raises(ImportRefused):
            archives._check_signatures(data)


def overlapping(count: int) -> io.BytesIO:
    """Files that share one packed content: the list has each begin a little earlier, and quote the heads between."""
    plain, data = b"\0" * 2**16, zlib.compress(b"\0" * 2**16, wbits=-15)
    heads: list[tuple[bytes, bytes, int]] = []
    for number in range(count):
        if heads:
            quoted = heads[-1][1]
            data = b"\0" + struct.pack("<2H", len(quoted), 0xFFFF ^ len(quoted)) + quoted + data
            plain = quoted + plain
        name, sizes = b"%03d.jpg" % number, struct.pack("<3L", zlib.crc32(plain), len(data), len(plain))
        head = struct.pack("<4s5H", b"PK\x03\x04", 20, 0, 8, 0, 0) + sizes + struct.pack("<2H", len(name), 0) + name
        heads.append((name, head, len(data)))
    content = heads[-1][1] + data
    listed = b""
    for name, head, packed_bytes in heads:
        at = len(content) - packed_bytes - len(head)
        listed += struct.pack("<4s6H", b"PK\x01\x02", 20, 20, 0, 8, 0, 0) + head[14:26]
        listed += struct.pack("<5H2L", 7, 0, 0, 0, 0, 0, at) + name
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(listed), len(content), 0)
    return io.BytesIO(content + listed + end)


def test_files_that_share_their_packed_bytes_are_refused() -> None:
    # It is an archive that unpacks: only the bytes that its files share speak against it.
    with zipfile.ZipFile(overlapping(60)) as archive:
        assert sum(len(archive.read(name)) for name in archive.namelist()) > 60 * 2**16
    with pytest.raises(ImportRefused) as caught:
        archives.opened(overlapping(60), most_bytes=MOST_BYTES)
    assert caught.value.refusal is Refusal.PACKED_TOO_TIGHTLY


def test_a_list_that_says_less_than_it_holds_is_refused_too() -> None:
    file = packed(*((f"{number}.jpg", b"") for number in range(3)))
    data = bytearray(file.getvalue())
    end = data.rindex(b"PK\x05\x06")
    struct.pack_into("<2H", data, end + 8, 1, 1)
    struct.pack_into("<L", data, end + 12, 2**31)
    with pytest.raises(ImportRefused):
        archives.opened(io.BytesIO(bytes(data)), most_bytes=MOST_BYTES)


def test_what_is_too_large_unpacked_is_refused() -> None:
    data = packed(("a.jpg", b"x"))
    size = struct.pack("<2L", len(zipfile.ZipFile(data).read("a.jpg")) + 2, 1)
    listed = bytearray(data.getvalue())
    at = listed.index(b"PK\x01\x02") + 20
    assert bytes(listed[at : at + 8]) == size
    struct.pack_into("<2L", listed, at, 2**31, 2**31)
    with pytest.raises(ImportRefused) as caught:
        archives.opened(io.BytesIO(bytes(listed)), most_bytes=2**30)
    assert caught.value.refusal is Refusal.TOO_LARGE_UNPACKED


def test_a_byte_more_than_allowed_is_refused() -> None:
    file = packed(("Ada/1.jpg", b"12345"), ("Ada/2.jpg", b"12345"))
    assert len(archives.opened(file, most_bytes=10).paths) == 2
    with pytest.raises(ImportRefused) as caught:
        archives.opened(file, most_bytes=9)
    assert caught.value.refusal is Refusal.TOO_LARGE_UNPACKED


def test_files_are_read_and_none_that_is_larger_than_allowed() -> None:
    archive = archives.opened(packed(("Ada/", b""), ("Ada/1.jpg", b"12345"), ("Bob/1.jpg", b"")), most_bytes=MOST_BYTES)
    assert archive.paths == ("Ada/1.jpg", "Bob/1.jpg")
    assert archive.read("Ada/1.jpg", 5) == b"12345"
    with pytest.raises(TooManyBytes) as caught:
        archive.read("Ada/1.jpg", 3)
    assert (caught.value.measured, caught.value.most) == (5, 3)


def test_damaged_content_is_refused_when_it_is_read() -> None:
    stored = packed(("a.jpg", b"content"), compression=zipfile.ZIP_STORED)
    archive = archives.opened(patched(stored, b"content", b"CONTENT"), most_bytes=MOST_BYTES)
    with pytest.raises(ImportRefused) as caught:
        archive.read("a.jpg", 100)
    assert caught.value.parameters == {"path": "a.jpg"}


@settings(max_examples=300)
@given(st.integers(0, 10_000), st.integers(0, 255), st.integers(0, 10_000))
def test_whatever_byte_is_changed_or_cut_it_is_read_or_refused(place: int, value: int, cut: int) -> None:
    data = bytearray(packed(("Ada/1.jpg", b"12345" * 20), ("Bob/1.jpg", bytes(range(200)))).getvalue())
    data[place % len(data)] = value
    # Any other exception fails the test.
    with contextlib.suppress(ImportRefused):
        archive = archives.opened(io.BytesIO(bytes(data[: len(data) - cut % 40])), most_bytes=MOST_BYTES)
        for path in archive.paths:
            archive.read(path, 1000)
