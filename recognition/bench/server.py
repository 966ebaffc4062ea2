"""A real `faceweb up` on a state directory of its own, which is gone afterwards."""

from __future__ import annotations

import contextlib
import dataclasses
import http.cookiejar
import json
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from faceweb import embedded, env, first_run, postgres_process, state

START_TIMEOUT_S = 180.0
"""The first start prepares the networks and creates a database; a busy machine needs a minute."""

STOP_TIMEOUT_S = 30.0
POLL_INTERVAL_S = 0.05
REQUEST_TIMEOUT_S = 30.0
LOG_TAIL_CHARACTERS = 2000

PR_SET_PDEATHSIG = 1  # prctl(2)
RUN_UP = f"""
import ctypes
ctypes.CDLL(None).prctl({PR_SET_PDEATHSIG}, {int(signal.SIGINT)})
import pathlib, sys
from recognition.bench import census
census.answer(pathlib.Path(sys.argv.pop()))
from faceweb.cli import main
main()
"""
"""`faceweb up` that ends with the benchmark, also when that is killed and nobody is left to stop it. Asked for
by the child itself, because code between fork and exec can hang in a process with as many threads as this. Its last
argument is where it answers a census."""

LOGIN_PATH = "/accounts/login/"
SOCKET_PATH = "/ws/live/"


class ServerFailed(Exception):
    """The throwaway server did not start, or refused what the benchmark asked."""


@dataclasses.dataclass(frozen=True, slots=True)
class Server:
    """The running server.

    Args:
        pid: of its process, which others belong to.
        directory: its state; gone with it.
        address: as browsers write it, without a final slash.
        password: of the user `admin`.
        environment: of its process.
    """

    pid: int
    directory: Path
    address: str
    password: str
    environment: dict[str, str]

    @property
    def census(self) -> Path:
        """Where its process answers a census."""
        return _census(self.directory)

    @property
    def socket_address(self) -> str:
        """Address of the live page's websocket."""
        return "ws" + self.address.removeprefix("http") + SOCKET_PATH

    def log_in(self) -> str:
        """Logs in through the login page and returns the cookies as a header's value.

        Raises:
            ServerFailed: when the server does not let the user in.
        """
        cookies = http.cookiejar.CookieJar()
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
        page = self.address + LOGIN_PATH
        try:
            with opener.open(page, timeout=REQUEST_TIMEOUT_S) as response:
                token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', response.read().decode())
            fields = {
                "csrfmiddlewaretoken": token[1] if token else "",
                "username": first_run.ADMIN_NAME,
                "password": self.password,
                "next": "/healthz",
            }
            data = urllib.parse.urlencode(fields).encode()
            request = urllib.request.Request(page, data, {"Origin": self.address, "Referer": page})  # noqa: S310  # ours
            opener.open(request, timeout=REQUEST_TIMEOUT_S).close()
        except (urllib.error.URLError, OSError) as error:
            raise ServerFailed(f"The benchmark could not log in: {error}") from error
        found = {cookie.name: cookie.value for cookie in cookies}
        if "sessionid" not in found:
            raise ServerFailed("The benchmark could not log in: the server gave it no session.")
        return "; ".join(f"{name}={value}" for name, value in found.items())

    def run_module(self, module: str, *arguments: str) -> None:
        """Runs a module of ours with the server's settings, and so on its database.

        Raises:
            ServerFailed: when it fails; the message ends as its output did.
        """
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise ServerFailed(f"{module} failed:\n{done.stdout[-LOG_TAIL_CHARACTERS:]}")


@contextlib.contextmanager
def running(*, cache_dir: Path) -> Iterator[Server]:
    """Has the server running for as long as the block lasts; leaves no process and no file.

    Args:
        cache_dir: prepared networks are taken from here, as any start after the first does.

    Raises:
        ServerFailed: when it does not start; the message ends as its output did.
    """
    with contextlib.ExitStack() as stack:
        with _undisturbed():
            directory = Path(tempfile.mkdtemp(prefix="faceweb-bench-"))
            stack.callback(_remove, directory)
            # As root, the database's OS user must pass through.
            directory.chmod(state.STATE_DIR_MODE)
            password = secrets.token_urlsafe()
            environment = _environment(directory, cache_dir, password)
            log = directory / "up.log"
            with log.open("wb") as output:
                process = subprocess.Popen(
                    [sys.executable, "-c", RUN_UP, "up", "--port", "0", str(_census(directory))],
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    # Ctrl-C reaches the benchmark alone, which then stops the server in order.
                    start_new_session=True,
                )
            stack.callback(_stop, process, directory)
        yield Server(process.pid, directory, _address(process, directory, log), password, environment)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Holds back what would end the benchmark: half a start or half a stop would leave something behind."""
    held: list[int] = []
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda number, _frame: held.append(number)) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if held:
            signal.raise_signal(held[0])


def _census(directory: Path) -> Path:
    return directory / "census.json"


def _environment(directory: Path, cache_dir: Path, password: str) -> dict[str, str]:
    # Whatever points to the user's own installation, or was told to this process's settings; empty is unset.
    own = (
        env.DATABASE_URL,
        env.REDIS_URL,
        env.SECRET_KEY,
        env.HOSTS,
        env.ORIGINS,
        env.HTTPS,
        env.PORT,
        env.TRUST_PROXY,
        env.SETTINGS_MODULE,
    )
    return env.of_child(
        {
            **{variable.name: "" for variable in own},
            env.STATE_DIR.name: str(directory),
            env.CACHE_DIR.name: str(cache_dir.absolute()),
            env.ADMIN_PASSWORD.name: password,
            env.LOG_LEVEL.name: "warning",
            "PYTHONUNBUFFERED": "1",
        }
    )


def _address(process: subprocess.Popen[bytes], directory: Path, log: Path) -> str:
    """Waits until the server answers."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError, ValueError, KeyError, IndexError):
            address: str = json.loads((directory / "up.json").read_text())["addresses"][0]
            return address
        if process.poll() is not None:
            break
        time.sleep(POLL_INTERVAL_S)
    said = log.read_text(errors="replace")[-LOG_TAIL_CHARACTERS:]
    raise ServerFailed(f"The benchmark's server did not start; it said:\n{said}")


def _stop(process: subprocess.Popen[bytes], directory: Path) -> None:
    with _undisturbed():
        # Not SIGTERM: before it serves, it would end at once and leave to itself what it has begun.
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        # A server that was killed leaves its database to end by itself.
        deadline = time.monotonic() + STOP_TIMEOUT_S
        data = embedded.Place(directory).data
        while postgres_process.running_pid(data) is not None and time.monotonic() < deadline:
            time.sleep(POLL_INTERVAL_S)


def _remove(directory: Path) -> None:
    """Removes the state, also under a program of the database that is still about to notice its end."""
    with _undisturbed():
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while directory.exists() and time.monotonic() < deadline:
            shutil.rmtree(directory, ignore_errors=True)
            time.sleep(POLL_INTERVAL_S)
