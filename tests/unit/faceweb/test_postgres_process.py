from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from faceweb import postgres_binaries, postgres_process
from faceweb.postgres_process import Installation, PostgresError

ME = postgres_binaries.Account(name="me", uid=os.geteuid(), gid=os.getegid())


def test_a_private_directory_is_made_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "private"
    postgres_process.make_private(path, ME)
    path.chmod(0o755)
    postgres_process.make_private(path, ME)
    assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_a_link_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "private").symlink_to(tmp_path / "target")
    with pytest.raises(PostgresError, match="Move it out of the way"):
        postgres_process.make_private(tmp_path / "private", ME)


def test_a_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    somebody = postgres_binaries.Account(name="somebody", uid=ME.uid + 1, gid=ME.gid)
    with pytest.raises(PostgresError, match="should be a directory of the user somebody"):
        postgres_process.make_private(tmp_path / "private", somebody)


def test_the_socket_is_beside_the_data_unless_its_path_gets_too_long(tmp_path: Path) -> None:
    assert postgres_process.socket_directory(tmp_path, ME) == tmp_path / "socket"
    deep = tmp_path.joinpath(*["long" * 10] * 3)
    short = postgres_process.socket_directory(deep, ME)
    assert short.parent == Path("/tmp")
    assert short == postgres_process.socket_directory(deep, ME)
    assert short != postgres_process.socket_directory(deep.parent, ME)


def test_no_server_runs_on_data_that_is_not_there(tmp_path: Path) -> None:
    assert postgres_process.running_pid(tmp_path) is None
    postgres_process.forget_stale_pid_file(tmp_path)


@pytest.mark.parametrize("content", ["", "nonsense\n", f"{os.getpid()}\n"])
def test_a_pid_file_that_names_no_postgres_of_this_data_is_stale(tmp_path: Path, content: str) -> None:
    pid_file = tmp_path / "postmaster.pid"
    pid_file.write_text(content)
    assert postgres_process.running_pid(tmp_path) is None
    postgres_process.forget_stale_pid_file(tmp_path)
    assert not pid_file.exists()


def test_starting_from_another_thread_is_refused(tmp_path: Path) -> None:
    installation = Installation(home=tmp_path, log=tmp_path / "log", runner=ME, programs=tmp_path)
    raised: list[Exception] = []

    def start() -> None:
        try:
            postgres_process.start(installation, tmp_path, {})
        except PostgresError as error:
            raised.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "main thread" in str(raised[0])


def test_the_end_of_a_long_log_is_shown(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert postgres_process.log_tail(log) == "(it has no log)"
    log.write_text("")
    assert postgres_process.log_tail(log) == "(its log is empty)"
    log.write_text("".join(f"line {number}\n" for number in range(100)))
    assert postgres_process.log_tail(log).splitlines()[0] == "line 85"
    assert postgres_process.log_tail(log).splitlines()[-1] == "line 99"
