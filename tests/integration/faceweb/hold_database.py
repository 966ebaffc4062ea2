"""Holds the embedded database until standard input ends: what every command does, without Django's start-up.

Usage: python hold_database.py STATE_DIRECTORY COMMAND
"""

from __future__ import annotations

import sys
from pathlib import Path

from faceweb import embedded


def say(sentence: str) -> None:
    """Print at once."""
    print(sentence, flush=True)


def main() -> None:
    """Join or start the server, say which, and wait."""
    place = embedded.Place(Path(sys.argv[1]))
    with embedded.running(place, command=sys.argv[2], wait_says=say, durable=False):
        owner = place.owner()
        assert owner is not None
        print(f"server {owner.server_pid} of {owner.pid} {owner.command}", flush=True)
        sys.stdin.read()
    print("ended", flush=True)


if __name__ == "__main__":
    main()
