"""A real jobs process whose gallery check has blocks of two templates, and may stop in one of them to be killed there.

Run as `python held_jobs.py BLOCK`; -1 never stops. Says each block that it computes. A process that was killed is known
to be dead after two seconds instead of twenty.
"""

from __future__ import annotations

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
    from recognition.decision import gallery_check
    from recognition.decision.gallery_check import ConfusablePair
    from recognition.jobs import gallery_check as job
    from recognition.jobs import process, rescue
    from recognition.vision.templates import Templates

    compute, held = gallery_check.confusable, int(sys.argv[1])
    job.BLOCK_ROWS = 2
    rescue.HEARTBEAT_S, rescue.DEAD_AFTER_S, process.RESCUE_INTERVAL_S = 0.2, 2.0, 0.2
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())

    def confusable(templates: Templates, block: int, threshold: float, block_rows: int) -> tuple[ConfusablePair, ...]:
        say(f"block {block}")
        if block == held:
            stop.wait()
        return compute(templates, block, threshold, block_rows)

    gallery_check.confusable = confusable  # type: ignore[assignment]  # the job always names the size of its blocks
    process.work(stop, ready=lambda: say("ready"))


if __name__ == "__main__":
    main()
