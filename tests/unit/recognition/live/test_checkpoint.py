from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import pytest

from recognition.decision.matching import CandidateList
from recognition.decision.policy import Policy, QualityFault, SampleReason
from recognition.decision.standing import Bar
from recognition.decision.transaction import Instruction
from recognition.decision.verdict import Decision, TransactionReason
from recognition.live.checkpoint import (
    CODES_EVERY_S,
    ENTRY_TIMEOUT_S,
    SAME_CODE_AFTER_S,
    SHOWN_S,
    STEP_AWAY,
    CheckpointSession,
    Mode,
    Phase,
)
from recognition.live.looking import Finished
from recognition.live.patience import AGAIN_AFTER_S, LONGEST_PAUSE_S
from recognition.live.presence import GONE_AFTER_S
from recognition.selectors.packs import ActivePack
from recognition.services.frames import FrameOutcome, FrameStatus, SearchKind, SearchScope, SeenFace
from recognition.services.transactions import ClaimInProgress
from tests import fakes

ADA = fakes.candidates(0.8, 0.1)
ADA_ALONE = fakes.candidates(0.8)
STRANGER = fakes.candidates(0.2, 0.1)
NOBODY = fakes.candidates()
BANNED = fakes.candidates(0.8, first_person=9, barred=Bar.DENY_LIST)
TOO_SMALL = (QualityFault(SampleReason.FACE_TOO_SMALL, 30, 48),)
POLICY = Policy(version=1, identification_threshold=0.5, verification_threshold=0.4)  # 3 of 5, 8 s, from 48 px
ADAS_CLAIM = ClaimInProgress(person_id=1, external_id="4711", pin_ok=None)
UNKNOWN_CLAIM = ClaimInProgress(person_id=None, external_id="0815", pin_ok=None)
CHECKPOINT = 5
FRAME_S = 0.1


class Kiosk:
    """Shows a session one face, or several, frame by frame, with the scope that it asks for."""

    def __init__(self, mode: Mode, policy: Policy | None = POLICY) -> None:
        self.session = CheckpointSession(mode, CHECKPOINT)
        self.active = fakes.active_pack(policy=policy, decides=policy is not None)
        self.session.follow(mode, self.active, is_open=True)
        self.now_s = 100.0
        self.finished: list[Finished] = []

    def waits(self, seconds: float) -> None:
        self.now_s += seconds
        self.keep(self.session.tick(self.now_s))

    def shows_nobody(self, seconds: float) -> None:
        """Frames of an empty place."""
        for _ in range(round(seconds / FRAME_S)):
            self.shows()

    def shows(self, *faces: SeenFace, codes: tuple[str, ...] = (), scope: SearchScope | None = None) -> str | None:
        """One frame; what it was read as a code."""
        self.now_s += FRAME_S
        wanted = scope or self.session.scope(self.now_s)
        if wanted is None:
            return None
        outcome = fakes.outcome(*(() if wanted.reads_codes else faces), active=self.active)
        outcome = dataclasses.replace(outcome, codes=codes if wanted.reads_codes else ())
        scanned = self.session.scanned(outcome, self.now_s) if wanted.reads_codes else None
        self.keep(self.session.absorb(outcome, wanted, self.now_s))
        return scanned

    def sees(self, *people: CandidateList | None, denied: CandidateList = NOBODY, side: float = 112) -> None:
        """One face that looks like each of the lists in turn, followed from frame to frame."""
        for candidates in people:
            hints = self.session.hints(self.now_s)
            track = hints[0].track_id if hints else None
            face = fakes.seen_face(candidates, track_id=track, where=fakes.box(side=side))
            self.shows(dataclasses.replace(face, denied=denied))

    def claims(self, claim: ClaimInProgress = ADAS_CLAIM) -> None:
        self.keep(self.session.enter_id(self.now_s))
        self.session.claim(claim, self.now_s)

    def keep(self, finished: Finished | None) -> None:
        if finished is not None:
            self.finished.append(finished)

    def is_answered(self, *, accepted: bool = True) -> None:
        self.session.answered(accepted=accepted, now_s=self.now_s)

    def phase(self) -> Phase:
        return self.session.view(self.now_s).phase

    @property
    def decisions(self) -> list[Decision]:
        return [finished.conclusion.decision for finished in self.finished]


