from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from faceweb import state


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FACEWEB_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("FACEWEB_SECRET_KEY", raising=False)
    return tmp_path / "state"


def test_roots_state_is_outside_the_checkout_and_different_for_each_one() -> None:
    one = state.default_directory(project=Path("/srv/one"), uid=0)
    other = state.default_directory(project=Path("/srv/other"), uid=0)
    assert one.parent == other.parent == Path("/var/lib/faceweb")
    assert one != other


def test_an_ordinary_users_state_is_in_the_checkout(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    assert state.default_directory(project=tmp_path, uid=1000) == tmp_path / "var"


def test_without_a_checkout_an_ordinary_users_state_is_in_the_home_directory(tmp_path: Path) -> None:
    assert state.default_directory(project=tmp_path, uid=1000) == Path.home() / ".local/state/faceweb"


def test_the_state_directory_is_created_and_others_cannot_list_it(directory: Path) -> None:
    assert state.directory() == directory
    assert stat.S_IMODE(directory.stat().st_mode) == 0o711


def test_a_directory_that_cannot_be_created_is_told_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("FACEWEB_STATE_DIR", str(tmp_path / "file" / "state"))
    with pytest.raises(state.StateError, match=r"Cannot create .*file/state: .*\. Set FACEWEB_STATE_DIR"):
        state.directory()


def test_the_secret_key_is_generated_once_and_private(directory: Path) -> None:
    key = state.secret_key()
    assert len(key) > 50
    assert state.secret_key() == key
    assert stat.S_IMODE((directory / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in directory.iterdir()] == ["secret_key"]


def test_of_many_first_starts_at_once_one_key_wins_for_all(directory: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: state.secret_key(), range(32)))
    assert len(keys) == 1
    assert [path.name for path in directory.iterdir()] == ["secret_key"]


def test_a_secret_key_of_the_environment_is_used_and_not_kept(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEWEB_SECRET_KEY", "from the environment")
    assert state.secret_key() == "from the environment"
    assert not directory.exists()


def test_prepared_models_are_kept_in_the_state_directory_unless_told(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FACEWEB_CACHE_DIR", raising=False)
    assert state.cache_directory() == directory / "cache"
    monkeypatch.setenv("FACEWEB_CACHE_DIR", str(tmp_path / "elsewhere"))
    assert state.cache_directory() == tmp_path / "elsewhere"


def test_face_images_are_looked_for_beside_the_checkout_unless_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FACEWEB_SHARED_DATA", raising=False)
    assert state.shared_data_directory() == state.PROJECT_DIR.parent / "shared" / "data"
    monkeypatch.setenv("FACEWEB_SHARED_DATA", str(tmp_path))
    assert state.shared_data_directory() == tmp_path
