from __future__ import annotations

from pathlib import Path

import pytest

from recognition.bench import live
from recognition.bench.bare import BareRun
from recognition.bench.clients import SentFrame, Stream, Streamed
from recognition.bench.live import ThroughChannels, _BareWay, _Installation
from recognition.bench.server import Server
from tests import faces


def stream(frames: int, embedded: int, dropped: int = 0) -> Stream:
    return Stream(
        [SentFrame(0, index, int(index < embedded), (), 10.0 + index, float(index)) for index in range(frames)],
        made=frames + dropped,
        dropped=dropped,
    )


def bare_run(frames: int, embedded: int, seconds: float) -> BareRun:
    return BareRun(frames, embedded, seconds, (seconds * 1e3 / frames,) * frames)


def installation(rounds: list[Streamed], *, commands: int = 0) -> _Installation:
    return _Installation(Server(0, Path(), "", "", {}), "", "redis://" if commands else "", rounds, commands)


def test_what_was_measured_is_summed_over_the_rounds() -> None:
    rounds = [
        Streamed((stream(10, 2), stream(5, 1, dropped=1)), seconds=1.0),
        Streamed((stream(10, 2), stream(15, 1)), seconds=3.0),
    ]
    way = _BareWay("bare", faces.default_pipeline(), 1, [bare_run(15, 3, 0.5), bare_run(25, 3, 1.5)])
    measured = live._summary(installation(rounds), way, camera_fps=None)
    assert (measured.fps, measured.bare_fps, measured.ratio) == (10.0, 20.0, 0.5)
    assert (measured.embeddings, measured.bare_embeddings, measured.dropped) == (6, 6, 1)
    assert measured.near_share == 0.0
    assert measured.fairness == 1.0
    assert measured.analysed_share == 40 / 41
    assert measured.bare_p95_ms == pytest.approx(60.0)
    assert measured.p50_ms == pytest.approx(14.5)


def test_fairness_is_that_of_the_slowest_stream() -> None:
    way = _BareWay("bare", faces.default_pipeline(), 1, [bare_run(30, 0, 1.0)])
    measured = live._summary(installation([Streamed((stream(10, 0), stream(20, 0)), seconds=2.0)]), way, camera_fps=10)
    assert (measured.fairness, measured.slowest_fps, measured.fastest_fps) == (0.5, 5.0, 10.0)
    assert (measured.streams, measured.camera_fps) == (2, 10)


def test_the_way_through_redis_is_told_beside_the_one_through_the_channel_layer() -> None:
    way = _BareWay("bare", faces.default_pipeline(), 1, [bare_run(10, 0, 0.5)])
    ours = installation([Streamed((stream(10, 0),), seconds=1.0)], commands=50)
    other = installation([Streamed((stream(4, 0),), seconds=1.0)], commands=80)
    measured = live._summary(ours, way, camera_fps=None, workers=2, others=[other])
    assert (measured.workers, measured.redis_commands_per_frame, measured.ratio) == (2, 5.0, 0.5)
    assert measured.through_channels == ThroughChannels(4.0, 0.2, other.p_ms(95)[0], 20.0)


@pytest.mark.parametrize(("seconds", "rounds"), [(1, [1]), (14, [14]), (20, [10, 10]), (36, [9, 9, 9, 9])])
def test_the_time_is_divided_into_rounds_of_about_ten_seconds(seconds: float, rounds: list[float]) -> None:
    assert live._lengths(seconds) == rounds
