from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from recognition.decision.matching import CandidateList
from recognition.decision.policy import Policy, QualityFault, SampleReason
from recognition.decision.standing import Bar
from recognition.decision.verdict import Decision
from recognition.live.session import BETTER_BY, LOST_AFTER_S, LiveSession, Update
from recognition.selectors.packs import ActivePack
from recognition.services.frames import FrameOutcome, FrameStatus, SeenFace
from tests import fakes

ADA = fakes.candidates(0.8, 0.1, first_person=1)
BOB = fakes.candidates(0.9, 0.1, first_person=5)
STRANGER = fakes.candidates(0.2, 0.1)
TWINS = fakes.candidates(0.8, 0.79)
NOBODY = fakes.candidates()
SUSPENDED = fakes.candidates(0.8, 0.1, barred=Bar.SUSPENDED)

TOO_SMALL = (QualityFault(SampleReason.FACE_TOO_SMALL, 20, 48),)
POLICY = Policy(version=1, identification_threshold=0.5, verification_threshold=0.4)  # 3 of 5, 8 s, 1 s
FRAME_S = 0.1


class Camera:
    """Shows a session one face, or several, frame by frame."""

    def __init__(self, policy: Policy | None = POLICY) -> None:
        self.session = LiveSession()
        self.active = fakes.active_pack(policy=policy, decides=policy is not None)
        self.now_s = 100.0
        self.finished: list[tuple[str, Decision]] = []

    def shows(self, *faces: SeenFace, after_s: float = FRAME_S) -> Update:
        self.now_s += after_s
        update = self.session.absorb(fakes.outcome(*faces, active=self.active), self.now_s)
        self.finished += [(done.track_id, done.record.decision) for done in update.finished]
        return update

    def sees(self, *people: CandidateList, track: str | None = "1", after_s: float = FRAME_S) -> Update:
        """One face, looking like each of the lists in turn; `track` is what the worker matched it to."""
        for candidates in people:
            known = {hint.track_id for hint in self.session.hints(self.now_s)}
            matched = track if track in known else None
            update = self.shows(fakes.seen_face(candidates, track_id=matched), after_s=after_s)
        return update

    def decisions(self) -> list[Decision]:
        return [decision for _, decision in self.finished]


@pytest.fixture
def camera() -> Camera:
    return Camera()


def states(update: Update) -> list[tuple[str, Decision | None, int]]:
    return [(face.track_id, face.decision, face.votes) for face in update.faces]


