"""The product as plain processes, each of which can be killed and started again."""

from __future__ import annotations

import contextlib
import dataclasses
import http.cookiejar
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psutil
import psycopg
import redis

from faceweb import embedded, env, postgres_binaries, postgres_process
from faceweb.postgres_process import Installation
from recognition.vision.images import encode_jpeg
from tests import faces, installations
from tests.processes import DEADLINE_S, POLL_INTERVAL_S, CommandLine, Process, wait_until_gone

PASSWORD = installations.PASSWORD
WORKERS = 2
OPTIONS = {"shared_buffers": "64MB", "min_wal_size": "32MB", "max_wal_size": "64MB", "log_min_error_statement": "panic"}


class Database:
    """A PostgreSQL server that others look after, as `DATABASE_URL` has it."""

    def __init__(self, directory: Path) -> None:
        """Make its data directory in `directory` and start it."""
        place, runner = embedded.Place(directory), postgres_binaries.account()
        programs = postgres_binaries.program_directory(directory / "postgres-programs", runner)
        postgres_process.make_private(place.home, runner)
        self.place, self.socket = place, place.socket()
        postgres_process.make_private(self.socket, runner)
        self._installation = Installation(home=place.home, log=place.log, runner=runner, programs=programs)
        postgres_process.initialise(self._installation, durable=False)
        self.start()
        with postgres_process.connect(self.socket, "postgres") as connection:
            connection.execute("CREATE DATABASE faceweb")

    @property
    def url(self) -> str:
        """As `DATABASE_URL`."""
        host = urllib.parse.quote(str(self.socket), safe="")
        return f"postgresql://{postgres_process.ROLE}@{host}/{postgres_process.DATABASE}"

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        """Connect to it."""
        return postgres_process.connect(self.socket)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = postgres_process.start(self._installation, self.socket, OPTIONS)

    def kill(self) -> None:
        """Kill it as kill -9 does, and wait until nothing of it is left."""
        children = psutil.Process(self._process.pid).children(recursive=True)
        self._process.kill()
        self._process.wait()
        for child in children:
            wait_until_gone(child.pid)

    @property
    def has_ended(self) -> bool:
        """Whether it ended by itself."""
        return self._process.poll() is not None

    def stop(self) -> None:
        """Stop it in order."""
        postgres_process.stop(self._process)


class Redis:
    """A Redis server that keeps nothing."""

    def __init__(self, directory: Path) -> None:
        """Start it."""
        self._directory, self._port = directory, free_port()
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        arguments = ["redis-server", "--bind", "127.0.0.1", "--port", str(self._port), "--save", ""]
        self.process = subprocess.Popen([*arguments, "--dir", str(self._directory)], stdout=subprocess.DEVNULL)
        with redis.Redis.from_url(self.url) as client:
            wait_for(lambda: _answers(client))

    def kill(self) -> None:
        """Kill it as kill -9 does."""
        self.process.kill()
        self.process.wait()


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def log_in(address: str, password: str) -> str:
    """The cookies of `admin`, as a header has them."""
    jar = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    page = f"{address}/accounts/login/"
    with opener.open(page, timeout=DEADLINE_S) as response:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', response.read().decode())
    assert token is not None
    fields = {"csrfmiddlewaretoken": token[1], "username": "admin", "password": password, "next": "/healthz"}
    data = urllib.parse.urlencode(fields).encode()
    headers = {"Origin": address, "Referer": page}
    opener.open(urllib.request.Request(page, data, headers), timeout=DEADLINE_S).close()
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


def wait_for(condition: Callable[[], bool], within_s: float = DEADLINE_S) -> float:
    """Wait until it holds; seconds that it took."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > within_s:
            raise AssertionError(f"waited for {within_s:.0f} s in vain")
        time.sleep(POLL_INTERVAL_S)
    return time.monotonic() - began


@dataclasses.dataclass(slots=True)
class Product:
    """Everything, running.

    Args:
        database: where events are.
        redis: where web and workers meet.
        command_line: of the processes.
        port: of the web process.
        processes: by name.
    """

    database: Database
    redis: Redis
    command_line: CommandLine
    port: int
    processes: dict[str, Process]

    @property
    def address(self) -> str:
        """Of the site."""
        return f"http://127.0.0.1:{self.port}"

    def kill(self, name: str) -> None:
        """Kill a process as kill -9 does."""
        process = self.processes[name]
        process.send(signal.SIGKILL)
        process.wait()

    def start(self, name: str) -> None:
        """Start a process, and wait until it says that it works."""
        arguments, sign = {
            "web": (("up", "--port", str(self.port)), r"faceweb is up"),
            "jobs": (("jobs",), r"faceweb jobs is ready"),
        }.get(name, (("worker",), r"faceweb worker is ready"))
        self.processes[name] = self.command_line.start(*arguments)
        self.processes[name].wait_for(sign)

    def log_in(self) -> str:
        """The cookie of somebody who may do everything."""
        return log_in(self.address, PASSWORD)

    def decided(self) -> dict[int, str]:
        """Every stored event, with its decision."""
        with self.database.connect() as connection:
            return dict(connection.execute("SELECT id, decision FROM recognition_recognitionevent").fetchall())  # type: ignore[arg-type]

    def seal_is_whole(self) -> bool:
        """Whether the sealed log holds what it sealed."""
        return self.command_line.run("audit", "verify")[0] == 0

    def memory_mb(self, name: str) -> float:
        """Resident memory of a process with its children, in megabytes."""
        process = psutil.Process(self.processes[name].pid)
        return sum(each.memory_info().rss for each in (process, *process.children(recursive=True))) / 2**20


@contextlib.contextmanager
def running(variables: Mapping[str, str], *, disk: Path) -> Iterator[Product]:
    """Have everything running for the duration of the block, with one person enrolled.

    Args:
        variables: further environment variables of the product's processes.
        disk: the directory of the database.
    """
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(installations.temporary_state_dir())
        database = Database(disk)
        stack.callback(database.stop)
        meeting = Redis(directory)
        stack.callback(meeting.kill)
        command_line = stack.enter_context(installations.command_line_in(directory))
        command_line.variables |= {
            env.DATABASE_URL.name: database.url,
            env.ADMIN_PASSWORD.name: PASSWORD,
            env.WORKER_THREADS.name: "1",
            **variables,
        }
        photo = directory / "person.jpg"
        photo.write_bytes(encode_jpeg(faces.astronaut()))
        for arguments in (("migrate",), ("enrol", "Eileen Collins", str(photo))):
            status, output = command_line.run(*arguments)
            assert status == 0, output
        command_line.variables[env.REDIS_URL.name] = meeting.url
        product = Product(database, meeting, command_line, free_port(), {})
        for name in ("web", *(f"worker {number}" for number in range(1, WORKERS + 1)), "jobs"):
            product.start(name)
        yield product


@contextlib.contextmanager
def small_disk(directory: Path, megabytes: int) -> Iterator[bool]:
    """Have a disk of that size at `directory`; False, and an ordinary directory, where mounting is not allowed."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "faults", str(directory)]
    is_small = shutil.which("mount") is not None and os.geteuid() == 0
    is_small = is_small and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield is_small
    finally:
        if is_small:
            subprocess.run(["umount", "--lazy", str(directory)], check=True)  # noqa: S607  # whichever the machine has


def fill(directory: Path) -> Path:
    """Fill the disk with one file, whose removal makes room again."""
    ballast = directory / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(2**16))
    return ballast
