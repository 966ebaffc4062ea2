from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from faceweb import signing, state


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FACEWEB_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


def test_there_is_no_key_until_one_is_needed(directory: Path) -> None:
    assert signing.kept() is None
    assert list(directory.iterdir()) == []


def test_the_key_is_made_once_and_private(directory: Path) -> None:
    made = signing.key().private_bytes_raw()
    kept = signing.kept()
    assert kept is not None
    assert kept.private_bytes_raw() == signing.key().private_bytes_raw() == made
    assert stat.S_IMODE((directory / "backup_key").stat().st_mode) == 0o600


def test_what_is_no_such_key_is_told_with_the_way_out(directory: Path) -> None:
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for content in (b"", b"words", other):
        state.write_private(state.directory() / "backup_key", content)
        with pytest.raises(state.StateError, match=r"backup_key holds (no key|another kind of key)\. Move it away"):
            signing.key()
