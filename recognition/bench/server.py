"""A real `faceweb up` on a state directory of its own, which is gone afterwards."""

from __future__ import annotations

import contextlib
import dataclasses
import http.cookiejar
import json
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from faceweb import embedded, env, first_run, postgres_process, state
from recognition.bench import processes
from recognition.bench.processes import ServerFailed

REQUEST_TIMEOUT_S = 30.0

FACEWEB = (sys.executable, "-c", "from faceweb.cli import main; main()")
"""The command line, in the environment of this process."""

UP = (
    sys.executable,
    "-c",
    "import pathlib, sys\n"
    "from recognition.bench import census\n"
    "census.answer(pathlib.Path(sys.argv.pop()))\n"
    "from faceweb.cli import main\n"
    "main()",
)
"""`faceweb up`; its last argument is where it answers a census."""

LOGIN_PATH = "/accounts/login/"
SOCKET_PATH = "/ws/live/"


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
            raise ServerFailed(f"{module} failed:\n{done.stdout[-processes.LOG_TAIL_CHARACTERS :]}")

    def measured(self, module: str, *arguments: str) -> dict[str, Any]:
        """What a module of ours measures, which writes it as a JSON object to the file that its last argument names.

        Raises:
            ServerFailed: as `run_module`.
        """
        with tempfile.TemporaryDirectory() as scratch:
            result = Path(scratch) / "result.json"
            self.run_module(module, *arguments, str(result))
            found: dict[str, Any] = json.loads(result.read_text())
        return found


@contextlib.contextmanager
def running(*, cache_dir: Path, redis_url: str = "", command: Sequence[str] = UP) -> Iterator[Server]:
    """Has the server running for as long as the block lasts; leaves no process and no file.

    Args:
        cache_dir: prepared networks are taken from here, as any start after the first does.
        redis_url: where it meets workers; empty for a server that recognises by itself.
        command: serves; see `UP`.

    Raises:
        ServerFailed: when it does not start; the message ends as its output did.
    """
    with contextlib.ExitStack() as stack:
        with processes.undisturbed():
            directory = Path(tempfile.mkdtemp(prefix="faceweb-bench-"))
            stack.callback(_remove, directory)
            # As root, the database's OS user must pass through.
            directory.chmod(state.STATE_DIR_MODE)
            password = secrets.token_urlsafe()
            environment = _environment(directory, cache_dir, password, redis_url)
            log = directory / "up.log"
            process = processes.start(
                [*command, "up", "--port", "0", str(_census(directory))], environment=environment, log=log
            )
            stack.callback(_stop, process, directory)
        processes.wait_until(lambda: bool(_addresses(directory)), process, log, what="server")
        yield Server(process.pid, directory, _addresses(directory)[0], password, environment)


def _census(directory: Path) -> Path:
    return directory / "census.json"


def _environment(directory: Path, cache_dir: Path, password: str, redis_url: str) -> dict[str, str]:
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
            env.REDIS_URL.name: redis_url,
            env.LOG_LEVEL.name: "warning",
            "PYTHONUNBUFFERED": "1",
        }
    )


def _addresses(directory: Path) -> Sequence[str]:
    """Where the server answers; empty until it does."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        addresses: Sequence[str] = json.loads((directory / "up.json").read_text())["addresses"]
        return addresses
    return ()


def _stop(process: subprocess.Popen[bytes], directory: Path) -> None:
    with processes.undisturbed():
        processes.stop(process)
        # A server that was killed leaves its database to end by itself.
        deadline = time.monotonic() + processes.STOP_TIMEOUT_S
        data = embedded.Place(directory).data
        while postgres_process.running_pid(data) is not None and time.monotonic() < deadline:
            time.sleep(processes.POLL_INTERVAL_S)


def _remove(directory: Path) -> None:
    """Removes the state, also under a program of the database that is still about to notice its end."""
    with processes.undisturbed():
        deadline = time.monotonic() + processes.STOP_TIMEOUT_S
        while directory.exists() and time.monotonic() < deadline:
            shutil.rmtree(directory, ignore_errors=True)
            time.sleep(processes.POLL_INTERVAL_S)