@pytest.fixture
def kiosk() -> Kiosk:
    return Kiosk(Mode.IDENTIFY)


@pytest.fixture
def desk() -> Kiosk:
    return Kiosk(Mode.VERIFY)


@pytest.fixture
def door() -> Kiosk:
    return Kiosk(Mode.BOTH)


class TestIdentify:
    def test_while_nobody_comes_nothing_happens(self, kiosk: Kiosk) -> None:
        kiosk.shows()
        kiosk.waits(100)
        assert (kiosk.phase(), kiosk.finished) == (Phase.READY, [])
        assert kiosk.session.close(kiosk.now_s) is None

    @pytest.mark.parametrize(
        ("mode", "phase"), [(Mode.IDENTIFY, Phase.READY), (Mode.VERIFY, Phase.CLAIM), (Mode.BOTH, Phase.READY)]
    )
    def test_begins_in_the_phase_of_its_mode(self, mode: Mode, phase: Phase) -> None:
        assert Kiosk(mode).phase() is phase

    @pytest.mark.parametrize(
        ("people", "decisions"),
        [
            ([ADA, ADA], []),  # k - 1
            ([ADA, ADA, ADA], [Decision.ACCEPT]),
            ([STRANGER, STRANGER, STRANGER], [Decision.REJECT_NO_MATCH]),
            ([NOBODY, NOBODY, NOBODY], [Decision.REJECT_NO_MATCH]),
            ([ADA, STRANGER, ADA, STRANGER, ADA], [Decision.ACCEPT]),  # 3 of 5
        ],
    )
    def test_k_of_n_votes_end_it(
        self, kiosk: Kiosk, people: Sequence[CandidateList], decisions: list[Decision]
    ) -> None:
        kiosk.sees(*people)
        assert kiosk.decisions == decisions

    def test_is_shown_and_concluded_with_what_decided(self, kiosk: Kiosk) -> None:
        kiosk.sees(ADA, ADA, ADA)
        (finished,) = kiosk.finished
        assert (finished.claim, finished.is_shown) == (None, True)
        assert (finished.active, finished.crop_jpeg, finished.runtime) == (kiosk.active, b"a crop", "fake runtime")
        assert finished.duration_s == pytest.approx(2 * FRAME_S)
        assert not finished.conclusion.is_claim

    @pytest.mark.parametrize(("side", "phase"), [(23.9, Phase.READY), (24.0, Phase.LOOKING), (48.0, Phase.LOOKING)])
    def test_begins_when_a_face_is_half_as_large_as_it_must_be(self, kiosk: Kiosk, side: float, phase: Phase) -> None:
        kiosk.sees(None, side=side)
        assert kiosk.phase() is phase

    def test_a_passer_by_without_a_vote_leaves_no_record(self, kiosk: Kiosk) -> None:
        kiosk.shows(fakes.seen_face(None, faults=TOO_SMALL))
        assert kiosk.session.view(kiosk.now_s).instruction == Instruction.COME_CLOSER
        kiosk.shows_nobody(GONE_AFTER_S + 0.2)
        assert (kiosk.phase(), kiosk.finished) == (Phase.READY, [])

    def test_whoever_leaves_after_a_vote_is_recorded(self, kiosk: Kiosk) -> None:
        kiosk.sees(ADA, ADA)
        kiosk.shows_nobody(GONE_AFTER_S + 0.2)
        assert kiosk.decisions == [Decision.NO_DECISION_TIMEOUT]
        assert kiosk.finished[0].is_shown

    def test_two_people_get_no_decision(self, kiosk: Kiosk) -> None:
        while not kiosk.finished:
            kiosk.shows(fakes.seen_face(ADA, where=fakes.box(0)), fakes.seen_face(STRANGER, where=fakes.box(400)))
        assert kiosk.decisions == [Decision.NO_DECISION_MULTIPLE_FACES]

    def test_votes_of_two_faces_one_after_the_other_do_not_add_up(self, kiosk: Kiosk) -> None:
        kiosk.sees(ADA, ADA)
        kiosk.shows(fakes.seen_face(ADA))  # the tracker says that this is another one
        assert kiosk.finished == []

    def test_another_policy_starts_the_votes_anew(self, kiosk: Kiosk) -> None:
        kiosk.sees(ADA, ADA)
        stricter = dataclasses.replace(POLICY, version=2, identification_threshold=0.9)
        kiosk.active = dataclasses.replace(kiosk.active, policy=stricter)
        kiosk.sees(ADA)
        assert kiosk.finished == []
        kiosk.sees(ADA, ADA)
        assert kiosk.decisions == [Decision.REJECT_NO_MATCH]
        assert kiosk.finished[0].active.policy == stricter

    def test_tells_how_far_it_is_and_how_long_it_lasts(self, kiosk: Kiosk) -> None:
        kiosk.sees(ADA)
        view = kiosk.session.view(kiosk.now_s)
        assert (view.phase, view.instruction, view.seconds_left) == (Phase.LOOKING, Instruction.KEEP_LOOKING, 8)
        assert view.progress == pytest.approx(1 / 3)

    def test_a_frame_that_was_not_analysed_is_refused(self, kiosk: Kiosk) -> None:
        with pytest.raises(ValueError, match="expected an analysed frame, got failed"):
            kiosk.session.absorb(FrameOutcome(FrameStatus.FAILED), SearchScope(CHECKPOINT), 0)

    @pytest.mark.parametrize(("is_open", "policy"), [(False, POLICY), (True, None)])
    def test_decides_nothing_out_of_use_or_without_thresholds(self, is_open: bool, policy: Policy | None) -> None:
        kiosk = Kiosk(Mode.IDENTIFY, policy)
        kiosk.session.follow(Mode.IDENTIFY, kiosk.active, is_open=is_open)
        kiosk.sees(ADA, ADA, ADA)
        assert (kiosk.phase(), kiosk.finished) == (Phase.READY, [])

    @pytest.mark.parametrize(
        ("is_open", "decides", "reason"),
        [
            (False, True, TransactionReason.OUT_OF_USE),
            (True, False, TransactionReason.NO_THRESHOLDS),
            (False, False, TransactionReason.OUT_OF_USE),
        ],
    )
    def test_that_may_decide_no_more_in_the_middle_ends_unseen_as_an_error(
        self, kiosk: Kiosk, is_open: bool, decides: bool, reason: TransactionReason
    ) -> None:
        kiosk.sees(ADA, ADA)
        kiosk.session.follow(Mode.IDENTIFY, fakes.active_pack(decides=decides), is_open=is_open)
        kiosk.waits(0.1)
        (finished,) = kiosk.finished
        assert (finished.conclusion.decision, finished.is_shown) == (Decision.ERROR, False)
        assert [found.code for found in finished.conclusion.reasons] == [reason]
        assert (len(finished.conclusion.votes), finished.active) == (2, kiosk.active)


