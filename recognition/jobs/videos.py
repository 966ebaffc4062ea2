"""The jobs that watch an uploaded video, and that compare a person with one.

What was seen is stored in one transaction at the end: whoever cancels it, and a process that dies, leave nothing of it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recognition import conf
from recognition.jobs.deciding import NO_ACTIVE_PACK, NO_THRESHOLDS
from recognition.jobs.importing import PACK_UNUSABLE
from recognition.jobs.running import JobFailed, Steps
from recognition.live.session import Finished
from recognition.models import Job, Person, Video, VideoPiece
from recognition.selectors import people
from recognition.selectors import videos as read
from recognition.selectors.packs import NoActivePack
from recognition.services import videos
from recognition.services.events import TransactionRecord
from recognition.services.videos import Seen, Watched
from recognition.vision.errors import PackError, UnreadableVideo
from recognition.vision.videos import Video as OpenVideo
from recognition.vision.videos import VideoFile, VideoFrame

if TYPE_CHECKING:
    from recognition.worker.engine import Engine

VIDEO_GONE = "video_gone"
VIDEO_UNREADABLE = "video_unreadable"
VIDEO_TOO_LONG = "video_too_long"
NO_ROOM = "no_room"
PERSON_GONE = "person_gone"

REPORT_S = 0.5
"""Seconds between two looks at whether the job is to end, which are told how far it is."""

ROOM_KEPT_BYTES = 2**27
"""What has to stay free while films are written, which says nothing when the disk is full."""

ANNOTATED_SIDE_PX = 960
"""Longer side of the copy with names at most. OpenCV asks its encoders for their best and passes no bit rate on:
faces in 1280 x 720 at 25 frames a second take 16 Mbit/s."""

ANNOTATED_FPS = 10.0
"""Frames a second of that copy at most: boxes move no more often."""


def watch(steps: Steps) -> Mapping[str, Any]:
    """Follows and recognises the faces of a video, and stores who was there when, with an event for each.

    Raises:
        JobFailed: when the video is gone, cannot be read or is too long, no pack decides, or there is no room.
    """
    from recognition.worker import recordings

    with _at_hand(steps) as (row, path, folder), OpenVideo(path) as video:
        engine, progress = _engine(), _Progress(steps, video, folder)
        if engine.active.policy is None:
            raise JobFailed(NO_THRESHOLDS)
        records: dict[str, TransactionRecord] = {}

        def decided(finished: Finished, _first_s: float) -> None:
            records[finished.track_id] = finished.record

        target = folder / "annotated.webm"
        with VideoFile(target, fps=min(recordings.pace(video), ANNOTATED_FPS)) as out:
            found = recordings.watch(
                video, engine, decided=decided, report=progress, out=out, out_side_px=ANNOTATED_SIDE_PX
            )
        seen = tuple(Seen(each, records.get(each.track_id)) for each in found.timeline.appearances)
        watched = Watched(found.duration_s, found.broke_off, found.timeline.unusable, seen)
        stored: list[int] = []

        def store() -> None:
            actor = Job.objects.select_related("requested_by").get(pk=steps.run.job_id).requested_by
            stored.append(videos.store(video=row, watched=watched, annotated=_blocks(target), actor=actor))

        try:
            steps.store(store, done=found.frames, total=found.frames, checkpoint={})
        except Video.DoesNotExist as error:
            raise JobFailed(VIDEO_GONE) from error
    return {"events": stored[0], "people": len(found.timeline.people), "appearances": len(seen)}


def compare(steps: Steps) -> Mapping[str, Any]:
    """Compares all samples of a person with every good view of whoever in a video is most like them.

    Raises:
        JobFailed: when the video or the person is gone, it cannot be read or is too long, or no pack can be used.
    """
    from recognition.worker import videos as comparing

    person = Person.objects.filter(pk=steps.run.parameters["person"]).first()
    if person is None:
        raise JobFailed(PERSON_GONE)
    with _at_hand(steps) as (_, path, folder), OpenVideo(path) as video:
        progress = _Progress(steps, video, folder)
        check = comparing.compare(video, _engine(), people.following_merges(person).pk, report=progress)
    return dataclasses.asdict(check)


def clear_left() -> None:
    """Removes what jobs left in the folder of videos whose process was killed, and that run here no more."""
    place = _place()
    for folder in place.iterdir() if place.exists() else ():
        runs = folder.name.isdecimal() and Job.objects.filter(pk=folder.name, state=Job.State.RUNNING).exists()
        if not runs:
            shutil.rmtree(folder, ignore_errors=True)


class _Progress:
    """Tells every half second how far a video is, and looks whether the job has to end."""

    def __init__(self, steps: Steps, video: OpenVideo, folder: Path) -> None:
        self._steps, self._total, self._folder = steps, video.declared_frames, folder
        self._since, self._told = time.time(), time.monotonic()
        self._longest_s = conf.video_max_minutes() * 60.0
        self._require_length(video.declared_frames / video.fps)

    def __call__(self, frame: VideoFrame) -> None:
        """Takes in that a frame was dealt with.

        Raises:
            JobFailed: when the video is too long, or the disk nearly full.
            CancelRequested, Stopping, Superseded: to be let through.
        """
        self._require_length(frame.at_s)
        if time.monotonic() - self._told < REPORT_S:
            return
        self._told = time.monotonic()
        if shutil.disk_usage(self._folder).free < ROOM_KEPT_BYTES:
            raise JobFailed(NO_ROOM)
        done = frame.index + 1
        # A file that says too few frames is not done before its end.
        total = max(self._total, done + 1) if self._total else 0
        self._steps.done(done, total, {"since": self._since})

    def _require_length(self, at_s: float) -> None:
        if at_s > self._longest_s:
            raise JobFailed(VIDEO_TOO_LONG, minutes=conf.video_max_minutes())


@contextlib.contextmanager
def _at_hand(steps: Steps) -> Iterator[tuple[Video, Path, Path]]:
    """The video as a file in a folder of the job's own, which is gone afterwards, and errors as the job says them."""
    row = Video.objects.filter(pk=steps.run.parameters["video"]).first()
    if row is None or not read.film_bytes(row, VideoPiece.Film.UPLOADED):
        raise JobFailed(VIDEO_GONE)
    clear_left()
    folder = _place() / str(steps.run.job_id)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(mode=0o700, parents=True)
        path = folder / "uploaded"
        with path.open("wb") as file:
            for piece in read.film_pieces(row, VideoPiece.Film.UPLOADED):
                file.write(piece)
        yield row, path, folder
    except UnreadableVideo as error:
        raise JobFailed(VIDEO_UNREADABLE) from error
    except NoActivePack as error:
        raise JobFailed(NO_ACTIVE_PACK) from error
    except PackError as error:
        raise JobFailed(PACK_UNUSABLE) from error
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise JobFailed(NO_ROOM) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _place() -> Path:
    return conf.state_dir() / "videos"


def _engine() -> Engine:
    # Imported here, because a process that does other jobs needs no networks, and they take seconds to load.
    from recognition.worker import recogniser
    from recognition.worker.engine import EngineSource

    engines = EngineSource()
    recogniser.start(engines)
    return engines.current()


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(read.PIECE_BYTES):
            yield block
