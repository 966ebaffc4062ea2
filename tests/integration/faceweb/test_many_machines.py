"""The product as on many machines: each part a process of its own, behind Caddy, in the production settings."""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import re
import signal
import ssl
import sysconfig
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest
import redis
from websockets import Origin
from websockets.sync.client import ClientConnection, connect

from faceweb import embedded, postgres_process
from recognition.live.messages import PROTOCOL_VERSION, CameraFrame
from tests import faces, installations
from tests.installations import PASSWORD
from tests.processes import DEADLINE_S, PROJECT, CommandLine, Interpreter, Process

IMPORT = """
import base64, datetime as dt, time
from django.contrib.auth.models import User
from recognition.importing.layouts import Layout
from recognition.models import Job
from recognition.services import import_batches
photo = base64.b64decode({photo!r})
admin = User.objects.get()
now = dt.datetime.now(dt.UTC)
batch, _ = import_batches.upload(
    file_name="staff.zip",
    paths=("Eileen Collins/1.jpg",),
    read=lambda *_: photo,
    layout=Layout.FOLDERS,
    actor=admin,
    now=now,
)
job = import_batches.start(batch=batch, actor=admin, now=now)
while job.state in Job.OPEN:
    time.sleep(0.05)
    job.refresh_from_db()
print(job.state, batch.items.get().state)
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Machines:
    """What runs.

    Args:
        web: command line of the web host, on which nothing that runs networks is installed.
        workers: two processes.
        database: a shell at the database.
        address: of the site.
        trust: certificates that its visitors trust.
        redis_url: where web and workers meet.
    """

    web: CommandLine
    workers: tuple[Process, ...]
    database: Interpreter
    address: str
    trust: ssl.SSLContext
    redis_url: str

    def log_in(self, password: str = PASSWORD, **headers: str) -> str:
        """Logs in as a browser does; the cookies as a header's value."""
        cookies = CookieJar()
        opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(cookies), urllib.request.HTTPSHandler(context=self.trust)
        )
        page = f"{self.address}/accounts/login/"
        with opener.open(page) as response:
            assert "max-age=" in response.headers["Strict-Transport-Security"]
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', response.read().decode())
        assert token is not None
        fields = {"csrfmiddlewaretoken": token[1], "username": "admin", "password": password, "next": "/healthz"}
        data = urllib.parse.urlencode(fields).encode()
        opener.open(urllib.request.Request(page, data, {"Referer": page, **headers})).close()
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in cookies)


