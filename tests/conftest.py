"""Fixtures for every test."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from faceweb import embedded, env, postgres_process, state
from tests.processes import CommandLine, wait_until_gone


@contextmanager
def temporary_state_dir() -> Iterator[Path]:
    """A state directory below open directories: pytest's own tmp_path is closed to the database's OS user."""
    directory = Path(tempfile.mkdtemp(prefix="faceweb-test-"))
    directory.chmod(0o711)
    yield directory
    if server := postgres_process.running_pid(embedded.Place(directory).data):
        wait_until_gone(server)  # its owner was ended just now
    shutil.rmtree(directory)


@pytest.fixture
def state_dir() -> Iterator[Path]:
    """A state directory of the test's own."""
    with temporary_state_dir() as directory:
        yield directory


@pytest.fixture
def command_line(state_dir: Path) -> Iterator[CommandLine]:
    """The product's command line on a fresh state directory; what it started is ended with the test."""
    # Models are prepared and measured once for all runs, not once for each state directory (10 s).
    with CommandLine(state_dir, variables={env.CACHE_DIR.name: str(state.cache_directory())}) as running:
        yield running
