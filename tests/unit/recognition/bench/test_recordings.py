from __future__ import annotations

import itertools

import numpy as np
import pytest

from recognition.bench import recordings
from recognition.vision import geometry, images
from recognition.vision.tracking import MINIMUM_IOU
from recognition.vision.types import ImageBgr
from tests import faces


@pytest.fixture(scope="module")
def portrait() -> ImageBgr:
    astronaut = faces.astronaut()
    face = faces.default_pipeline().find(astronaut)[0]
    return geometry.crop_square(astronaut, face.box, context=2.2, side_px=250)


def test_a_recording_is_five_seconds_of_webcam_frames(portrait: ImageBgr) -> None:
    frames = recordings.record(portrait, 0)
    assert len(frames) == recordings.FRAMES == 30 * recordings.PERSON_SECONDS
    assert {images.decode(frame).shape for frame in frames[::50]} == {(480, 640, 3)}
    assert 15_000 < np.mean([len(frame) for frame in frames]) < 60_000


def test_the_face_moves_so_that_a_track_holds_also_from_the_last_frame_to_the_first(portrait: ImageBgr) -> None:
    frames = recordings.record(portrait, 1)
    found = [
        faces.default_pipeline().find(images.decode(frame), smallest_face_px=48, coarser=False)
        for frame in (*frames[50:55], frames[-1], frames[0])
    ]
    assert [len(each) for each in found] == [1] * len(found)
    boxes = [each[0].box for each in found]
    assert min(first.iou(second) for first, second in itertools.pairwise(boxes[:5])) > 0.75
    assert boxes[-2].iou(boxes[-1]) > 0.75
    assert boxes[0].iou(boxes[4]) < 0.9


def test_each_recording_begins_elsewhere(portrait: ImageBgr) -> None:
    first, second = (images.decode(recordings.record(portrait, number)[0]) for number in (0, 1))
    boxes = [faces.default_pipeline().find(image, smallest_face_px=48)[0].box for image in (first, second)]
    assert boxes[0].iou(boxes[1]) < MINIMUM_IOU
