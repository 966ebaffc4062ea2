from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.vision import tracking
from recognition.vision.types import BoundingBox

A = BoundingBox(0, 0, 100, 100)
B = BoundingBox(200, 0, 300, 100)
A_MOVED = BoundingBox(20, 0, 120, 100)
BETWEEN = BoundingBox(10, 0, 110, 100)
A_FAR = BoundingBox(60, 0, 160, 100)  # IoU 0.25 with A exactly
A_TOO_FAR = BoundingBox(61, 0, 161, 100)


@pytest.mark.parametrize(
    ("boxes", "tracks", "matched"),
    [
        ([], [], ()),
        ([], [A], ()),
        ([A], [], (None,)),
        ([A_FAR], [A], (0,)),  # the least overlap that is followed
        ([A_TOO_FAR], [A], (None,)),
        ([B], [A], (None,)),
        ([A_MOVED, B], [B, A], (1, 0)),
        ([A_MOVED, A], [A], (None, 0)),  # the better overlap wins
        ([A, A], [A], (0, None)),  # equal ones: the first
        ([BETWEEN], [A_MOVED, BETWEEN], (1,)),
        ([BETWEEN, A], [A, A_MOVED], (1, 0)),  # what is left over takes the next best
    ],
)
def test_boxes_go_to_the_track_that_they_overlap_best(
    boxes: list[BoundingBox], tracks: list[BoundingBox], matched: tuple[int | None, ...]
) -> None:
    assert tracking.match_boxes(boxes, tracks) == matched


small_boxes = st.lists(
    st.builds(
        lambda x, y, w, h: BoundingBox(x, y, x + w, y + h),
        *(st.integers(0, 100), st.integers(0, 100), st.integers(1, 80), st.integers(1, 80)),
    ),
    max_size=8,
)


@given(small_boxes, small_boxes, st.floats(0.01, 0.9))
def test_matching_is_one_to_one_above_the_limit_and_leaves_no_pair_over(
    boxes: list[BoundingBox], tracks: list[BoundingBox], minimum_iou: float
) -> None:
    matched = tracking.match_boxes(boxes, tracks, minimum_iou=minimum_iou)
    taken = [index for index in matched if index is not None]
    assert len(matched) == len(boxes)
    assert len(taken) == len(set(taken))
    for box, index in zip(boxes, matched, strict=True):
        if index is not None:
            assert box.iou(tracks[index]) >= minimum_iou
        else:
            free = (track for number, track in enumerate(tracks) if number not in taken)
            assert all(box.iou(track) < minimum_iou for track in free)
