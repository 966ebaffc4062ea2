"""Which face of this frame is which face of the last one."""

from __future__ import annotations

from collections.abc import Sequence

from recognition.vision.types import BoundingBox

MINIMUM_IOU = 0.25
"""Below this overlap two boxes are two faces.

At 15 frames a second a face that crosses its own width in one second moves 7 % of it from frame to
frame (IoU 0.87); 0.25 still follows one that moves 60 % of its width, and keeps neighbours apart.
"""


def match_boxes(
    boxes: Sequence[BoundingBox],
    tracks: Sequence[BoundingBox],
    *,
    minimum_iou: float = MINIMUM_IOU,
) -> tuple[int | None, ...]:
    """Matches boxes to tracks one to one, the best overlap first.

    Args:
        boxes: of this frame.
        tracks: where each track was last seen.
        minimum_iou: pairs that overlap less are never matched.

    Returns:
        For each box the index of its track, or None for a face that is new.
    """
    pairs = sorted(
        (
            (box.iou(track), box_index, track_index)
            for box_index, box in enumerate(boxes)
            for track_index, track in enumerate(tracks)
        ),
        key=lambda pair: (-pair[0], pair[1], pair[2]),
    )
    matched: list[int | None] = [None] * len(boxes)
    taken: set[int] = set()
    for iou, box_index, track_index in pairs:
        if iou >= minimum_iou and matched[box_index] is None and track_index not in taken:
            matched[box_index] = track_index
            taken.add(track_index)
    return tuple(matched)
