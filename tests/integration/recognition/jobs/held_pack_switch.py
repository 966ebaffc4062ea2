"""A real jobs process that tries a pack out two samples at a time, and may stop in the middle of a step to be killed.

Run as `python held_pack_switch.py STEP`; -1 never stops. Says the samples of each step once they are written and not
yet committed. A process that was killed is known to be dead after two seconds instead of twenty.
"""

from __future__ import annotations

import signal
import sys
import threading
from typing import Any

import django


def say(line: str) -> None:
    # In one piece: two threads speak.
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    django.setup()
    from recognition.jobs import pack_switch as job
    from recognition.jobs import process, rescue
    from recognition.services import pack_switch
    from tests import fakes, shades

    store, held, step = pack_switch.store_templates, int(sys.argv[1]), 0
    rescue.HEARTBEAT_S, rescue.DEAD_AFTER_S, process.RESCUE_INTERVAL_S = 0.2, 2.0, 0.2
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())

    def store_templates(**values: Any) -> None:
        nonlocal step
        store(**values)
        say(f"step {' '.join(str(number) for number in sorted(values['embeddings']))}")
        if step == held:
            stop.wait()
        step += 1

    job.SAMPLES_A_STEP = 2
    vectors = {shade: fakes.like_probe(0.0, axis=axis, pack_digest=shades.DIGEST) for axis, shade in shades.BY_AXIS}
    job.networks_of = lambda pack: shades.pipeline(vectors, shades.DIGEST)
    pack_switch.store_templates = store_templates
    process.work(stop, ready=lambda: say("ready"))


if __name__ == "__main__":
    main()
