from __future__ import annotations

import contextlib
import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recognition.services import archives
from recognition.services.archives import ArchiveRefused

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KNOWN = (archives.fingerprint(KEY.public_key()),)
MEMBERS = {"empty": b"", "small.txt": b"words", "large.bin": bytes(range(256)) * 40}


def write(path: Path, *, key: Ed25519PrivateKey = KEY, kind: str = "backup", **contents: Any) -> Path:
    with archives.writing(path=path, kind=kind, key=key) as archive:
        for name, content in MEMBERS.items():
            archive.add(name, content)
        archive.finish(contents)
    return path


def break_off(path: Path) -> None:
    with archives.writing(path=path, kind="backup", key=KEY) as archive:
        archive.add("member", b"words")
        raise KeyboardInterrupt


def read(path: Path, *, kind: str = "backup", trusted: tuple[str, ...] = KNOWN) -> dict[str, bytes]:
    with archives.opened(path=path, kind=kind, trusted=trusted) as archive:
        archive.verify()
        return {name: b"".join(archive.read(name)) for name in archive.members}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return write(tmp_path / "archive.zip", said="so")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("archives") / "archive.zip")


class TestWriting:
    def test_gives_back_every_member_and_what_was_said(self, archive: Path) -> None:
        assert read(archive) == MEMBERS
        with archives.opened(path=archive, kind="backup", trusted=KNOWN) as found:
            assert found.contents["said"] == "so"

    def test_is_for_its_owner_alone_and_leaves_nothing_else(self, archive: Path) -> None:
        assert stat.S_IMODE(archive.stat().st_mode) == 0o600
        assert list(archive.parent.iterdir()) == [archive]

    def test_what_breaks_off_leaves_nothing(self, tmp_path: Path) -> None:
        with pytest.raises(KeyboardInterrupt):
            break_off(tmp_path / "archive.zip")
        assert list(tmp_path.iterdir()) == []

    def test_never_overwrites(self, archive: Path) -> None:
        before = archive.read_bytes()
        with pytest.raises(ArchiveRefused, match="is there already"):
            write(archive)
        assert archive.read_bytes() == before

    def test_names_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(ArchiveRefused, match="cannot be written: No such file"):
            write(tmp_path / "missing" / "archive.zip")


class TestOpened:
    def test_another_key_is_not_trusted_and_its_fingerprint_named(self, tmp_path: Path) -> None:
        stranger = Ed25519PrivateKey.generate()
        path = write(tmp_path / "archive.zip", key=stranger)
        fingerprint = archives.fingerprint(stranger.public_key())
        with pytest.raises(ArchiveRefused, match=fingerprint):
            read(path)
        assert read(path, trusted=(fingerprint,)) == MEMBERS

    def test_another_kind_is_refused(self, archive: Path) -> None:
        with pytest.raises(ArchiveRefused, match="is a backup, and a gallery is needed"):
            read(archive, kind="gallery")

    def test_a_newer_format_is_refused(self, tmp_path: Path) -> None:
        path = write(tmp_path / "archive.zip", format=archives.FORMAT + 1)
        with pytest.raises(ArchiveRefused, match="newer version"):
            read(path)

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(ArchiveRefused, match=r"missing\.zip cannot be read: No such file"):
            read(tmp_path / "missing.zip")

    @pytest.mark.parametrize("content", [b"", b"words", b"PK\x03\x04" + bytes(100)])
    def test_what_is_no_archive_is_refused(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "archive.zip"
        path.write_bytes(content)
        with pytest.raises(ArchiveRefused, match="damaged"):
            read(path)

    def test_a_member_that_was_not_signed_is_refused(self, archive: Path) -> None:
        with zipfile.ZipFile(archive, "a") as file:
            file.writestr("more", b"words")
        with pytest.raises(ArchiveRefused, match="damaged"):
            read(archive)

    def test_a_member_that_is_there_twice_is_refused(self, archive: Path) -> None:
        with zipfile.ZipFile(archive, "a") as file, pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("small.txt", b"other")
        with pytest.raises(ArchiveRefused, match="damaged"):
            read(archive)

    @pytest.mark.parametrize(
        "change",
        [
            lambda manifest: manifest["members"]["small.txt"].update(size=4),
            lambda manifest: manifest["members"]["small.txt"].update(sha256="0" * 64),
            lambda manifest: manifest.update(members=[]),
            lambda manifest: manifest["members"].update(more={}),
        ],
    )
    def test_a_manifest_that_does_not_fit_is_refused_even_if_signed(
        self, tmp_path: Path, archive: Path, change: Callable[[dict[str, Any]], None]
    ) -> None:
        with zipfile.ZipFile(archive) as file:
            manifest = json.loads(file.read(archives.MANIFEST))
            contents = {name: file.read(name) for name in MEMBERS}
        change(manifest)
        signed = json.dumps(manifest).encode()
        signature = {"public_key": KEY.public_key().public_bytes_raw().hex(), "signature": KEY.sign(signed).hex()}
        changed = tmp_path / "changed.zip"
        with zipfile.ZipFile(changed, "w") as file:
            for name, content in contents.items():
                file.writestr(name, content)
            file.writestr(archives.MANIFEST, signed)
            file.writestr(archives.SIGNATURE, json.dumps(signature))
        with pytest.raises(ArchiveRefused, match="damaged"):
            read(changed)

    def test_a_manifest_that_would_fill_the_memory_is_not_read(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = write(tmp_path / "archive.zip", said="x" * 10_000)
        monkeypatch.setattr(archives, "MOST_MANIFEST_BYTES", 5000)
        with pytest.raises(ArchiveRefused, match="damaged"):
            read(path)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_flipped_bit_is_found_or_changes_nothing_that_is_read(
    tmp_path: Path, whole: Path, data: st.DataObject
) -> None:
    content = bytearray(whole.read_bytes())
    position = data.draw(st.integers(0, len(content) * 8 - 1))
    content[position // 8] ^= 1 << position % 8
    path = tmp_path / "flipped.zip"
    path.write_bytes(content)
    with contextlib.suppress(ArchiveRefused):
        assert read(path) == MEMBERS


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_was_cut_off_is_refused(tmp_path: Path, whole: Path, data: st.DataObject) -> None:
    content = whole.read_bytes()
    path = tmp_path / "short.zip"
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(ArchiveRefused):
        read(path)


class TestLines:
    @pytest.mark.parametrize(
        ("content", "values"),
        [(b"", []), (b"1\n", [1]), (b'{"a": 1}\n[2]\n', [{"a": 1}, [2]]), (b"1\n2", [1, 2])],
    )
    def test_gives_one_value_a_line(self, tmp_path: Path, content: bytes, values: list[Any]) -> None:
        path = tmp_path / "archive.zip"
        with archives.writing(path=path, kind="gallery", key=KEY) as archive:
            archive.add("lines", content)
            archive.finish({})
        with archives.opened(path=path, kind="gallery", trusted=KNOWN) as found:
            assert list(found.lines("lines")) == values

    def test_values_go_over_blocks(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(archives, "BLOCK_BYTES", 3)
        self.test_gives_one_value_a_line(tmp_path, b'{"a": 1}\n[2]\n', [{"a": 1}, [2]])