class TestDeciding:
    def test_nothing_happens_while_nobody_is_seen(self, camera: Camera) -> None:
        assert camera.session.hints(0) == ()
        assert camera.shows() == Update((), ())
        assert camera.session.close(camera.now_s) == ()

    def test_a_frame_that_was_not_analysed_is_refused(self) -> None:
        with pytest.raises(ValueError, match="expected an analysed frame, got failed"):
            LiveSession().absorb(FrameOutcome(FrameStatus.FAILED), 0)

    def test_a_new_face_starts_a_track_that_is_due_at_every_frame(self, camera: Camera) -> None:
        assert states(camera.sees(ADA)) == [("1", None, 1)]
        (hint,) = camera.session.hints(camera.now_s)
        assert (hint.track_id, hint.due, hint.box) == ("1", True, fakes.box())

    @pytest.mark.parametrize(
        ("seen", "decisions"),
        [
            ([ADA, ADA], []),  # k - 1
            ([ADA, ADA, ADA], [Decision.ACCEPT]),
            ([STRANGER, STRANGER, STRANGER], [Decision.REJECT_NO_MATCH]),
            ([NOBODY, NOBODY, NOBODY], [Decision.REJECT_NO_MATCH]),
            ([TWINS, TWINS, TWINS], [Decision.REJECT_AMBIGUOUS]),
            ([SUSPENDED, SUSPENDED, SUSPENDED], [Decision.REJECT_NOT_ALLOWED]),
            ([STRANGER, ADA, STRANGER, ADA, ADA], [Decision.ACCEPT]),  # 3 of 5
            ([ADA, BOB, ADA, BOB], []),
            ([STRANGER, STRANGER, STRANGER, BOB], [Decision.REJECT_NO_MATCH]),  # once decided, decided once
        ],
    )
    def test_k_of_n_votes_decide_once(
        self, camera: Camera, seen: Sequence[CandidateList], decisions: list[Decision]
    ) -> None:
        camera.sees(*seen)
        assert camera.decisions() == decisions

    def test_a_face_that_was_not_embedded_does_not_vote(self, camera: Camera) -> None:
        camera.sees(ADA, ADA)
        update = camera.shows(fakes.seen_face(None, track_id="1", faults=TOO_SMALL))
        assert states(update) == [("1", None, 2)]
        assert update.faces[0].fault == TOO_SMALL[0]

    def test_a_decision_records_votes_quality_crop_and_times(self, camera: Camera) -> None:
        better = fakes.seen_face(ADA, track_id="1", view=fakes.quality(), crop_jpeg=b"better")
        worse = fakes.seen_face(ADA, view=fakes.quality(sharpness=100), crop_jpeg=b"worse")
        camera.shows(worse)
        camera.shows(better)
        (done,) = camera.shows(dataclasses.replace(worse, track_id="1")).finished
        record = done.record
        assert done.track_id == "1"
        assert record.decision is Decision.ACCEPT
        assert record.leading is not None
        assert record.leading.best == ADA.best
        assert [round(vote.at_ms) for vote in record.votes] == [0, 100, 200]
        assert (record.quality, record.crop_jpeg) == (fakes.quality(), b"better")
        assert record.duration_s == pytest.approx(0.2)
        assert (record.active, record.runtime) == (camera.active, "fake runtime")

    def test_faces_are_decided_each_for_itself(self, camera: Camera) -> None:
        left, right = fakes.box(0), fakes.box(400)
        for number in range(3):
            tracks = ("1", "2") if number else (None, None)
            update = camera.shows(
                fakes.seen_face(ADA, track_id=tracks[0], where=left),
                fakes.seen_face(STRANGER, track_id=tracks[1], where=right),
            )
        assert camera.finished == [("1", Decision.ACCEPT), ("2", Decision.REJECT_NO_MATCH)]
        assert [(face.box, face.decision) for face in update.faces] == [
            (left, Decision.ACCEPT),
            (right, Decision.REJECT_NO_MATCH),
        ]

    def test_a_hint_that_the_session_no_longer_knows_starts_a_new_track(self, camera: Camera) -> None:
        assert states(camera.shows(fakes.seen_face(ADA, track_id="77"))) == [("1", None, 1)]

    def test_votes_cast_under_another_policy_do_not_count(self, camera: Camera) -> None:
        camera.sees(ADA, ADA)
        stricter = dataclasses.replace(POLICY, version=2, identification_threshold=0.85)
        camera.active = dataclasses.replace(camera.active, policy=stricter, policy_id=2)
        surer_ada = fakes.candidates(0.9, 0.1, first_person=1)
        assert states(camera.sees(surer_ada)) == [("1", None, 1)]
        camera.sees(surer_ada, surer_ada)
        assert camera.finished == [("1", Decision.ACCEPT)]

    def test_a_new_policy_leaves_what_is_decided_until_votes_go_against_it(self, camera: Camera) -> None:
        camera.sees(ADA, ADA, ADA)
        stricter = dataclasses.replace(POLICY, version=2, identification_threshold=0.85)
        camera.active = dataclasses.replace(camera.active, policy=stricter, policy_id=2)
        assert states(camera.sees(ADA)) == [("1", Decision.ACCEPT, 3)]
        assert states(camera.sees(ADA)) == [("2", None, 1)]


