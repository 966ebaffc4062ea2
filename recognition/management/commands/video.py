"""`faceweb video FILE`: who is in a video, and when."""

from __future__ import annotations

import argparse
import contextlib
import csv
import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError
from tqdm import tqdm

from recognition import video_wording
from recognition.decision.appearances import Appearance, PersonInVideo
from recognition.decision.verdict import Decision
from recognition.live.session import Finished
from recognition.live.timeline import Timeline
from recognition.management.base import FAILED, NOT_ACCEPTED, RecognitionCommand, person_by, writing
from recognition.services import events
from recognition.video_wording import clock, span
from recognition.vision.videos import Video, VideoFile, VideoFrame

if TYPE_CHECKING:
    from recognition.worker.engine import Engine
    from recognition.worker.recordings import Found


class Command(RecognitionCommand):
    """Follows and recognises the faces of a video as those before a camera."""

    help = "Say who is in a video and when, and store an event for each; or, with --person, whether somebody is in it."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """FILE, and what to write."""
        parser.add_argument("file", type=Path, metavar="FILE", help="MP4, MOV, Matroska, WebM, AVI or MPEG")
        parser.add_argument(
            "--out", type=Path, metavar="FILE", help="write the video with boxes and names; .mp4, .avi or .webm"
        )
        parser.add_argument("--csv", type=Path, metavar="FILE", help="write the people and every appearance")
        parser.add_argument("--crops", type=Path, metavar="DIR", help="write the best view of everybody as a JPEG")
        parser.add_argument(
            "--fps", type=float, default=10.0, metavar="N", help="frames a second that are looked at (default: 10)"
        )
        parser.add_argument("--no-events", action="store_true", help="store nothing")
        parser.add_argument(
            "--person", metavar="PERSON", help="only compare with this person, by external id or name; stores nothing"
        )
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints the timeline; with --person the comparison, and exit status 1 when it is not accept."""
        if not 0.1 <= options["fps"] <= 1000:
            raise CommandError("--fps: expected a number from 0.1 to 1000.", returncode=FAILED)
        for name in ("out", "csv"):
            if options[name] is not None and options[name].exists():
                raise CommandError(f"{options[name]} is there already; choose another name.", returncode=FAILED)
        with self.explained(), Video(options["file"]) as video:
            if options["person"] is not None:
                self._compare(video, options)
            else:
                self._watch(video, options)

    def _watch(self, video: Video, options: dict[str, Any]) -> None:
        found, stored = _watched(video, _engine(), options)
        if options["csv"] is not None:
            _write_list(options["csv"], found.timeline)
        if options["crops"] is not None:
            _write_crops(options["crops"], found.timeline)
        self.answer(_values(found, stored), _words(found, stored), as_json=options["json"])

    def _compare(self, video: Video, options: dict[str, Any]) -> None:
        from recognition.worker import videos

        person = person_by(options["person"])
        check = videos.compare(video, _engine(), person.pk, analysed_per_s=options["fps"])
        values = dataclasses.asdict(check)
        self.answer({"person": person.pk, **values}, video_wording.compared(values), as_json=options["json"])
        if check.decision is not Decision.ACCEPT:
            sys.exit(NOT_ACCEPTED)


def _engine() -> Engine:
    # Imported here, as in `RecognitionCommand.recognition`.
    from recognition.worker import recogniser
    from recognition.worker.engine import EngineSource

    engines = EngineSource()
    recogniser.start(engines)
    return engines.current()


def _watched(video: Video, engine: Engine, options: dict[str, Any]) -> tuple[Found, int]:
    """What it showed, and how many events were stored."""
    from recognition.worker import recordings

    stored = 0

    def record(finished: Finished, first_s: float) -> None:
        nonlocal stored
        if not options["no_events"]:
            events.record(transaction=finished.record, operator=None, more_reasons=(events.from_video(first_s),))
            stored += 1

    with contextlib.ExitStack() as stack:
        out = stack.enter_context(VideoFile(options["out"], fps=recordings.pace(video))) if options["out"] else None
        bar = stack.enter_context(
            tqdm(total=video.declared_frames or None, unit="frame", desc="Watching", disable=options["json"] or None)
        )

        def report(_frame: VideoFrame) -> None:
            bar.update()

        found = recordings.watch(video, engine, decided=record, report=report, out=out, analysed_per_s=options["fps"])
    return found, stored


def _values(found: Found, stored: int) -> dict[str, Any]:
    return {
        "frames": found.frames,
        "duration_s": round(found.duration_s, 3),
        "broke_off": found.broke_off,
        "events": stored,
        "unusable": found.timeline.unusable,
        "people": [_person(person) for person in found.timeline.people],
        "appearances": [_without_picture(each) for each in found.timeline.appearances],
    }


def _person(person: PersonInVideo) -> dict[str, Any]:
    return {
        "person_id": person.person_id,
        "person_name": person.person_name,
        "first_s": person.first_s,
        "last_s": person.last_s,
        "appearances": len(person.appearances),
        "similarity": person.similarity,
    }


def _without_picture(row: Appearance) -> dict[str, Any]:
    return {name: value for name, value in dataclasses.asdict(row).items() if name not in ("crop_jpeg", "best_score")}


def _words(found: Found, stored: int) -> str:
    lines = [f"{found.frames} frames, {clock(found.duration_s)}."]
    if found.broke_off:
        lines.append("The file is cut off or broken: what comes after is missing.")
    lines += [
        f"{person.person_name}: {span(person.first_s, person.last_s)}, seen {len(person.appearances)} "
        f"time{'s' if len(person.appearances) > 1 else ''}, similarity {person.similarity:.3f}"
        for person in found.timeline.people
    ]
    others = [each for each in found.timeline.appearances if each.person_id is None]
    lines += [
        f"{'unknown' if each.decision else 'undecided'} {number}: {span(each.first_s, each.last_s)}"
        for number, each in enumerate(others, start=1)
    ]
    if found.timeline.unusable:
        lines.append(f"{found.timeline.unusable} more that no frame showed well enough.")
    if len(lines) == 1:
        lines.append("No face was found.")
    lines.append(f"{stored} events were stored.")
    return "\n".join(lines)


def _write_list(target: Path, timeline: Timeline) -> None:
    with writing(target), target.open("x", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(video_wording.COLUMNS)
        writer.writerows(video_wording.rows(timeline.appearances))


def _write_crops(folder: Path, timeline: Timeline) -> None:
    others = [each for each in timeline.appearances if each.person_id is None]
    pictures = {f"person-{person.person_id}.jpg": person.best.crop_jpeg for person in timeline.people}
    pictures |= {f"unknown-{number}.jpg": each.crop_jpeg for number, each in enumerate(others, start=1)}
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, jpeg in pictures.items():
            if jpeg:
                (folder / name).write_bytes(jpeg)
