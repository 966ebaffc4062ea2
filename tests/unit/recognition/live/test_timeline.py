from __future__ import annotations

import pytest

from recognition.decision.verdict import Decision, Vote
from recognition.live.session import FaceView, Finished
from recognition.live.timeline import Timeline
from recognition.services.events import TransactionRecord
from recognition.services.frames import FrameTimings
from tests import fakes


def view(track: str) -> FaceView:
    return FaceView(track, fakes.box(), None, None, 0, None)


def finished(track: str, decision: Decision, person: int = 1, similarity: float = 0.9) -> Finished:
    found = fakes.candidates(similarity, first_person=person)
    record = TransactionRecord(
        decision=decision,
        leading=Vote(decision, found.best, None, None),
        votes=(),
        faults=(),
        active=fakes.active_pack(),
        quality=None,
        crop_jpeg=b"",
        duration_s=1.0,
        timings=FrameTimings(),
        runtime="",
    )
    return Finished(track, record)


def test_of_nothing_is_nobody() -> None:
    timeline = Timeline()
    assert (timeline.appearances, timeline.people, timeline.unusable) == ((), (), 0)


def test_a_face_is_there_from_its_first_frame_to_its_last() -> None:
    timeline = Timeline()
    for at_s in (1.0, 1.5, 4.0):
        timeline.see(at_s, [view("1")], [fakes.seen_face()])
    assert timeline.decide(finished("1", Decision.REJECT_NO_MATCH)) == 1.0
    (seen,) = timeline.appearances
    assert (seen.first_s, seen.last_s, seen.decision) == (1.0, 4.0, Decision.REJECT_NO_MATCH)
    assert (seen.person_id, seen.person_name, seen.similarity) == (None, "", 0.9)
    assert timeline.people == ()


def test_a_person_who_comes_again_is_one() -> None:
    timeline = Timeline()
    for track, at_s, similarity in (("1", 1.0, 0.7), ("2", 8.0, 0.8)):
        timeline.see(at_s, [view(track)], [fakes.seen_face()])
        timeline.see(at_s + 1, [view(track)], [fakes.seen_face()])
        timeline.decide(finished(track, Decision.ACCEPT, similarity=similarity))
    (person,) = timeline.people
    assert (person.person_id, person.person_name, len(person.appearances)) == (1, "person 1", 2)
    assert (person.first_s, person.last_s, person.similarity) == (1.0, 9.0, 0.8)


def test_the_best_view_is_kept() -> None:
    timeline = Timeline()
    for score, crop in ((0.4, b"fair"), (0.9, b"good"), (0.6, b"worse"), (0.95, b"")):
        sharpness = 100 * score  # below what is asked for, so that the score follows it
        seen = fakes.seen_face(fakes.candidates(), view=fakes.quality(sharpness=sharpness), crop_jpeg=crop)
        timeline.see(score, [view("1")], [seen])
    assert [each.crop_jpeg for each in timeline.appearances] == [b"good"]


def test_what_no_frame_showed_well_enough_is_counted() -> None:
    timeline = Timeline()
    timeline.see(0.0, [view("1"), view("2")], [fakes.seen_face(), fakes.seen_face(fakes.candidates())])
    assert ([each.track_id for each in timeline.appearances], timeline.unusable) == (["2"], 1)


def test_views_without_their_faces_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        Timeline().see(0.0, [view("1")], [])
