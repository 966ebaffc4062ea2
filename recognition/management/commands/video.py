"""`faceweb video FILE`: who is in a video, and when."""

from __future__ import annotations

import argparse
import contextlib
import csv
import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError
from tqdm import tqdm

from recognition.decision.verdict import Decision, Reason, TransactionReason
from recognition.import_wording import spreadsheet_cell
from recognition.live.session import FaceView, Finished
from recognition.live.timeline import Appearance, PersonInVideo, Timeline
from recognition.management import video_pictures
from recognition.management.base import FAILED, NOT_ACCEPTED, RecognitionCommand, person_by, writing
from recognition.services import events
from recognition.vision.videos import Video, VideoFile

if TYPE_CHECKING:
    from recognition.worker.engine import Engine

COLUMNS = ("kind", "person", "name", "first_s", "last_s", "appearances", "similarity", "decision")


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """What a video showed.

    Args:
        frames: that were read.
        duration_s: when the last one is shown.
        broke_off: whether the file is cut off or broken before its end.
        timeline: who was seen.
        events: how many were stored.
    """

    frames: int
    duration_s: float
    broke_off: bool
    timeline: Timeline
    events: int


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
        found = _watched(video, _engine(), options)
        if options["csv"] is not None:
            _write_list(options["csv"], found.timeline)
        if options["crops"] is not None:
            _write_crops(options["crops"], found.timeline)
        self.answer(_values(found), _words(found), as_json=options["json"])

    def _compare(self, video: Video, options: dict[str, Any]) -> None:
        from recognition.worker import videos

        person = person_by(options["person"])
        check = videos.compare(video, _engine(), person.pk, analysed_per_s=options["fps"])
        if check.best is None or check.mean is None:
            words = (
                "Not compared: no face of the video was good enough, or this person has no sample of the active pack."
            )
        else:
            said = {Decision.ACCEPT: "Yes", Decision.REJECT_NO_MATCH: "No", None: "Not decided"}[check.decision]
            threshold = "none" if check.threshold is None else f"{check.threshold:.3f}"
            words = (
                f"{said}: mean similarity {check.mean:.3f} over {check.frames} frames, best {check.best:.3f}, "
                f"threshold {threshold}; from {_clock(check.first_s)} to {_clock(check.last_s)}."
            )
        self.answer({"person": person.pk, **dataclasses.asdict(check)}, words, as_json=options["json"])
        if check.decision is not Decision.ACCEPT:
            sys.exit(NOT_ACCEPTED)


def _engine() -> Engine:
    # Imported here, as in `RecognitionCommand.recognition`.
    from recognition.worker import recogniser
    from recognition.worker.engine import EngineSource

    engines = EngineSource()
    recogniser.start(engines)
    return engines.current()


def _watched(video: Video, engine: Engine, options: dict[str, Any]) -> Found:
    from recognition.worker import videos

    timeline, stored, duration_s = Timeline(), 0, 0.0
    views: tuple[FaceView, ...] = ()
    with contextlib.ExitStack() as stack:
        out = stack.enter_context(VideoFile(options["out"], fps=video.fps)) if options["out"] else None
        bar = stack.enter_context(
            tqdm(total=video.declared_frames or None, unit="frame", desc="Watching", disable=options["json"] or None)
        )
        for each in videos.watch(video, engine, analysed_per_s=options["fps"]):
            if isinstance(each, Finished):
                first_s = timeline.decide(each)
                if not options["no_events"]:
                    reason = Reason(TransactionReason.FROM_VIDEO, measured=first_s)
                    events.record(transaction=each.record, operator=None, more_reasons=(reason,))
                    stored += 1
                continue
            bar.update()
            duration_s = each.frame.at_s
            if each.update is not None and each.outcome is not None:
                views = each.update.faces
                timeline.see(each.frame.at_s, views, each.outcome.faces)
            if out is not None:
                out.write(video_pictures.annotated(each.frame.image_bgr, views))
    return Found(video.frames_read, duration_s, video.broke_off, timeline, stored)


def _values(found: Found) -> dict[str, Any]:
    return {
        "frames": found.frames,
        "duration_s": round(found.duration_s, 3),
        "broke_off": found.broke_off,
        "events": found.events,
        "unusable": found.timeline.unusable,
        "people": [_without_picture(person) for person in found.timeline.people],
        "appearances": [_without_picture(each) for each in found.timeline.appearances],
    }


def _without_picture(row: PersonInVideo | Appearance) -> dict[str, Any]:
    return {name: value for name, value in dataclasses.asdict(row).items() if name not in ("crop_jpeg", "best_score")}


def _words(found: Found) -> str:
    lines = [f"{found.frames} frames, {_clock(found.duration_s)}."]
    if found.broke_off:
        lines.append("The file is cut off or broken: what comes after is missing.")
    lines += [
        f"{person.person_name}: {_clock(person.first_s)} to {_clock(person.last_s)}, "
        f"seen {person.appearances} time{'s' if person.appearances > 1 else ''}, similarity {person.similarity:.3f}"
        for person in found.timeline.people
    ]
    others = [each for each in found.timeline.appearances if each.person_id is None]
    lines += [
        f"{'unknown' if each.decision else 'undecided'} {number}: {_clock(each.first_s)} to {_clock(each.last_s)}"
        for number, each in enumerate(others, start=1)
    ]
    if found.timeline.unusable:
        lines.append(f"{found.timeline.unusable} more that no frame showed well enough.")
    if len(lines) == 1:
        lines.append("No face was found.")
    lines.append(f"{found.events} events were stored.")
    return "\n".join(lines)


def _clock(at_s: float | None) -> str:
    minutes, seconds = divmod(at_s or 0.0, 60)
    return f"{int(minutes)}:{seconds:04.1f}"


def _rows(timeline: Timeline) -> Iterator[tuple[object, ...]]:
    for person in timeline.people:
        name = spreadsheet_cell(person.person_name)
        span = (f"{person.first_s:.3f}", f"{person.last_s:.3f}", person.appearances, f"{person.similarity:.4f}")
        yield "person", person.person_id, name, *span, Decision.ACCEPT.value
    for each in timeline.appearances:
        similarity = "" if each.similarity is None else f"{each.similarity:.4f}"
        span = (f"{each.first_s:.3f}", f"{each.last_s:.3f}", 1, similarity)
        decision = each.decision.value if each.decision else ""
        yield "appearance", each.person_id or "", spreadsheet_cell(each.person_name), *span, decision


def _write_list(target: Path, timeline: Timeline) -> None:
    with writing(target), target.open("x", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(_rows(timeline))


def _write_crops(folder: Path, timeline: Timeline) -> None:
    others = [each for each in timeline.appearances if each.person_id is None]
    pictures = {f"person-{person.person_id}.jpg": person.crop_jpeg for person in timeline.people}
    pictures |= {f"unknown-{number}.jpg": each.crop_jpeg for number, each in enumerate(others, start=1)}
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, jpeg in pictures.items():
            if jpeg:
                (folder / name).write_bytes(jpeg)
