from __future__ import annotations

import subprocess
import sys

PROGRAM = """
from faceweb import event_loop
event_loop.install()
import daphne.server
from twisted.internet import reactor
print(type(reactor._asyncioEventloop).__module__)
"""


def test_daphne_runs_on_the_loop_that_was_installed_before_it() -> None:
    said = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=True
    )
    assert said.stdout.strip() == "uvloop"