class TestAfterTheResult:
    @pytest.mark.parametrize(
        ("accepted", "stays_s", "looked_at"),
        [
            (True, SHOWN_S + 1, False),
            (True, 60, False),
            (False, SHOWN_S + 1, False),
            (False, AGAIN_AFTER_S + 1, True),
        ],
    )
    def test_whoever_stays_is_looked_at_again_after_a_refusal_alone(
        self, kiosk: Kiosk, accepted: bool, stays_s: float, looked_at: bool
    ) -> None:
        kiosk.sees(ADA, ADA, ADA)
        kiosk.is_answered(accepted=accepted)
        assert kiosk.phase() is Phase.RESULT
        for _ in range(round(stays_s / FRAME_S)):
            kiosk.sees(None)
        assert (kiosk.phase() is Phase.LOOKING) is looked_at

    def test_whoever_leaves_for_a_second_may_come_again(self, kiosk: Kiosk) -> None:
        kiosk.sees(ADA, ADA, ADA)
        kiosk.is_answered()
        kiosk.waits(SHOWN_S)
        assert kiosk.phase() is Phase.READY
        kiosk.sees(ADA)
        assert kiosk.phase() is Phase.LOOKING

    def test_the_next_one_need_not_wait_for_the_one_before(self, kiosk: Kiosk) -> None:
        kiosk.sees(ADA, ADA, ADA)
        kiosk.is_answered()
        for _ in range(round(SHOWN_S / FRAME_S) + 1):
            kiosk.shows(fakes.seen_face(None))  # a new face each time: nobody is followed
        assert kiosk.phase() is Phase.LOOKING

    def test_whoever_was_refused_is_told_to_step_away(self, kiosk: Kiosk) -> None:
        kiosk.sees(STRANGER, STRANGER, STRANGER)
        kiosk.is_answered(accepted=False)
        for _ in range(round(SHOWN_S / FRAME_S) + 1):
            kiosk.sees(None)
        assert kiosk.session.view(kiosk.now_s).instruction == STEP_AWAY

    def test_until_the_answer_is_stored_nothing_begins(self, kiosk: Kiosk) -> None:
        kiosk.sees(ADA, ADA, ADA, ADA, ADA, ADA, ADA)
        kiosk.waits(60)
        assert len(kiosk.finished) == 1
        assert kiosk.session.close(kiosk.now_s) is None