class TestDecided:
    @pytest.fixture
    def camera(self) -> Camera:
        camera = Camera()
        camera.sees(ADA, ADA, ADA)
        return camera

    def test_a_decided_face_is_due_after_the_interval_and_not_before(self, camera: Camera) -> None:
        for since_s, due in [(0.0, False), (0.99, False), (1.0, True), (5.0, True)]:
            (hint,) = camera.session.hints(camera.now_s + since_s)
            assert hint.due is due

    def test_a_vote_makes_it_wait_for_the_interval_again(self, camera: Camera) -> None:
        camera.sees(ADA, after_s=1.0)
        (hint,) = camera.session.hints(camera.now_s + 0.5)
        assert not hint.due

    def test_a_clearly_better_view_is_asked_for_ahead_of_time(self, camera: Camera) -> None:
        (hint,) = camera.session.hints(camera.now_s)
        assert hint.better_than == pytest.approx(fakes.quality().score * BETTER_BY)

    def test_more_votes_for_it_change_nothing(self, camera: Camera) -> None:
        update = camera.sees(ADA, ADA, ADA, ADA)
        assert states(update) == [("1", Decision.ACCEPT, 3)]
        assert len(camera.finished) == 1

    def test_after_one_vote_against_the_next_frame_is_due(self, camera: Camera) -> None:
        camera.sees(BOB)
        (hint,) = camera.session.hints(camera.now_s)
        assert hint.due

        camera.sees(ADA)  # a bad frame, not somebody else
        (hint,) = camera.session.hints(camera.now_s)
        assert not hint.due

    def test_a_single_vote_against_changes_nothing(self, camera: Camera) -> None:
        update = camera.sees(BOB, ADA, STRANGER, ADA)
        assert states(update) == [("1", Decision.ACCEPT, 3)]
        assert len(camera.finished) == 1

    @pytest.mark.parametrize("against", [[BOB, BOB], [STRANGER, STRANGER], [BOB, STRANGER]])
    def test_two_votes_against_in_a_row_end_the_identity_and_start_a_new_track(
        self, camera: Camera, against: list[CandidateList]
    ) -> None:
        update = camera.sees(*against)
        assert states(update) == [("2", None, 1)]
        assert [hint.track_id for hint in camera.session.hints(camera.now_s)] == ["2"]

    def test_the_new_identity_needs_votes_of_its_own(self, camera: Camera) -> None:
        camera.sees(BOB, BOB)
        camera.sees(BOB, track="2")
        assert len(camera.finished) == 1
        camera.sees(BOB, track="2")
        assert camera.finished == [("1", Decision.ACCEPT), ("2", Decision.ACCEPT)]

    def test_a_track_is_never_given_the_name_of_an_earlier_one(self, camera: Camera) -> None:
        camera.sees(BOB, BOB)
        camera.shows(after_s=LOST_AFTER_S + 1)
        assert states(camera.sees(ADA))[0][0] == "3"

    def test_an_unknown_face_that_is_somebody_after_all_becomes_a_new_track(self) -> None:
        camera = Camera()
        camera.sees(STRANGER, STRANGER, STRANGER)
        camera.sees(ADA, ADA)
        camera.sees(ADA, ADA, track="2")
        assert camera.finished == [("1", Decision.REJECT_NO_MATCH), ("2", Decision.ACCEPT)]

    def test_it_never_times_out(self, camera: Camera) -> None:
        for _ in range(30):
            camera.sees(ADA, after_s=0.9)
        assert len(camera.finished) == 1


