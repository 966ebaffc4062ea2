from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils.functional import SimpleLazyObject

from recognition.bench import census
from recognition.bench.census import NoCensus


@pytest.fixture
def answering(tmp_path: Path) -> Iterator[Path]:
    """This process answers at the path."""
    path = tmp_path / "census.json"
    before = signal.getsignal(census.SIGNAL)
    census.answer(path)
    yield path
    signal.signal(census.SIGNAL, before)


def test_tasks_are_counted_until_they_end(answering: Path) -> None:
    async def count() -> list[int]:
        counts = [census.ask(os.getpid(), answering).tasks]
        over = asyncio.Event()
        tasks = [asyncio.ensure_future(over.wait()) for _ in range(3)]
        counts.append(census.ask(os.getpid(), answering).tasks)
        over.set()
        await asyncio.gather(*tasks)
        counts.append(census.ask(os.getpid(), answering).tasks)
        return counts

    alone, waiting, ended = asyncio.run(count())
    assert (waiting - alone, ended - alone) == (3, 0)


def test_what_is_lazy_stays_asleep(answering: Path) -> None:
    def wake() -> object:
        raise AssertionError("it was looked into")

    asleep = SimpleLazyObject(wake)
    assert census.ask(os.getpid(), answering).tasks >= 0
    del asleep


def test_of_a_process_that_has_ended_nothing_is_known(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    with pytest.raises(NoCensus, match="has ended"):
        census.ask(process.pid, tmp_path / "census.json")