class TestAPoster:
    """A face that is near enough to be looked at, and never passes the gates."""

    STEP_S = 0.5

    def hangs(self, kiosk: Kiosk, seconds: float, *others: SeenFace) -> list[float]:
        """Shows it; when each look at it ended, from now on."""
        begun_s, ends = kiosk.now_s, []
        while kiosk.now_s < begun_s + seconds:
            kiosk.now_s += self.STEP_S - FRAME_S
            hints = kiosk.session.hints(kiosk.now_s)
            track = hints[0].track_id if hints else None
            kiosk.shows(fakes.seen_face(None, track_id=track, where=fakes.box(side=30), faults=TOO_SMALL), *others)
            if kiosk.session.view(kiosk.now_s).progress == 1.0:
                ends.append(kiosk.now_s - begun_s)
                kiosk.is_answered(accepted=False)
        return ends

    def test_is_looked_at_after_longer_and_longer_pauses(self, kiosk: Kiosk) -> None:
        ends = self.hangs(kiosk, 1200)
        assert set(kiosk.decisions) == {Decision.NO_DECISION_QUALITY}
        pauses = [later - earlier - POLICY.timeout_s for earlier, later in itertools.pairwise(ends)]
        assert pauses == pytest.approx([10, 20, 40, 80, 160, LONGEST_PAUSE_S, LONGEST_PAUSE_S], abs=2 * self.STEP_S)

    def test_that_was_away_for_a_second_is_looked_at_as_at_first(self, kiosk: Kiosk) -> None:
        self.hangs(kiosk, 70)
        kiosk.shows_nobody(GONE_AFTER_S + 0.2)
        first, second, *_ = self.hangs(kiosk, 60)
        assert second - first - POLICY.timeout_s == pytest.approx(AGAIN_AFTER_S, abs=2 * self.STEP_S)

    def test_keeps_nobody_beside_it_from_being_looked_at(self, kiosk: Kiosk) -> None:
        self.hangs(kiosk, 70)
        assert kiosk.phase() is Phase.READY
        self.hangs(kiosk, self.STEP_S, fakes.seen_face(ADA, where=fakes.box(400)))
        assert kiosk.phase() is Phase.LOOKING

    def test_that_can_be_seen_well_is_looked_at_at_once(self, kiosk: Kiosk) -> None:
        self.hangs(kiosk, 70)
        kiosk.sees(ADA)
        assert kiosk.phase() is Phase.LOOKING
        kiosk.sees(ADA, ADA, ADA)
        assert kiosk.decisions[-1] is Decision.ACCEPT

    def test_that_was_decided_about_meanwhile_begins_anew(self, kiosk: Kiosk) -> None:
        self.hangs(kiosk, 70)
        kiosk.sees(STRANGER, STRANGER, STRANGER, STRANGER)
        kiosk.is_answered(accepted=False)
        first, second, *_ = self.hangs(kiosk, 60)
        assert second - first - POLICY.timeout_s == pytest.approx(AGAIN_AFTER_S, abs=2 * self.STEP_S)