class TestEnding:
    def test_a_face_missed_for_a_moment_is_the_same_track(self, camera: Camera) -> None:
        camera.sees(ADA, ADA)
        camera.shows(after_s=LOST_AFTER_S / 2)
        camera.sees(ADA)
        assert camera.finished == [("1", Decision.ACCEPT)]

    def test_a_face_that_left_undecided_ends_without_a_decision(self, camera: Camera) -> None:
        camera.sees(ADA, ADA)
        camera.shows(after_s=LOST_AFTER_S + 0.01)
        assert camera.finished == [("1", Decision.NO_DECISION_TIMEOUT)]
        assert camera.session.hints(camera.now_s) == ()

    @pytest.mark.parametrize("gap_s", [LOST_AFTER_S + 0.01, 60.0])
    def test_a_face_that_passed_by_without_a_usable_view_is_no_transaction(self, camera: Camera, gap_s: float) -> None:
        camera.shows(fakes.seen_face(None, faults=TOO_SMALL))
        camera.shows(after_s=gap_s)  # also where the page was hidden for a minute
        assert camera.finished == []

    def test_a_decided_face_that_left_is_not_recorded_again(self, camera: Camera) -> None:
        camera.sees(ADA, ADA, ADA)
        camera.shows(after_s=60)
        assert len(camera.finished) == 1
        assert camera.session.hints(camera.now_s) == ()

    @pytest.mark.parametrize(
        ("seen", "decision"),
        [
            (fakes.seen_face(None, faults=TOO_SMALL), Decision.NO_DECISION_QUALITY),
            (None, Decision.NO_DECISION_TIMEOUT),
        ],
        ids=["without a usable view", "with votes that disagree"],
    )
    def test_time_out_ends_a_track_and_the_face_starts_anew(
        self, camera: Camera, seen: SeenFace | None, decision: Decision
    ) -> None:
        disagreeing = [ADA, BOB, STRANGER, TWINS]
        for number in range(65):
            assert camera.finished == []
            track = "1" if number else None
            face = seen or fakes.seen_face(disagreeing[number % 4])
            camera.shows(dataclasses.replace(face, track_id=track), after_s=0.125)
        assert camera.finished == [("1", decision)]
        (hint,) = camera.session.hints(camera.now_s)
        assert hint.track_id == "2"

    def test_a_time_out_records_the_gates_that_were_not_passed(self, camera: Camera) -> None:
        face = fakes.seen_face(None, faults=TOO_SMALL)
        camera.shows(face)
        for _ in range(16):
            update = camera.shows(dataclasses.replace(face, track_id="1"), after_s=0.5)
        (done,) = update.finished
        assert done.record.faults == TOO_SMALL
        assert (done.record.votes, done.record.crop_jpeg, done.record.quality) == ((), b"", None)

    def test_closing_records_what_was_undecided_with_votes(self, camera: Camera) -> None:
        camera.sees(ADA)
        (done,) = camera.session.close(camera.now_s + 1)
        assert (done.track_id, done.record.decision) == ("1", Decision.NO_DECISION_TIMEOUT)
        assert done.record.duration_s == pytest.approx(1)
        assert camera.session.close(camera.now_s + 2) == ()

    def test_closing_records_neither_what_was_decided_nor_what_never_voted(self, camera: Camera) -> None:
        camera.sees(ADA, ADA, ADA)
        camera.shows(fakes.seen_face(ADA, track_id="1"), fakes.seen_face(None, where=fakes.box(400)))
        assert camera.session.close(camera.now_s) == ()


class TestPacks:
    def test_a_pack_switch_forgets_all_tracks(self, camera: Camera) -> None:
        camera.sees(ADA, ADA)
        camera.active = fakes.active_pack(digest="e" * 64, policy=POLICY)
        update = camera.sees(ADA)
        assert states(update) == [("2", None, 1)]
        assert camera.finished == []

    @pytest.fixture
    def undecided(self) -> Camera:
        return Camera(policy=None)

    def test_a_pack_without_policy_shows_similarities_and_decides_nothing(self, undecided: Camera) -> None:
        for people in [ADA] * 10:
            (face,) = undecided.sees(people).faces
            assert face.decision is None
            assert face.votes == 0
            assert face.leading is not None
            assert face.leading.best == ADA.best
        undecided.shows(after_s=60)
        assert undecided.finished == []

    def test_a_pack_without_policy_records_nothing_at_the_end(self, undecided: Camera) -> None:
        undecided.sees(ADA)
        assert undecided.session.close(undecided.now_s) == ()

    def test_what_was_shown_before_there_was_a_policy_is_no_vote_under_it(self, undecided: Camera) -> None:
        undecided.sees(ADA)
        undecided.active = active_now(undecided)
        assert states(undecided.sees(ADA)) == [("1", None, 1)]
        (done,) = undecided.session.close(undecided.now_s)
        assert [entry.vote.decision for entry in done.record.votes] == [Decision.ACCEPT]


def active_now(camera: Camera) -> ActivePack:
    return dataclasses.replace(camera.active, policy=POLICY, policy_id=1)
