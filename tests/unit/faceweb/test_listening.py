from __future__ import annotations

import argparse
import socket
from collections.abc import Iterator

import pytest

from faceweb import env, listening
from faceweb.listening import Listening


@pytest.fixture(autouse=True)
def untold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start from an environment in which nothing is told, and forget afterwards what was."""
    for variable in (env.HOSTS, env.ORIGINS, env.HTTPS, env.PORT):
        monkeypatch.setenv(variable.name, "")


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def test_loopback_answers_to_its_own_names_only() -> None:
    assert listening.names("127.0.0.1", []) == ("127.0.0.1", "localhost")
    assert listening.names("localhost", []) == ("localhost", "127.0.0.1")
    assert listening.names("::1", []) == ("::1", "localhost")


def test_public_hosts_come_first_and_once() -> None:
    assert listening.names("127.0.0.1", ["Faces.example", "localhost"]) == ("faces.example", "localhost", "127.0.0.1")


def test_all_addresses_means_this_machines_addresses_and_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "local_addresses", lambda family: ["198.51.100.7"])
    monkeypatch.setattr(socket, "gethostname", lambda: "Box")
    assert listening.names("0.0.0.0", []) == ("198.51.100.7", "box", "box.local", "localhost", "127.0.0.1")


def test_one_address_answers_to_itself_only() -> None:
    assert listening.names("198.51.100.7", []) == ("198.51.100.7",)


def test_local_addresses_leave_loopback_out() -> None:
    assert not any(address.startswith("127.") for address in listening.local_addresses(socket.AF_INET))


@pytest.mark.parametrize(
    ("port", "https", "origins"),
    [
        (8000, False, ("http://a.example:8000", "http://[::1]:8000")),
        (8000, True, ("https://a.example:8000", "https://[::1]:8000")),
        (80, False, ("http://a.example", "http://[::1]")),
        (443, True, ("https://a.example", "https://[::1]")),
        (443, False, ("http://a.example:443", "http://[::1]:443")),
    ],
)
def test_origins_are_written_as_browsers_write_them(port: int, https: bool, origins: tuple[str, ...]) -> None:
    assert Listening("127.0.0.1", port, https, ("a.example", "::1")).origins == origins


def test_a_free_port_is_taken_as_it_is(taken_port: int) -> None:
    free = listening.free_port("127.0.0.1", 0)
    assert listening.free_port("127.0.0.1", free) == free


def test_a_taken_port_is_answered_with_a_later_one(taken_port: int) -> None:
    assert listening.free_port("127.0.0.1", taken_port) > taken_port


def test_the_last_port_has_no_next_one(monkeypatch: pytest.MonkeyPatch, taken_port: int) -> None:
    monkeypatch.setattr(listening, "HIGHEST_PORT", taken_port)
    with pytest.raises(listening.CannotListen, match="are all taken"):
        listening.free_port("127.0.0.1", taken_port)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(listening.CannotListen, match=r"cannot listen on 192\.0\.2\.1:8000"):
        listening.free_port("192.0.2.1", 8000)


def test_what_up_was_told_reaches_the_settings() -> None:
    listening.tell_settings(["--port", "0", "--https", "--public-host", "faces.example", "--verbosity", "1"])
    port = env.PORT.read()
    assert env.HOSTS.read() == ("faces.example", "127.0.0.1", "localhost")
    assert env.ORIGINS.read()[0] == f"https://faces.example:{port}"
    assert env.HTTPS.read() is True
    told = listening.from_options(host="127.0.0.1", https=True, public_hosts=["faces.example"])
    assert told == Listening("127.0.0.1", port, https=True, names=("faces.example", "127.0.0.1", "localhost"))


def test_hosts_of_the_environment_are_kept() -> None:
    env.HOSTS.tell("proxy.example")
    env.ORIGINS.tell("https://proxy.example")
    listening.tell_settings(["--port", "0"])
    assert env.HOSTS.read()[0] == "proxy.example"
    assert env.ORIGINS.read()[0] == "https://proxy.example"


def test_without_the_command_line_nobody_was_told() -> None:
    with pytest.raises(listening.CannotListen, match="start it as `faceweb up`"):
        listening.from_options(host="127.0.0.1", https=False, public_hosts=[])


@pytest.mark.parametrize("arguments", [["--port", "65536"], ["--port", "x"], ["--public-host", "https://a.example"]])
def test_arguments_that_make_no_sense_are_refused(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(exit_on_error=False)
    listening.add_arguments(parser)
    with pytest.raises(argparse.ArgumentError):
        parser.parse_args(arguments)