class TestVerify:
    def test_without_a_claim_only_codes_are_read(self, desk: Kiosk) -> None:
        assert desk.session.scope(desk.now_s) == SearchScope(CHECKPOINT, reads_codes=True)
        desk.sees(ADA, ADA, ADA)
        assert desk.finished == []

    def test_a_claim_is_compared_with_the_claimed_person_alone(self, desk: Kiosk) -> None:
        desk.claims()
        assert desk.session.scope(desk.now_s) == SearchScope(CHECKPOINT, SearchKind.VERIFY, 1)

    @pytest.mark.parametrize(
        ("claim", "like", "denied", "decision"),
        [
            (ADAS_CLAIM, ADA_ALONE, NOBODY, Decision.ACCEPT),
            (ADAS_CLAIM, fakes.candidates(0.2), NOBODY, Decision.REJECT_NO_MATCH),
            (ADAS_CLAIM, ADA_ALONE, BANNED, Decision.REJECT_NOT_ALLOWED),
            (ADAS_CLAIM, fakes.candidates(0.2), BANNED, Decision.REJECT_NOT_ALLOWED),
            (UNKNOWN_CLAIM, NOBODY, NOBODY, Decision.REJECT_NO_MATCH),
            (UNKNOWN_CLAIM, ADA_ALONE, NOBODY, Decision.REJECT_NO_MATCH),  # a worker that errs opens nothing
        ],
    )
    def test_ends_with_what_face_and_deny_list_say(
        self, desk: Kiosk, claim: ClaimInProgress, like: CandidateList, denied: CandidateList, decision: Decision
    ) -> None:
        desk.claims(claim)
        desk.sees(like, like, like, denied=denied)
        assert desk.decisions == [decision]
        assert (desk.finished[0].claim, desk.finished[0].conclusion.is_claim) == (claim, True)

    def test_a_face_that_was_not_searched_on_the_deny_list_does_not_vote(self, desk: Kiosk) -> None:
        desk.claims()
        for _ in range(5):
            desk.shows(fakes.seen_face(ADA_ALONE))
        assert desk.finished == []

    @pytest.mark.parametrize("scope", [SearchScope(CHECKPOINT), SearchScope(CHECKPOINT, SearchKind.VERIFY, 2)])
    def test_a_frame_that_was_searched_for_somebody_else_does_not_vote(self, desk: Kiosk, scope: SearchScope) -> None:
        desk.claims()
        for _ in range(5):
            desk.shows(dataclasses.replace(fakes.seen_face(ADA_ALONE), denied=NOBODY), scope=scope)
        assert desk.finished == []

    def test_a_claim_whose_face_never_comes_ends_when_the_time_is_up(self, desk: Kiosk) -> None:
        desk.claims()
        desk.shows_nobody(POLICY.timeout_s + FRAME_S)
        assert desk.decisions == [Decision.NO_DECISION_TIMEOUT]
        assert desk.finished[0].conclusion.reasons[0].code == TransactionReason.NO_FACE
        desk.is_answered(accepted=False)
        desk.waits(SHOWN_S)
        assert desk.phase() is Phase.CLAIM

    def test_takes_no_claim_while_one_runs_and_the_next_while_a_result_is_shown(self, desk: Kiosk) -> None:
        desk.claims()
        assert not desk.session.takes_claims
        with pytest.raises(ValueError, match="expected a kiosk that takes claims"):
            desk.session.claim(ADAS_CLAIM, desk.now_s)
        desk.sees(ADA_ALONE, ADA_ALONE, ADA_ALONE)
        assert not desk.session.takes_claims
        desk.is_answered()
        assert (desk.phase(), desk.session.takes_claims) == (Phase.RESULT, True)
        desk.claims()
        assert desk.phase() is Phase.LOOKING

    def test_may_be_taken_back_before_the_first_vote_and_is_recorded(self, desk: Kiosk) -> None:
        desk.claims()
        desk.keep(desk.session.cancel(desk.now_s))
        assert (desk.phase(), desk.decisions) == (Phase.CLAIM, [Decision.NO_DECISION_TIMEOUT])
        assert not desk.finished[0].is_shown

    def test_cannot_be_taken_back_after_a_vote_not_even_by_stepping_away(self, desk: Kiosk) -> None:
        desk.claims()
        desk.sees(fakes.candidates(0.2))
        assert desk.session.cancel(desk.now_s) is None
        desk.shows_nobody(GONE_AFTER_S + 0.2)
        assert desk.session.cancel(desk.now_s) is None
        assert desk.phase() is Phase.LOOKING

    def test_is_recorded_when_the_page_closes(self, desk: Kiosk) -> None:
        desk.claims()
        desk.keep(desk.session.close(desk.now_s))
        assert desk.decisions == [Decision.NO_DECISION_TIMEOUT]

    def test_is_recorded_as_an_error_when_the_server_stops(self, desk: Kiosk) -> None:
        desk.claims()
        desk.keep(desk.session.close(desk.now_s, TransactionReason.SERVER_STOPPED))
        assert desk.decisions == [Decision.ERROR]
        assert [reason.code for reason in desk.finished[0].conclusion.reasons] == [TransactionReason.SERVER_STOPPED]

    def test_is_recorded_with_its_votes_and_picture_when_the_page_closes_after_some(self, desk: Kiosk) -> None:
        desk.claims()
        desk.sees(ADA_ALONE, ADA_ALONE)
        desk.keep(desk.session.close(desk.now_s))
        (finished,) = desk.finished
        assert (finished.claim, finished.is_shown, finished.crop_jpeg) == (ADAS_CLAIM, False, b"a crop")
        assert finished.conclusion.decision is Decision.NO_DECISION_TIMEOUT
        assert [record.vote.best for record in finished.conclusion.set_aside] == [ADA_ALONE.best] * 2

    def test_tells_of_no_progress_while_no_face_is_searched_on_the_deny_list(self, desk: Kiosk) -> None:
        desk.claims()
        desk.shows(fakes.seen_face(ADA_ALONE))
        assert desk.session.view(desk.now_s).progress == 0
        desk.sees(ADA_ALONE)
        assert desk.session.view(desk.now_s).progress == pytest.approx(1 / 3)

    def test_a_kiosk_that_identifies_takes_none(self, kiosk: Kiosk) -> None:
        assert not kiosk.session.takes_claims
        assert kiosk.session.enter_id(kiosk.now_s) is None
        assert kiosk.phase() is Phase.READY


