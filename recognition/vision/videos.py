"""Video files: their frames upright and in the order of time, one at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from recognition.vision import geometry
from recognition.vision.errors import UnreadableVideo
from recognition.vision.types import ImageBgr, Size

LARGEST_SIDE_PX = 1920
"""Longer side of the frames that are given; larger ones are reduced, for which no face is too small."""

MOST_PIXELS = 8192 * 4320
"""Of a frame as it is stored: 8K."""

FALLBACK_FPS = 25.0
"""Where a file does not say how long a frame lasts."""

LONGEST_PAUSE_S = 60.0
"""A frame that is written is repeated no longer than this: times of a broken file may jump by hours."""

_SIGNATURES = ((4, b"ftyp"), (0, b"\x1a\x45\xdf\xa3"), (0, b"RIFF"), (0, b"\x00\x00\x01\xba"), (0, b"\x47\x40"))
"""At which byte what stands: MP4 and MOV, Matroska and WebM, AVI, MPEG program and transport streams. Playlists, which
name other files, are no videos here."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class VideoFrame:
    """One frame.

    Args:
        index: counts from 0.
        at_s: when it is shown, in seconds from the beginning; more than that of the frame before.
        image_bgr: (height, width, 3) uint8 in the order blue, green, red, upright.
    """

    index: int
    at_s: float
    image_bgr: ImageBgr


class Video:
    """A video file that is open; a context that closes it."""

    def __init__(self, path: Path) -> None:
        """Opens it.

        Args:
            path: of the file; an address is none.

        Raises:
            UnreadableVideo: when it is no video, or one that cannot be read.
        """
        self._capture = _opened(path)
        self._path = path
        self.declared_frames = max(int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0)
        """How many the file says that there are, 0 where it does not say; a hint for a progress bar."""
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if 1.0 <= fps <= 1000.0 else FALLBACK_FPS
        """Frames a second on average; a file of phones and meetings varies."""
        self.frames_read = 0

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Closes the file."""
        self._capture.release()

    @property
    def broke_off(self) -> bool:
        """Whether frames are missing at the end, once all were read: the file was cut off, or is broken there."""
        # Some files count a frame or two that nobody can show.
        return self.frames_read < self.declared_frames * 0.98 - 2

    def frames(self) -> Iterator[VideoFrame]:
        """Every frame, once.

        Raises:
            UnreadableVideo: when there is none.
        """
        last_s = -1.0 / self.fps
        while (image_bgr := self._next()) is not None:
            stamp_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1e3
            # Files without times, and such that jump back, go on at their average pace.
            last_s = stamp_s if stamp_s > last_s else last_s + 1.0 / self.fps
            yield VideoFrame(self.frames_read - 1, last_s, image_bgr)
        if not self.frames_read:
            raise UnreadableVideo(
                f"{self._path.name} holds no frame that can be read: it is broken, or in an unknown format."
            )

    def _next(self) -> ImageBgr | None:
        try:
            is_read, image = self._capture.read()
        except cv2.error:
            return None
        if not is_read or image is None:
            return None
        self.frames_read += 1
        image_bgr = np.asarray(image, np.uint8)
        longer = max(image_bgr.shape[:2])
        return geometry.resized(image_bgr, min(LARGEST_SIDE_PX / longer, 1.0))


def is_video(head: bytes) -> bool:
    """Whether a file that begins so may be a video; whether it can be read only shows when it is.

    Args:
        head: its first bytes, 16 or more where it has as many.
    """
    return any(head[at:].startswith(signature) for at, signature in _SIGNATURES)


def _opened(path: Path) -> cv2.VideoCapture:
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise UnreadableVideo(f"{path} cannot be read: {error.strerror}.") from error
    if not head:
        raise UnreadableVideo(f"{path.name} is empty.")
    if not is_video(head):
        raise UnreadableVideo(f"{path.name} is no video: expected MP4, MOV, Matroska, WebM, AVI or MPEG.")
    # By FFmpeg alone: other readers take a name with % for a series of images.
    capture = cv2.VideoCapture(str(path.resolve()), cv2.CAP_FFMPEG)
    size = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)) * int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
    if not capture.isOpened() or not size:
        capture.release()
        raise UnreadableVideo(f"{path.name} cannot be read: it is broken or cut off, or in an unknown format.")
    if size > MOST_PIXELS:
        capture.release()
        raise UnreadableVideo(f"{path.name} has frames of {size:,} pixels; at most {MOST_PIXELS:,} are read.")
    return capture


class VideoFile:
    """A video file that is written; complete only once it is closed, and gone when something failed before."""

    CODECS = {".mp4": "mp4v", ".webm": "VP80", ".avi": "MJPG"}
    """By the end of the name. WebM plays in browsers."""

    def __init__(self, path: Path, *, fps: float) -> None:
        """Begins with the first frame.

        Args:
            path: where to; what is there is replaced at the end.
            fps: frames a second.

        Raises:
            ValueError: for another ending than those of `CODECS`.
        """
        if path.suffix.lower() not in self.CODECS:
            raise ValueError(f"{path.name}: a video is written as {', '.join(self.CODECS)}.")
        self._path = path
        # The ending says what is written.
        self._half = path.with_name(f".{path.stem}.half{path.suffix}")
        self._fps = fps
        self._writer: cv2.VideoWriter | None = None
        self._last: ImageBgr | None = None
        self._written = 0
        self._left_out = 0

    def write(self, image_bgr: ImageBgr, *, at_s: float | None = None) -> None:
        """Adds a frame; all have the size of the first.

        Args:
            image_bgr: (height, width, 3) uint8 in the order blue, green, red.
            at_s: when it is shown, in seconds from the beginning. The file has one pace: the frame before is repeated
                until then, for `LONGEST_PAUSE_S` at most, and a frame that comes too soon is left out. Right after
                the one before where it is not given.

        Raises:
            ValueError: when it cannot be written.
        """
        if self._last is not None and Size.of(image_bgr) != Size.of(self._last):
            raise ValueError("frames of one size were expected")
        if at_s is not None and self._wait(at_s) < 0:
            return
        self._add(image_bgr)
        self._last = image_bgr

    def _wait(self, at_s: float) -> int:
        """Repeats the frame before until a time; returns how many frames too soon it is, below 0, or 0."""
        missing = round(at_s * self._fps) - self._left_out - self._written
        too_many = missing - round(LONGEST_PAUSE_S * self._fps)
        if too_many > 0:
            self._left_out += too_many
            missing -= too_many
        if self._last is not None:
            for _ in range(missing):
                self._add(self._last)
        elif missing > 0:  # it begins with its first frame, whenever that is shown
            self._left_out += missing
        return min(missing, 0)

    def _add(self, image_bgr: ImageBgr) -> None:
        if self._writer is None:
            size = Size.of(image_bgr)
            codec = cv2.VideoWriter.fourcc(*self.CODECS[self._path.suffix.lower()])
            self._writer = cv2.VideoWriter(str(self._half), codec, self._fps, (size.width, size.height))
            if not self._writer.isOpened():
                raise ValueError(f"{self._path} cannot be written: is there such a folder, and room?")
        self._writer.write(image_bgr)
        self._written += 1

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Completes the file, or removes it."""
        if self._writer is not None:
            self._writer.release()
        if error is None and self._half.exists():
            self._half.replace(self._path)
        else:
            self._half.unlink(missing_ok=True)