@pytest.fixture
def machines(prepared_state: Path, redis_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    with installations.temporary_state_dir() as at_database, installations.temporary_state_dir() as at_hosts:
        installations.copy(prepared_state, at_database)
        with installations.command_line_in(at_database) as database, installations.command_line_in(at_hosts) as hosts:
            shell = database.interpreter()
            shell.run("print('the database is up')")
            socket = urllib.parse.quote(str(embedded.Place(at_database).socket()), safe="")
            https_port, web_port = installations.unused_port(), installations.unused_port()
            hosts.variables |= {
                "DJANGO_SETTINGS_MODULE": "faceweb.settings.production",
                "DATABASE_URL": f"postgresql://{postgres_process.ROLE}@{socket}/{postgres_process.DATABASE}",
                "REDIS_URL": redis_server,
                "FACEWEB_SECRET_KEY": "of all hosts",
                "FACEWEB_HOSTS": "localhost",
                "FACEWEB_ORIGINS": f"https://localhost:{https_port}",
                "FACEWEB_TRUST_PROXY": "1",
                "FACEWEB_WORKER_THREADS": "1",
            }
            python_path = [str(PROJECT / "tests" / "without_runtimes"), str(PROJECT), sysconfig.get_path("purelib")]
            web = dataclasses.replace(hosts, variables={**hosts.variables, "PYTHONPATH": os.pathsep.join(python_path)})
            with web:
                serving = web.start("up", "--port", str(web_port))
                workers = hosts.start("worker"), hosts.start("worker")
                jobs = hosts.start("jobs")
                trusted = caddy(hosts, tmp_path_factory.mktemp("caddy"), https_port=https_port, web_port=web_port)
                serving.wait_for("faceweb is up:")
                for worker in workers:
                    worker.wait_for("faceweb worker is ready")
                jobs.wait_for("faceweb jobs is ready")
                trust = ssl.create_default_context(cafile=trusted)
                yield Machines(web, workers, shell, f"https://localhost:{https_port}", trust, redis_server)
            hosts.close()
            shell.close()


def caddy(hosts: CommandLine, folder: Path, *, https_port: int, web_port: int) -> Path:
    """Starts Caddy with the file of the containers; the certificate that its visitors are to trust."""
    config = folder / "Caddyfile"
    config.write_text(
        f"{{\n\thttp_port {installations.unused_port()}\n\tskip_install_trust\n\tadmin off\n"
        f"\tstorage file_system {folder}\n}}\nimport {PROJECT / 'docker' / 'Caddyfile'}\n"
    )
    program = Path(sysconfig.get_path("scripts")) / "caddy"
    variables = {"FACEWEB_HOSTS": f"localhost:{https_port}", "FACEWEB_WEB": f"127.0.0.1:{web_port}"}
    proxy = dataclasses.replace(hosts, variables={**hosts.variables, **variables})
    proxy.start_command([str(program), "run", "--config", str(config), "--adapter", "caddyfile"]).wait_for(
        "serving initial"
    )
    root = folder / "pki" / "authorities" / "local" / "root.crt"
    assert root.is_file()
    return root


class Page:
    """The websocket of an open live page."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._sequence = 0
        self._jpeg = faces.jpeg(faces.astronaut())
        self.notices: list[tuple[str, float]] = []
        self.decisions: list[dict[str, Any]] = []
        self.analysed_at = [time.monotonic()]
        socket.send(json.dumps({"type": "hello", "protocol": PROTOCOL_VERSION}))
        while self._next()["type"] != "welcome":
            pass

    @property
    def longest_gap_s(self) -> float:
        """Most seconds between two frames that were analysed."""
        return max(later - sooner for sooner, later in zip(self.analysed_at, self.analysed_at[1:], strict=False))

    def shows(self) -> str:
        """Shows a frame; how it ended."""
        self.sends()
        while (status := self.hears(DEADLINE_S)) is None:
            pass
        return status

    def sends(self) -> None:
        """Sends a frame and does not wait."""
        self._sequence += 1
        self._socket.send(CameraFrame(self._sequence, time.monotonic() * 1e3, 0, self._jpeg).pack())

    def hears(self, timeout_s: float) -> str | None:
        """Takes the next message in; how a frame ended, where it says that."""
        try:
            message = self._next(timeout_s)
        except TimeoutError:
            return None
        if message["type"] != "result":
            return None
        if message["status"] == "analysed":
            self.analysed_at.append(time.monotonic())
        return str(message["status"])

    def wait_for_notice(self, code: str) -> None:
        """Shows frames until it is told."""
        deadline = time.monotonic() + DEADLINE_S
        while not self.notices or self.notices[-1][0] != code:
            assert time.monotonic() < deadline
            self.shows()

    def _next(self, timeout_s: float = DEADLINE_S) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self._socket.recv(timeout_s))
        if message["type"] == "notice":
            self.notices.append((message["code"], time.monotonic()))
        elif message["type"] == "decision":
            self.decisions.append(message)
        return message


@pytest.fixture
def page(machines: Machines) -> Iterator[Page]:
    with connect(
        f"wss{machines.address.removeprefix('https')}/ws/live/",
        ssl=machines.trust,
        origin=Origin(machines.address),
        additional_headers={"Cookie": machines.log_in()},
        proxy=None,
    ) as socket:
        yield Page(socket)


def test_they_recognise_together_and_say_so_when_workers_go(machines: Machines, page: Page) -> None:
    """One test, because each start of them all takes seconds; what happens to workers comes last."""
    the_client_is_who_reached_the_proxy_whatever_it_says_of_itself(machines)
    doctor_says_what_a_web_host_lacks_and_why_that_is_right(machines)
    who_was_imported_by_a_job_is_recognised_through_a_worker(machines, page)
    killed, stopped = machines.workers
    a_killed_worker_costs_less_than_two_seconds(machines, page, killed)
    a_worker_that_is_stopped_answers_what_it_has_in_hand(machines, page, stopped)
    without_any_worker_the_page_says_so(page)


def the_client_is_who_reached_the_proxy_whatever_it_says_of_itself(machines: Machines) -> None:
    machines.log_in("wrong", **{"X-Forwarded-For": "203.0.113.9"})
    seen = machines.database.run(
        "from axes.models import AccessAttempt; print(*AccessAttempt.objects.values_list('ip_address', flat=True))"
    )
    assert seen.strip() in {"127.0.0.1", "::1"}


def doctor_says_what_a_web_host_lacks_and_why_that_is_right(machines: Machines) -> None:
    status, output = machines.web.run("doctor", "--json")
    models = json.loads(output)["models"]
    assert models["installed"] == "none, as is right where workers elsewhere recognise"
    assert (status, models["workers"]) == (0, 2)


def who_was_imported_by_a_job_is_recognised_through_a_worker(machines: Machines, page: Page) -> None:
    photo = base64.b64encode(faces.jpeg(faces.astronaut())).decode()
    assert machines.database.run(IMPORT.format(photo=photo)).split() == ["succeeded", "enrolled"]
    deadline = time.monotonic() + DEADLINE_S
    while not page.decisions:
        assert time.monotonic() < deadline
        page.shows()
    assert page.decisions[0]["decision"] == "accept"


def a_killed_worker_costs_less_than_two_seconds(machines: Machines, page: Page, worker: Process) -> None:
    page.wait_for_notice("ready")
    page.analysed_at.clear()
    page.shows()
    has_a_frame_in_hand(machines, page, worker)
    worker.send(signal.SIGKILL)
    until = time.monotonic() + 2
    while time.monotonic() < until:
        if page.hears(0.01) is not None:
            page.sends()
    assert page.longest_gap_s < 2
    page.wait_for_notice("ready")
    told = [at for code, at in page.notices if code == "worker_unavailable"]
    assert not told or page.notices[-1][1] - told[-1] < 2


def has_a_frame_in_hand(machines: Machines, page: Page, worker: Process) -> None:
    """Waits until it has."""
    with redis.Redis.from_url(machines.redis_url) as client:
        page.sends()
        while not client.keys(f"faceweb:hands:*:{worker.pid}:*"):
            if page.hears(0.001) is not None:
                page.sends()


def a_worker_that_is_stopped_answers_what_it_has_in_hand(machines: Machines, page: Page, last: Process) -> None:
    has_a_frame_in_hand(machines, page, last)
    last.send(signal.SIGTERM)
    while (status := page.hears(DEADLINE_S)) is None:
        pass
    assert status == "analysed"
    assert last.wait() == 0


def without_any_worker_the_page_says_so(page: Page) -> None:
    page.wait_for_notice("worker_unavailable")
