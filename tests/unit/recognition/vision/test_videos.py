from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from recognition.vision import videos
from recognition.vision.errors import UnreadableVideo
from recognition.vision.types import ImageBgr
from recognition.vision.videos import Video, VideoFile


def shade(value: int, *, width: int = 64, height: int = 48) -> ImageBgr:
    return np.full((height, width, 3), value, np.uint8)


def written(path: Path, frames: int = 10, *, fps: float = 10.0, width: int = 64, height: int = 48) -> Path:
    with VideoFile(path, fps=fps) as file:
        for number in range(frames):
            file.write(shade(20 * number % 256, width=width, height=height))
    return path


def written_askew(path: Path) -> None:
    with VideoFile(path, fps=10) as file:
        file.write(shade(1))
        file.write(shade(1, width=32))


def test_frames_come_in_the_order_of_time(tmp_path: Path) -> None:
    with Video(written(tmp_path / "a.mp4")) as video:
        frames = list(video.frames())
        assert (video.declared_frames, video.frames_read, video.fps, video.broke_off) == (10, 10, 10.0, False)
    assert [frame.index for frame in frames] == list(range(10))
    assert [frame.at_s for frame in frames] == pytest.approx([number / 10 for number in range(10)])
    shades = [float(frame.image_bgr.mean()) for frame in frames]
    assert shades == pytest.approx([20 * number for number in range(10)], abs=6)


@pytest.mark.parametrize("name", ["a.mp4", "a.webm", "a.avi", "with % and ü.mp4"])
def test_every_kind_that_is_written_is_read(name: str, tmp_path: Path) -> None:
    with Video(written(tmp_path / name)) as video:
        assert len(list(video.frames())) == 10


def test_a_picture_that_was_taken_upright_is_upright(tmp_path: Path) -> None:
    path = written(tmp_path / "phone.mp4", width=64, height=48)
    data = bytearray(path.read_bytes())
    # The matrix of the track's header: a quarter turn, as phones note it. ISO/IEC 14496-12, 8.3.2.
    at = data.index(b"tkhd") + 4 + 40
    one, none = (0x10000).to_bytes(4, "big"), bytes(4)
    turned = none + one + none + (-0x10000).to_bytes(4, "big", signed=True) + none + none + none + none
    data[at : at + 32] = turned
    path.write_bytes(data)
    with Video(path) as video:
        assert next(video.frames()).image_bgr.shape == (64, 48, 3)


class Stamps:
    """A file with these times."""

    def __init__(self, *times_ms: float) -> None:
        self._times = times_ms
        self._next = 0

    def read(self) -> tuple[bool, ImageBgr | None]:
        self._next += 1
        return (True, shade(0)) if self._next <= len(self._times) else (False, None)

    def get(self, what: int) -> float:
        return {
            cv2.CAP_PROP_POS_MSEC: self._times[min(self._next, len(self._times)) - 1] if self._next else 0.0,
            cv2.CAP_PROP_FRAME_COUNT: float(len(self._times)),
            cv2.CAP_PROP_FPS: 10.0,
        }[what]

    def release(self) -> None:
        pass


@pytest.mark.parametrize(
    ("times_ms", "expected_s"),
    [
        ((0.0, 40.0, 500.0, 520.0), [0.0, 0.04, 0.5, 0.52]),  # a frame rate that varies
        ((0.0, 0.0, 0.0), [0.0, 0.1, 0.2]),  # no times at all
        ((0.0, 100.0, 50.0, 300.0), [0.0, 0.1, 0.2, 0.3]),  # back and forth
    ],
)
def test_times_always_go_on(
    times_ms: tuple[float, ...], expected_s: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(videos, "_opened", lambda _path: Stamps(*times_ms))
    with Video(Path("a.mp4")) as video:
        assert [frame.at_s for frame in video.frames()] == pytest.approx(expected_s)


def test_a_frame_larger_than_a_screen_is_reduced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(videos, "LARGEST_SIDE_PX", 32)
    with Video(written(tmp_path / "a.mp4")) as video:
        assert next(video.frames()).image_bgr.shape == (24, 32, 3)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"no video, but a text", "is no video"),
        (b"#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1/secret.ts\n", "is no video"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "is no video"),
        (b"\x00\x00\x00\x20ftypisom", "broken or cut off"),
        (b"\x1a\x45\xdf\xa3" + bytes(2000), "broken or cut off"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt " + bytes(100), "broken or cut off"),
    ],
)
def test_what_is_no_video_is_refused_with_a_reason(content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(UnreadableVideo, match=reason):
        Video(path)


@pytest.mark.parametrize("name", ["absent.mp4", ".", "http:/127.0.0.1/a.mp4"])
def test_what_is_no_file_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableVideo, match="cannot be read"):
        Video(tmp_path / name)


def test_a_frame_of_too_many_pixels_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(videos, "MOST_PIXELS", 64 * 48 - 1)
    with pytest.raises(UnreadableVideo, match="3,072 pixels"):
        Video(written(tmp_path / "a.mp4"))


def test_a_file_that_was_cut_off_says_so_at_its_end(tmp_path: Path) -> None:
    whole = written(tmp_path / "whole.avi", frames=60).read_bytes()
    cut = tmp_path / "cut.avi"
    cut.write_bytes(whole[: len(whole) // 2])
    with Video(cut) as video:
        frames = list(video.frames())
        assert 0 < len(frames) < 60
        assert video.broke_off


class TestWriting:
    @pytest.mark.parametrize(
        ("times_s", "expected"),
        [
            ((0.0, 0.1, 0.2), [0, 1, 2]),
            ((0.0, 0.3, 0.4), [0, 0, 0, 1, 2]),  # a pause: the frame before stays
            ((0.0, 0.02, 0.04, 0.1), [0, 3]),  # more frames than are written
            ((7.0, 7.1), [0, 1]),  # a clock that does not begin at 0
            ((0.0, 3600.0, 3600.1), [0, 0, 0, 0, 0, 1, 2]),  # times of a broken file
        ],
    )
    def test_frames_are_shown_at_their_times(
        self, times_s: tuple[float, ...], expected: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(videos, "LONGEST_PAUSE_S", 0.4)
        with VideoFile(tmp_path / "a.avi", fps=10) as file:
            for number, at_s in enumerate(times_s):
                file.write(shade(60 * number), at_s=at_s)
        with Video(tmp_path / "a.avi") as video:
            shown = [round(float(frame.image_bgr.mean()) / 60) for frame in video.frames()]
        assert shown == expected

    def test_another_ending_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=r"\.mp4, \.webm, \.avi"):
            VideoFile(tmp_path / "a.gif", fps=10)

    def test_what_failed_leaves_nothing_and_what_was_there(self, tmp_path: Path) -> None:
        target = written(tmp_path / "a.mp4", frames=1)
        before = target.read_bytes()
        with pytest.raises(ValueError, match="one size"):
            written_askew(target)
        assert target.read_bytes() == before
        assert list(tmp_path.iterdir()) == [target]

    def test_a_folder_that_is_not_there_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="cannot be written"), VideoFile(tmp_path / "no" / "a.mp4", fps=10) as file:
            file.write(shade(1))
