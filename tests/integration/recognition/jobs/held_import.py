"""A real jobs process that sees faces without networks, and may stop at a file of an import to be killed there.

Run as `python held_import.py FILE`, the number in the content of the file; -1 never stops. Says each file that it looks
at. Two files are a step.
"""

from __future__ import annotations

import re
import signal
import sys
import threading

import django


def say(line: str) -> None:
    # In one piece: two threads speak.
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    django.setup()
    from recognition.jobs import importing, process, rescue
    from recognition.services import analysis
    from recognition.services import importing as importing_service
    from recognition.vision.errors import UnreadableImage
    from recognition.vision.types import EmbeddedFace
    from tests import fakes

    held = int(sys.argv[1])
    importing_service.FILES_A_STEP = 2
    rescue.HEARTBEAT_S, rescue.DEAD_AFTER_S, process.RESCUE_INTERVAL_S = 0.2, 2.0, 0.2
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())

    class Numbered:
        """Sees in `photo 7` a face of its own, and nothing in other files."""

        def analyse(self, data: bytes) -> tuple[EmbeddedFace, ...]:
            number = re.fullmatch(rb"photo (\d+)", data)
            if number is None:
                raise UnreadableImage("no photo")
            say(f"file {int(number[1])}")
            if int(number[1]) == held:
                stop.wait()
            return (fakes.embedded(fakes.like_probe(0.3, axis=1 + int(number[1]) % 7)),)

        def is_up(self) -> bool:
            return True

    importing._connect_networks = lambda: analysis.connect(Numbered())
    process.work(stop, ready=lambda: say("ready"))


if __name__ == "__main__":
    main()
