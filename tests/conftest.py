"""Fixtures for every test."""

from __future__ import annotations

import gc
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings
from hypothesis import settings

from tests import installations
from tests.processes import CommandLine

# Where tests are run in the background of a shell they ignore it, and so would whatever they start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
# How long an example takes says more about what else the machine does.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")


def pytest_addoption(parser: pytest.Parser) -> None:
    """What somebody who looks at pages needs beside the tests."""
    parser.addoption(
        "--pictures", action="store_true", help="keep pictures of pages below tests/browser/screenshots, to look at"
    )


@pytest.fixture(scope="session", autouse=True)
def _static_files_are_found_when_asked_for() -> Iterator[None]:
    """Every new test client loads the middleware, and WhiteNoise would look for all static files each time."""
    with override_settings(WHITENOISE_AUTOREFRESH=True):
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Before the tests' database is made: see `schema.without_collecting`."""
    gc.disable()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> None:
    """Once it is made."""
    gc.enable()


@pytest.fixture
def state_dir() -> Iterator[Path]:
    """A state directory of the test's own."""
    with installations.temporary_state_dir() as directory:
        yield directory


@pytest.fixture
def command_line(state_dir: Path) -> Iterator[CommandLine]:
    """The product's command line on a fresh state directory; what it started is ended with the test."""
    with installations.command_line_in(state_dir) as running:
        yield running


@pytest.fixture(scope="session")
def prepared_state() -> Iterator[Path]:
    """What the first start leaves, made once; to be copied (0.1 s) where the first start is not the matter (2 s)."""
    with installations.temporary_state_dir() as directory:
        installations.prepare(directory)
        yield directory


@pytest.fixture
def installed(prepared_state: Path, state_dir: Path) -> Iterator[CommandLine]:
    """The product's command line on a state directory of the test's own that was started before."""
    installations.copy(prepared_state, state_dir)
    with installations.command_line_in(state_dir) as running:
        yield running


@pytest.fixture
def unused_port() -> int:
    """A port at which nobody listens."""
    return installations.unused_port()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Redis, shared by all tests: whoever needs it empty empties it."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed: apt-get install redis-server")
    port = installations.unused_port()
    arguments = [
        "--bind",
        "127.0.0.1",
        "--port",
        str(port),
        "--save",
        "",
        "--dir",
        str(tmp_path_factory.mktemp("redis")),
    ]
    with subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL) as server:
        url = f"redis://127.0.0.1:{port}/0"
        installations.wait_for_redis(url)
        yield url
        server.terminate()
