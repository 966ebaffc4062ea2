"""Runs all tests in two pytest processes side by side: one alone leaves a core idle while it waits for a browser.

Each has a database server of its own, as two checkouts have. The output of the second is shown when both have ended.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from faceweb import env

APART = (
    "tests/browser",
    "tests/integration/recognition/management",
    "tests/integration/recognition/migrations",
)
"""About half of the time, with all that waits for browsers."""

PROJECT = Path(__file__).resolve().parent.parent
PYTEST = str(Path(sys.executable).with_name("pytest"))


def main() -> int:
    """Run all tests; the exit status of the first process that failed, else 0."""
    if env.DATABASE_URL.read():  # one server has room for one test database
        return subprocess.run([PYTEST], cwd=PROJECT, check=False).returncode
    with tempfile.TemporaryFile() as output:
        apart = subprocess.Popen([PYTEST, *APART], cwd=PROJECT, stdout=output, stderr=subprocess.STDOUT)
        rest = subprocess.Popen([PYTEST, *(f"--ignore={path}" for path in APART)], cwd=PROJECT)
        try:
            statuses = [rest.wait(), apart.wait()]
        except KeyboardInterrupt:  # the terminal has told both: they end what they started
            statuses = [rest.wait(), apart.wait()]
        output.seek(0)
        sys.stdout.buffer.write(output.read())
    return next((status for status in statuses if status), 0)


if __name__ == "__main__":
    sys.exit(main())
