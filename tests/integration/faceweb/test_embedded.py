"""The embedded PostgreSQL, with real processes: who starts it, who joins, who waits, and what is left behind."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from faceweb import embedded, postgres_binaries, postgres_process
from tests.processes import PROJECT, CommandLine, Process, inet_sockets, others_can_run, wait_until_gone

HOLDER = "tests/integration/faceweb/hold_database.py"

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to change to another OS user")


def hold(command_line: CommandLine, command: str = "enrol") -> Process:
    return command_line.start_python(HOLDER, str(command_line.state), command)


def server_of(holder: Process) -> int:
    return int(holder.wait_for(r"server (\d+) of")[1])


@pytest.fixture
def ordinary_user(tmp_path: Path) -> Iterator[CommandLine]:
    """A checkout and its state below a closed home directory, run by the ordinary user whose home it is."""
    if os.geteuid() != 0:
        with CommandLine(tmp_path) as running:
            yield running
        return
    if not others_can_run():
        pytest.skip("this environment's Python or packages are closed to ordinary users")
    home = Path(tempfile.mkdtemp(prefix="faceweb-home-"))  # mode 0700
    project = home / "checkout"
    copy_checkout(project)
    for path in (home, *home.rglob("*")):
        shutil.chown(path, "nobody")
    with CommandLine(
        project / "var", project=project, user="nobody", variables={"HOME": str(home), "FACEWEB_STATE_DIR": ""}
    ) as running:
        yield running
    shutil.rmtree(home)


def copy_checkout(target: Path) -> None:
    for name in ("faceweb", "recognition", "templates", "static", "tests"):
        shutil.copytree(PROJECT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("manage.py", "pyproject.toml"):
        shutil.copy(PROJECT / name, target)


def test_a_second_command_joins_the_running_server(installed: CommandLine) -> None:
    first = hold(installed)
    server = server_of(first)
    second = hold(installed, "identify")
    joined = second.wait_for(r"server (\d+) of (\d+) (\w+)")
    assert (int(joined[1]), int(joined[2]), joined[3]) == (server, first.pid, "enrol")
    second.end_input()
    assert second.wait() == 0
    assert psutil.pid_exists(server)
    first.end_input()
    assert first.wait() == 0
    wait_until_gone(server)


def test_an_owner_that_ends_first_waits_for_those_who_joined(installed: CommandLine) -> None:
    first = hold(installed)
    server = server_of(first)
    second = hold(installed)
    server_of(second)
    first.end_input()
    first.wait_for("Waiting for other commands that use the database")
    assert psutil.pid_exists(server)
    second.end_input()
    assert second.wait() == 0
    assert first.wait() == 0
    wait_until_gone(server)


def test_up_waits_for_the_command_that_has_the_server(installed: CommandLine) -> None:
    command = hold(installed, "enrol")
    server_of(command)
    up = hold(installed, "up")
    up.wait_for(rf"Waiting for `faceweb enrol` \(process {command.pid}\)")
    command.end_input()
    assert command.wait() == 0
    assert up.wait_for(r"server \d+ of (\d+) up")[1] == str(up.pid)


def test_many_commands_at_once_share_one_server(command_line: CommandLine) -> None:
    holders = [hold(command_line) for _ in range(4)]
    assert len({server_of(holder) for holder in holders}) == 1


def test_a_killed_owner_leaves_no_server(installed: CommandLine) -> None:
    holder = hold(installed)
    server = server_of(holder)
    holder.send(signal.SIGKILL)
    wait_until_gone(server)
    again = hold(installed)
    assert server_of(again) != server


def test_an_interrupt_from_the_terminal_stops_the_server_cleanly(installed: CommandLine) -> None:
    holder = hold(installed)
    server = server_of(holder)
    holder.send(signal.SIGINT)
    holder.wait()
    wait_until_gone(server)
    assert "database system is shut down" in embedded.Place(_state(installed)).log.read_text()


def test_a_pid_file_whose_number_is_another_programs_is_no_obstacle(installed: CommandLine) -> None:
    holder = hold(installed)
    server_of(holder)
    holder.end_input()
    holder.wait()
    pid_file = embedded.Place(_state(installed)).data / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n")
    assert server_of(hold(installed))


def test_a_server_that_cannot_start_shows_the_end_of_its_log(installed: CommandLine) -> None:
    holder = hold(installed)
    server_of(holder)
    holder.end_input()
    holder.wait()
    with (embedded.Place(_state(installed)).data / "postgresql.conf").open("a") as configuration:
        configuration.write("no_such_setting = 1\n")
    broken = hold(installed)
    assert broken.wait() != 0
    assert "PostgreSQL ended while starting" in broken.output
    assert 'unrecognized configuration parameter "no_such_setting"' in broken.output


def test_data_of_another_version_is_refused_and_left_alone(installed: CommandLine) -> None:
    holder = hold(installed)
    server_of(holder)
    holder.end_input()
    holder.wait()
    marker = embedded.Place(_state(installed)).data / "PG_VERSION"
    marker.write_text("17\n")
    refused = hold(installed)
    assert refused.wait() != 0
    assert "was written by PostgreSQL 17" in refused.output
    assert marker.read_text() == "17\n"


def test_the_server_listens_on_its_private_socket_only(command_line: CommandLine) -> None:
    place = embedded.Place(_state(command_line))
    assert inet_sockets(server_of(hold(command_line))) == []
    for directory in (place.home, place.socket()):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        assert directory.stat().st_uid == postgres_binaries.account().uid
    assert stat.S_IMODE((place.socket() / postgres_process.SOCKET_NAME).stat().st_mode) == 0o700


@as_root
def test_as_root_the_server_runs_as_another_user_from_programs_that_user_can_reach(command_line: CommandLine) -> None:
    server = psutil.Process(server_of(hold(command_line)))
    assert server.uids().effective == postgres_binaries.account().uid != 0
    assert Path(server.exe()).is_relative_to(_state(command_line) / "postgres-programs")


@as_root
def test_as_root_a_state_directory_below_a_closed_one_is_refused_with_its_name(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "state").mkdir()
    with CommandLine(closed / "state") as command_line:
        holder = hold(command_line)
        assert holder.wait() != 0
        assert "who cannot enter" in holder.output
        assert "FACEWEB_STATE_DIR" in holder.output
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@pytest.fixture
def root_checkout() -> Iterator[CommandLine]:
    """A checkout below root's closed home directory, with its state where the product chooses."""
    home = Path(tempfile.mkdtemp(prefix="faceweb-home-"))  # mode 0700
    copy_checkout(home / "checkout")
    with CommandLine(None, project=home / "checkout") as running:
        where = running.start_python("-c", "from faceweb import state; print(state.directory())")
        running.state = Path(where.wait_for(r"(/.+)\n")[1])
        yield running
    shutil.rmtree(running.state)
    shutil.rmtree(home)


@as_root
def test_as_root_a_checkout_below_a_closed_home_keeps_its_state_outside(root_checkout: CommandLine) -> None:
    holder = hold(root_checkout)
    server_of(holder)
    assert _state(root_checkout).parent == Path("/var/lib/faceweb")
    assert not (root_checkout.project / "var").exists()
    assert stat.S_IMODE(root_checkout.project.parent.stat().st_mode) == 0o700
    holder.end_input()
    assert holder.wait() == 0


def test_an_ordinary_user_below_a_closed_home_keeps_everything_in_the_checkout(ordinary_user: CommandLine) -> None:
    state = _state(ordinary_user)
    state.mkdir(exist_ok=True)
    if ordinary_user.user:
        shutil.chown(state, ordinary_user.user)
    holder = hold(ordinary_user)
    server = server_of(holder)
    expected = pwd.getpwnam(ordinary_user.user).pw_uid if ordinary_user.user else os.geteuid()
    assert psutil.Process(server).uids().effective == expected
    assert (state / "postgres" / "data" / "PG_VERSION").exists()
    holder.send(signal.SIGKILL)
    wait_until_gone(server)


def _state(command_line: CommandLine) -> Path:
    assert command_line.state is not None
    return command_line.state