class TestADeadWorker:
    def asks(self, kiosk: Kiosk, seconds: float) -> None:
        """Frames that nothing answers."""
        for _ in range(round(seconds / FRAME_S)):
            kiosk.session.scope(kiosk.now_s)
            kiosk.waits(FRAME_S)

    def test_makes_a_claim_an_error(self, desk: Kiosk) -> None:
        desk.claims()
        self.asks(desk, POLICY.timeout_s + 0.1)
        (finished,) = desk.finished
        assert (finished.conclusion.decision, finished.is_shown) == (Decision.ERROR, True)
        assert [reason.code for reason in finished.conclusion.reasons] == [TransactionReason.NOT_ANALYSED]

    def test_is_not_a_person_who_left(self, kiosk: Kiosk) -> None:
        kiosk.sees(ADA, ADA)
        self.asks(kiosk, GONE_AFTER_S * 3)
        assert (kiosk.phase(), kiosk.finished) == (Phase.LOOKING, [])
        self.asks(kiosk, POLICY.timeout_s)
        (finished,) = kiosk.finished
        assert finished.conclusion.decision is Decision.ERROR
        assert [reason.code for reason in finished.conclusion.reasons] == [TransactionReason.NOT_ANALYSED]
        assert len(finished.conclusion.votes) == 2

    def test_that_comes_back_in_time_decides_from_the_first_vote_on(self, kiosk: Kiosk) -> None:
        kiosk.sees(ADA, ADA)
        self.asks(kiosk, GONE_AFTER_S * 2)
        kiosk.sees(ADA)
        assert kiosk.finished == []  # whoever stands there now may be another
        kiosk.sees(ADA, ADA)
        assert kiosk.decisions == [Decision.ACCEPT]

    def test_is_told_from_a_camera_that_sends_nothing(self, desk: Kiosk) -> None:
        desk.claims()
        desk.waits(POLICY.timeout_s)
        assert [reason.code for reason in desk.finished[0].conclusion.reasons] == [TransactionReason.NO_PICTURE]

    def test_is_told_from_a_camera_that_sends_nothing_any_more(self, desk: Kiosk) -> None:
        desk.claims()
        desk.sees(ADA_ALONE)
        desk.waits(POLICY.timeout_s)
        assert [reason.code for reason in desk.finished[0].conclusion.reasons] == [TransactionReason.NO_PICTURE]


