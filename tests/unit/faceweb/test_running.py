from __future__ import annotations

import os
from pathlib import Path

import pytest

from faceweb import running


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEWEB_STATE_DIR", str(tmp_path))
    monkeypatch.setattr(running, "LOCK_DEADLINE_S", 0.1)


def test_nothing_runs_at_first() -> None:
    assert running.current() is None


def test_what_runs_is_known_while_it_runs() -> None:
    with running.only_up():
        assert running.current() == running.Up(os.getpid(), ())
        running.announce(["http://127.0.0.1:8000"])
        assert running.current() == running.Up(os.getpid(), ("http://127.0.0.1:8000",))
    assert running.current() is None


def test_a_second_one_is_told_where_the_first_answers() -> None:
    with running.only_up():
        running.announce(["http://127.0.0.1:8000"])
        with pytest.raises(
            running.AlreadyUp, match=rf"up already at http://127\.0\.0\.1:8000, as process {os.getpid()}"
        ):
            running.only_up().__enter__()


def test_a_file_left_by_a_killed_one_means_nothing(tmp_path: Path) -> None:
    (tmp_path / "up.json").write_text('{"pid": 1, "addresses": []}')
    assert running.current() is None
