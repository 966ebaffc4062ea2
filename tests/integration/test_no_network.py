"""Nothing phones home: the product works where only loopback exists, and tries to reach nothing else.

Run in a network namespace of its own, so that native code of the runtimes is held to it too. The
kernel counts packets that found no route there, which is what every attempt to reach another machine, a
name server included, ends as.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from recognition.vision.images import encode_jpeg
from tests import faces
from tests.processes import PROJECT, CommandLine

UNSHARE = shutil.which("unshare")
# A name server outside, or the machine's own on loopback would hide look-ups from the count.
SCRIPT = """
set -e
ip link set lo up
mount --bind "$1" /etc/resolv.conf
shift
"$@"
grep '^Ip:' /proc/net/snmp
"""
RESOLV_CONF = "nameserver 192.0.2.1\noptions timeout:1 attempts:1\n"  # TEST-NET-1, RFC 5737


def isolated(folder: Path, *arguments: str) -> list[str]:
    resolv_conf = folder / "resolv.conf"
    resolv_conf.write_text(RESOLV_CONF)
    assert UNSHARE is not None
    return [UNSHARE, "--net", "--mount", "bash", "-c", SCRIPT, "bash", str(resolv_conf), *arguments]


def attempts(output: str) -> int:
    """How many packets found no route."""
    names, values = (line.split() for line in output.splitlines()[-2:])
    return int(values[names.index("OutNoRoutes")])


def can_isolate(folder: Path) -> bool:
    return (
        UNSHARE is not None
        and subprocess.run(isolated(folder, "true"), capture_output=True, check=False).returncode == 0
    )


def test_an_attempt_to_reach_another_machine_is_counted(tmp_path: Path) -> None:
    if not can_isolate(tmp_path):
        pytest.skip("needs the right to make a network namespace: run as root with unshare and ip installed")
    attempt = "import socket; s = socket.socket(); print(s.connect_ex(('192.0.2.7', 443)))"

    ran = subprocess.run(isolated(tmp_path, sys.executable, "-c", attempt), capture_output=True, text=True, check=True)

    assert attempts(ran.stdout) > 0


def test_enrol_identify_and_the_server_reach_nothing_but_loopback(command_line: CommandLine, tmp_path: Path) -> None:
    if not can_isolate(tmp_path):
        pytest.skip("needs the right to make a network namespace: run as root with unshare and ip installed")
    photo = tmp_path / "astronaut.jpg"
    photo.write_bytes(encode_jpeg(faces.astronaut()))

    process = command_line.start_command(
        isolated(tmp_path, sys.executable, str(PROJECT / "tests" / "integration" / "use_product.py"), str(photo))
    )

    status, output = process.wait(), process.output
    assert status == 0, output
    answers = json.loads(next(line for line in output.splitlines() if line.startswith("{")))
    assert answers == {"enrolled": True, "recognised": "Eileen Collins", "login_page": 200}
    assert attempts(output) == 0, output
