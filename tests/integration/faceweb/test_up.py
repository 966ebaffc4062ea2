"""`faceweb up` as a newcomer meets it: one command, one address, one password."""

from __future__ import annotations

import http.client
import http.cookiejar
import re
import signal
import socket
import ssl
import stat
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import psutil
import pytest

from faceweb import embedded
from tests import installations
from tests.processes import CommandLine, inet_sockets, wait_until_gone


class Browser:
    """Just enough of one to log in: cookies, forms, no redirects unasked."""

    def __init__(self, address: str, certificate: str | None = None) -> None:
        context = ssl.create_default_context(cafile=certificate)
        self.address = address
        self.cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(self.cookies), urllib.request.HTTPSHandler(context=context)
        )

    def get(self, path: str) -> tuple[str, str, http.client.HTTPMessage]:
        """Return final address, page and headers."""
        with self._opener.open(self.address + path, timeout=30) as response:
            return response.url, response.read().decode(), response.headers

    def log_in(self, name: str, password: str) -> str:
        """Fill in the login form and return the address it leads to."""
        _, page, _ = self.get("/accounts/login/?next=/healthz")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert token is not None
        form = {"csrfmiddlewaretoken": token[1], "username": name, "password": password, "next": "/healthz"}
        request = urllib.request.Request(
            self.address + "/accounts/login/",
            data=urllib.parse.urlencode(form).encode(),
            headers={"Origin": self.address, "Referer": self.address + "/accounts/login/"},
        )
        with self._opener.open(request, timeout=30) as response:
            return str(response.url)


def database_pid(command_line: CommandLine) -> int:
    assert command_line.state is not None
    owner = embedded.Place(command_line.state).owner()
    assert owner is not None
    return owner.server_pid


def test_the_first_run_prints_a_password_that_logs_in_over_plain_http_and_the_second_prints_none(
    command_line: CommandLine,
) -> None:
    server = command_line.up()
    assert Browser(server.address).log_in("admin", server.password) == f"{server.address}/healthz"
    with pytest.raises(urllib.error.HTTPError):  # a form from elsewhere
        Browser(server.address)._opener.open(
            urllib.request.Request(f"{server.address}/accounts/login/", data=b"", headers={"Origin": "http://evil"})
        )

    database = database_pid(command_line)
    server.process.send(signal.SIGTERM)
    assert server.process.wait() == 0
    wait_until_gone(database)

    again = command_line.up()
    assert again.password == ""
    assert server.password not in again.process.output
    assert "Log in with your account" in again.process.output


def test_a_chosen_password_is_used_and_not_printed(command_line: CommandLine) -> None:
    command_line.variables["FACEWEB_ADMIN_PASSWORD"] = "chosen-by-the-operator"
    server = command_line.up()
    assert Browser(server.address).log_in("admin", "chosen-by-the-operator") == f"{server.address}/healthz"
    assert "chosen-by-the-operator" not in server.process.output


def test_it_listens_on_loopback_only_and_a_second_one_says_what_runs(installed: CommandLine) -> None:
    server = installed.up()
    sockets = inet_sockets(server.process.pid)
    assert {socket.laddr.ip for socket in sockets if socket.status == psutil.CONN_LISTEN} == {"127.0.0.1"}
    assert "uvloop" in Path(f"/proc/{server.process.pid}/maps").read_text()

    status, output = installed.run("up")
    assert status != 0
    assert f"faceweb is up already at {server.address}, as process {server.process.pid}" in output

    status, output = installed.run("showmigrations", "--plan", "sessions")  # joins
    assert status == 0
    assert "[X]  sessions.0001_initial" in output


def test_killing_it_leaves_no_database_server(installed: CommandLine) -> None:
    server = installed.up()
    database = database_pid(installed)
    server.process.send(signal.SIGKILL)
    wait_until_gone(database)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("module", ["recognition.worker.child", "recognition.jobs.child"])
def test_its_end_leaves_no_process_of_recognition_or_jobs(
    installed: CommandLine, number: signal.Signals, module: str
) -> None:
    server = installed.up()
    started = psutil.Process(server.process.pid).children(recursive=True)
    children = [child.pid for child in started if module in child.cmdline()]
    assert children
    server.process.send(number)
    for pid in children:
        wait_until_gone(pid)


def test_it_stops_and_says_why_when_the_database_ends(installed: CommandLine) -> None:
    server = installed.up()
    psutil.Process(database_pid(installed)).send_signal(signal.SIGINT)
    assert server.process.wait() != 0
    assert "The embedded PostgreSQL has ended" in server.process.output


def test_a_taken_port_is_answered_with_the_next_free_one(installed: CommandLine) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = installed.start("up", "--port", str(port))
        found = int(process.wait_for(r"faceweb is up:\n +http://127.0.0.1:(\d+)/")[1])
    assert port < found < port + 100


def test_https_serves_a_certificate_for_its_names_and_secure_cookies(installed: CommandLine) -> None:
    server = installed.up("--https", "--public-host", "localhost")
    assert installed.state is not None
    tls = installed.state / "tls"
    assert server.address.startswith("https://localhost:")
    browser = Browser(server.address, certificate=str(tls / "certificate.pem"))  # verifies the host name too
    assert browser.log_in("admin", installations.PASSWORD) == f"{server.address}/healthz"
    assert {cookie.name for cookie in browser.cookies if cookie.secure} == {"csrftoken", "sessionid"}
    assert stat.S_IMODE((tls / "key.pem").stat().st_mode) == 0o600


def test_a_host_that_is_not_this_machines_is_refused_in_a_sentence(command_line: CommandLine) -> None:
    status, output = command_line.run("up", "--host", "192.0.2.1")
    assert status == 1
    assert output.startswith("faceweb: cannot listen on 192.0.2.1:8000")