class TestCodes:
    def test_a_code_is_read_once_while_it_is_held_there(self, desk: Kiosk) -> None:
        assert desk.shows(codes=("4711",)) == "4711"
        assert desk.shows(codes=("4711",)) is None
        assert desk.shows(codes=("4712",)) == "4712"
        desk.waits(SAME_CODE_AFTER_S)
        assert desk.shows(codes=("4712",)) == "4712"

    def test_while_faces_are_awaited_too_codes_are_read_now_and_then(self, door: Kiosk) -> None:
        reads = []
        for _ in range(20):
            door.now_s += FRAME_S
            scope = door.session.scope(door.now_s)
            assert scope is not None
            reads.append(scope.reads_codes)
        assert sum(reads) == pytest.approx(20 * FRAME_S / CODES_EVERY_S, abs=1)

    def test_none_is_read_where_faces_alone_count(self, kiosk: Kiosk) -> None:
        scope = kiosk.session.scope(kiosk.now_s)
        assert scope is not None
        assert not scope.reads_codes

    def test_none_is_read_during_a_claim(self, door: Kiosk) -> None:
        door.claims()
        scopes = []
        for _ in range(10):
            door.now_s += FRAME_S
            scopes.append(door.session.scope(door.now_s))
        assert set(scopes) == {SearchScope(CHECKPOINT, SearchKind.VERIFY, 1)}


class TestBoth:
    def test_identifies_whoever_comes(self, door: Kiosk) -> None:
        while not door.finished:
            door.sees(ADA)
        assert door.decisions == [Decision.ACCEPT]

    def test_while_an_id_is_entered_nobody_is_identified(self, door: Kiosk) -> None:
        door.keep(door.session.enter_id(door.now_s))
        door.sees(*[ADA] * 10)
        assert (door.phase(), door.finished) == (Phase.CLAIM, [])

    def test_an_id_that_is_not_entered_is_forgotten(self, door: Kiosk) -> None:
        door.keep(door.session.enter_id(door.now_s))
        door.waits(ENTRY_TIMEOUT_S)
        assert door.phase() is Phase.READY

    def test_whoever_changes_their_mind_is_awaited_again(self, door: Kiosk) -> None:
        door.keep(door.session.enter_id(door.now_s))
        assert door.session.cancel(door.now_s) is None
        assert door.phase() is Phase.READY

    def test_a_look_that_was_begun_is_recorded_when_the_person_claims(self, door: Kiosk) -> None:
        door.sees(STRANGER, STRANGER)
        door.claims()
        assert [(done.claim, done.is_shown) for done in door.finished] == [(None, False)]
        door.sees(ADA_ALONE, ADA_ALONE, ADA_ALONE)
        assert door.decisions == [Decision.NO_DECISION_TIMEOUT, Decision.ACCEPT]

    def test_whoever_claimed_is_not_identified_right_after_it(self, door: Kiosk) -> None:
        door.claims()
        door.sees(ADA_ALONE, ADA_ALONE, ADA_ALONE)
        door.is_answered()
        for _ in range(100):
            door.sees(ADA)
        assert len(door.finished) == 1

    def test_a_mode_that_was_changed_holds_at_once(self, door: Kiosk) -> None:
        door.session.follow(Mode.VERIFY, door.active, is_open=True)
        assert door.phase() is Phase.CLAIM


def test_an_active_pack_is_needed() -> None:
    session = CheckpointSession(Mode.VERIFY, CHECKPOINT)
    active: ActivePack = fakes.active_pack(decides=False)
    session.follow(Mode.VERIFY, active, is_open=True)
    assert not session.takes_claims
    assert session.scope(0.0) is None
