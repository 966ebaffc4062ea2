from __future__ import annotations

import pytest

from recognition.bench.clients import Camera, Shutter
from recognition.bench.recordings import FRAMES
from recognition.live.messages import CameraFrame
from recognition.vision.types import BoundingBox

RECORDINGS = [[b"%d/%d" % (recording, index) for index in range(FRAMES)] for recording in range(3)]


def sent(camera: Camera, now: float) -> str:
    return CameraFrame.parse(camera._frame(now)).jpeg.decode()


FACE = {"box": {"x": 10.0, "y": 20.0, "width": 30.0, "height": 40.0}}


def result(sequence: int, status: str = "analysed", embedded: int = 0, *, everywhere: bool = True) -> dict[str, object]:
    return {
        "sequence": sequence,
        "status": status,
        "faces": [FACE],
        "embedded": embedded,
        "everywhere": everywhere,
        "timings": {"server": 0.0},
    }


def test_frames_follow_each_other_and_the_person_changes_every_five_seconds() -> None:
    camera = Camera(RECORDINGS, first=1, ahead_s=2.0, shutter=Shutter())
    assert [sent(camera, now) for now in (0.0, 2.9, 3.0, 8.0, 13.0)] == ["1/0", "1/1", "2/2", "0/3", "1/4"]


def test_answers_are_counted_by_what_became_of_the_frame() -> None:
    camera = Camera(RECORDINGS, first=0, ahead_s=0.0, shutter=Shutter())
    for now in (0.0, 0.1):
        camera._frame(now)
    camera._take(result(1, embedded=1))
    camera._take(result(0, "dropped"))
    assert [(frame.recording, frame.index, frame.embedded) for frame in camera.seen.analysed] == [(0, 1, 1)]
    assert camera.seen.dropped == 1
    with pytest.raises(KeyError):
        camera._take(result(0))


def test_where_the_server_looked_is_kept_for_the_bare_pipeline() -> None:
    camera = Camera(RECORDINGS, first=0, ahead_s=0.0, shutter=Shutter())
    for now in (0.0, 0.1):
        camera._frame(now)
    camera._take(result(0, everywhere=True))
    camera._take(result(1, everywhere=False))
    assert [frame.near for frame in camera.seen.analysed] == [(), (BoundingBox(10, 20, 40, 60),)]


def test_a_paced_camera_shows_the_recordings_at_their_own_speed() -> None:
    camera = Camera(RECORDINGS, first=0, ahead_s=0.0, shutter=Shutter(10))
    assert [sent(camera, now) for now in (0.0, 0.1, 0.2)] == ["0/0", "0/3", "0/6"]


def test_without_a_pace_there_is_always_a_new_frame() -> None:
    shutter = Shutter()
    assert [shutter.takes(now) for now in (0.0, 0.0, 5.0)] == [True] * 3
    shutter.close(100.0)
    assert shutter.made == 3


def test_a_paced_camera_has_a_frame_at_its_time_and_keeps_the_newest_of_those_not_taken() -> None:
    shutter = Shutter(10, first_s=0.05)
    assert not shutter.takes(0.0)
    assert shutter.next_s() == pytest.approx(0.05)
    assert shutter.takes(shutter.next_s())
    assert not shutter.takes(0.1)
    assert shutter.next_s() == pytest.approx(0.15)
    assert shutter.takes(0.36)  # the fourth; two are lost
    assert not shutter.takes(0.4)
    shutter.close(1.0)
    assert shutter.made == 10
