"""Uses the product once, as a program of its own: enrols, identifies, starts the server and opens a page.

Prints one JSON object. Started by test_no_network in a network namespace.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
NAME = "Eileen Collins"


def main(photo: str) -> None:
    enrolled = _answer("enrol", NAME, photo, "--json")
    found = _answer("identify", photo, "--json")
    answers = {
        "enrolled": enrolled["results"][0]["accepted"],
        "recognised": found["faces"][0]["candidates"][0]["person_name"],
        "login_page": _login_page(),
    }
    print(json.dumps(answers), flush=True)


def _answer(*arguments: str) -> dict[str, Any]:
    ran = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    if ran.returncode != 0:
        sys.exit(f"{arguments[0]} failed:\n{ran.stdout}{ran.stderr}")
    answer: dict[str, Any] = json.loads(ran.stdout)
    return answer


def _login_page() -> int:
    arguments = [sys.executable, "manage.py", "up", "--port", "0"]
    with subprocess.Popen(arguments, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = next(found[0] for line in server.stdout if (found := re.search(r"http://\S+", line)))
        with urllib.request.urlopen(f"{address}accounts/login/") as page:
            status = int(page.status)
        server.terminate()
        server.stdout.read()
        return status


if __name__ == "__main__":
    main(sys.argv[1])
