"""`python -m tests.faults [FAULT...]`: breaks one thing after the other, and prints what was lost and for how long."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from tests import faces, installations
from tests.faults import faults, product
from tests.faults.cameras import Cameras
from tests.faults.faults import Fault
from tests.faults.product import Product

CAMERAS = 4
WARM_S = 5.0
AFTER_S = 8.0
"""How long it is looked at after everything works again: a late echo belongs to the outage."""

LONGEST_S = 90.0
DISK_MB = 220
PLAIN: dict[str, Fault] = {
    "worker": faults.killed("worker 1"),
    "jobs": faults.jobs_killed,
    "redis": faults.redis_killed,
    "web": faults.killed("web"),
    "postgres": faults.database_killed,
    "slow-database": faults.database_slow,
    "full-disk": faults.disk_full,
}
CLOCK = {"clock-forward": faults.JUMP_S, "clock-back": -faults.JUMP_S}
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What a fault did.

    Args:
        fault: its name.
        outage_s: from the fault until every camera worked again for good; None when one never did.
        mended_s: from the fault until whoever looks after the part had mended it.
        frames_lost: frames that failed, or that a connection took with it.
        decisions_told: events that cameras were told of, before and after.
        decisions_lost: of them, those that are not stored as they were told.
        seal_is_whole: whether `faceweb audit verify` finds the log whole.
        closed: close codes that cameras saw.
        notices: notices that they heard.
        grown_mb: memory of the web process, after less before.
    """

    fault: str
    outage_s: float | None
    mended_s: float
    frames_lost: int
    decisions_told: int
    decisions_lost: int
    seal_is_whole: bool
    closed: dict[str, int]
    notices: dict[str, int]
    grown_mb: float

    @property
    def is_good(self) -> bool:
        """Whether no committed event was lost, and everything came back."""
        return self.outage_s is not None and not self.decisions_lost and self.seal_is_whole and self.decisions_told > 0


def measure(name: str, fault: Fault, running: Product, cookie: str) -> Outcome:
    """Breaks one thing while cameras run."""
    views = [faces.jpeg(faces.astronaut()), faces.jpeg(np.zeros((512, 512, 3), np.uint8))]
    with Cameras(running.address, cookie, views, CAMERAS) as cameras:
        product.wait_for(lambda: cameras.work(0.0))
        time.sleep(WARM_S)
        before_mb, lost_before = running.memory_mb("web"), sum(camera.lost for camera in cameras.seen)
        since = time.monotonic()
        with fault(running):
            pass
        mended = time.monotonic()
        with contextlib.suppress(AssertionError):
            product.wait_for(lambda: cameras.work(mended), LONGEST_S)
        time.sleep(AFTER_S)
        until = time.monotonic()
        grown_mb = running.memory_mb("web") - before_mb
    told, stored = cameras.decided(), running.decided()
    return Outcome(
        fault=name,
        outage_s=cameras.outage_s(since=since, until=until),
        mended_s=mended - since,
        frames_lost=sum(camera.lost for camera in cameras.seen) - lost_before,
        decisions_told=len(told),
        decisions_lost=sum(stored.get(event) != decision for event, decision in told.items()),
        seal_is_whole=running.seal_is_whole(),
        closed=dict(cameras.count("closed")),
        notices=dict(cameras.count("notices")),
        grown_mb=grown_mb,
    )


def main() -> None:
    """Parses, measures, prints."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("faults", nargs="*", choices=[*PLAIN, *CLOCK, []], help="which ones (default: all)")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    options = parser.parse_args()
    wanted = options.faults or [*PLAIN, *CLOCK]
    is_good = True
    for outcome in (
        *of_parts([name for name in wanted if name in PLAIN]),
        *of_clock([n for n in wanted if n in CLOCK]),
    ):
        is_good &= isinstance(outcome, str) or outcome.is_good
        if isinstance(outcome, str):
            print(outcome, flush=True)
        else:
            print(json.dumps(dataclasses.asdict(outcome)) if options.json else row(outcome), flush=True)
    sys.exit(0 if is_good else 1)


def of_parts(names: Sequence[str]) -> Iterator[Outcome | str]:
    """Breaks parts of one installation; a sentence where one cannot be broken on this machine."""
    if not names:
        return
    with contextlib.ExitStack() as stack:
        disk = stack.enter_context(installations.temporary_state_dir())
        is_small = stack.enter_context(product.small_disk(disk, DISK_MB))
        running = stack.enter_context(product.running({}, disk=disk))
        cookie = running.log_in()
        for name in names:
            if name == "full-disk" and not is_small:
                yield f"{name}: skipped, because a small disk needs the right to mount one"
                continue
            yield measure(name, PLAIN[name], running, cookie)


def of_clock(names: Sequence[str]) -> Iterator[Outcome | str]:
    """Lets the clock of an installation jump."""
    if not names:
        return
    if not FAKETIME.exists():
        yield f"{', '.join(names)}: skipped, because libfaketime is not installed: apt-get install faketime"
        return
    with contextlib.ExitStack() as stack:
        clock = stack.enter_context(installations.temporary_state_dir()) / "clock"
        clock.write_text("+0\n")
        variables = {
            "LD_PRELOAD": str(FAKETIME),
            "FAKETIME_TIMESTAMP_FILE": str(clock),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        disk = stack.enter_context(installations.temporary_state_dir())
        running = stack.enter_context(product.running(variables, disk=disk))
        cookie = running.log_in()
        for name in names:
            yield measure(name, faults.clock_jump(clock, CLOCK[name]), running, cookie)


def row(outcome: Outcome) -> str:
    """A row of the table in docs/howto/operations.md."""
    outage = "never" if outcome.outage_s is None else f"{outcome.outage_s:.1f} s"
    told = f"{outcome.decisions_told} told, {outcome.decisions_lost} lost"
    seal = "whole" if outcome.seal_is_whole else "BROKEN"
    heard = {**outcome.notices, **outcome.closed}
    return (
        f"| {outcome.fault} | {outcome.mended_s:.1f} s | {outage} | {outcome.frames_lost} | {told} | {seal} | "
        f"{outcome.grown_mb:+.0f} MB | {heard} |"
    )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "faceweb.settings.dev")
    main()
