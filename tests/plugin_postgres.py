"""Pytest plugin (`-p tests.plugin_postgres`): a throwaway PostgreSQL with pgvector for the whole run.

pytest-django loads the settings before any conftest.py, so the server has to be there earlier. With `DATABASE_URL`
set, the tests use that server instead.
"""

from __future__ import annotations

import shutil
import urllib.parse
from collections.abc import Generator
from contextlib import ExitStack

import pytest

from faceweb import embedded, env, postgres_process
from tests import installations

# Nothing of it has to survive a power cut.
UNSAFE_BUT_QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Start the server before pytest-django, whose hook is an ordinary one, loads the settings."""
    env.SETTINGS_MODULE.tell("faceweb.settings.test")
    if not env.DATABASE_URL.read():
        stack = ExitStack()
        early_config.add_cleanup(stack.close)
        directory = installations.new_directory()
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        socket = stack.enter_context(
            embedded.running(
                embedded.Place(directory), command="pytest", wait_says=print, durable=False, options=UNSAFE_BUT_QUICK
            )
        )
        host = urllib.parse.quote(str(socket), safe="")
        env.DATABASE_URL.tell(f"postgresql://{postgres_process.ROLE}@{host}/{postgres_process.DATABASE}")
    return (yield)
