from __future__ import annotations

import math

import pytest

from recognition.decision import verdict
from recognition.decision.conclusion import Conclusion
from recognition.decision.matching import CandidateList
from recognition.decision.policy import Policy, QualityFault, QualityGates, SampleReason
from recognition.decision.standing import Bar
from recognition.decision.transaction import (
    BLIND_AFTER_S,
    RECENT_S,
    FaceSighting,
    Instruction,
    Sighting,
    Transaction,
    TransactionOver,
)
from recognition.decision.verdict import Decision, Reason, TransactionReason, Vote
from tests import fakes

POLICY = Policy(version=1, identification_threshold=0.5, verification_threshold=0.4)  # 3 of 5, 8 s
FRAME_S = 0.1

ADA = verdict.judge(fakes.candidates(0.75, 0.1, first_person=1), POLICY)
BOB = verdict.judge(fakes.candidates(0.75, 0.1, first_person=2), POLICY)
STRANGER = verdict.judge(fakes.candidates(0.25, 0.1), POLICY)
SURE_ADA = verdict.judge(fakes.candidates(0.99, 0.1, first_person=1), POLICY)
TWINS = verdict.judge(fakes.candidates(0.75, 0.75), POLICY)
NOBODY = verdict.judge(fakes.candidates(), POLICY)
BANNED = verdict.judge(fakes.candidates(0.75, 0.1, first_person=9, barred=Bar.DENY_LIST), POLICY)
SUSPENDED = verdict.judge(fakes.candidates(0.75, 0.1, barred=Bar.SUSPENDED), POLICY)

TOO_SMALL = QualityFault(SampleReason.FACE_TOO_SMALL, 20, 48)
TOO_DARK = QualityFault(SampleReason.TOO_DARK, 0.1, 0.12)

R, D = TransactionReason, Decision


def face(vote: Vote | None = None, *faults: QualityFault, same: bool = True, size_px: float = 100.0) -> FaceSighting:
    return FaceSighting(same, faults, vote, fakes.quality(), size_px)


class Door:
    """Shows a transaction frame after frame."""

    def __init__(self, policy: Policy = POLICY, *, is_claim: bool = False) -> None:
        self.transaction = Transaction(policy, is_claim=is_claim, started_s=100.0)
        self.now_s = 100.0

    def shows(self, *faces: FaceSighting, after_s: float = FRAME_S) -> Conclusion | None:
        self.now_s += after_s
        return self.transaction.see(Sighting(faces), self.now_s)

    def sees(self, *votes: Vote) -> Conclusion | None:
        """One usable face a frame; what the last frame brings."""
        conclusion = None
        for vote in votes:
            assert conclusion is None, "a frame after the end"
            conclusion = self.shows(face(vote))
        return conclusion

    def waits(self, until_s: float = POLICY.timeout_s) -> Conclusion | None:
        """Frames of an empty place come until so long after the start."""
        self.now_s = 100.0 + until_s
        self.transaction.see(Sighting(()), self.now_s - FRAME_S)
        return self.transaction.timed_out(self.now_s)


@pytest.fixture
def door() -> Door:
    return Door()


class TestVotes:
    @pytest.mark.parametrize(
        ("votes", "decision", "reasons"),
        [
            ([ADA, ADA, ADA], D.ACCEPT, ()),
            ([ADA, STRANGER, ADA, STRANGER, ADA], D.ACCEPT, ()),
            ([NOBODY, NOBODY, NOBODY], D.REJECT_NO_MATCH, (Reason(R.NOBODY_ENROLLED),)),
            ([STRANGER] * 3, D.REJECT_NO_MATCH, (Reason(R.BELOW_THRESHOLD, 0.25, 0.5),)),
            ([SURE_ADA, STRANGER, STRANGER, STRANGER], D.REJECT_NO_MATCH, (Reason(R.BELOW_THRESHOLD, 0.25, 0.5),)),
            ([TWINS] * 3, D.REJECT_AMBIGUOUS, (Reason(R.MARGIN_TOO_SMALL, 0.0, 0.05),)),
            ([SUSPENDED] * 3, D.REJECT_NOT_ALLOWED, (Reason(Bar.SUSPENDED),)),
        ],
    )
    def test_decide_when_k_of_the_last_n_agree(
        self, door: Door, votes: list[Vote], decision: Decision, reasons: tuple[Reason, ...]
    ) -> None:
        conclusion = door.sees(*votes)
        assert conclusion is not None
        assert (conclusion.decision, conclusion.reasons) == (decision, reasons)
        assert [record.vote for record in conclusion.votes] == votes
        assert door.transaction.is_over

    @pytest.mark.parametrize("votes", [[], [ADA, ADA], [ADA, BOB, ADA, BOB], [STRANGER, STRANGER, SURE_ADA]])
    def test_decide_nothing_before(self, door: Door, votes: list[Vote]) -> None:
        assert door.sees(*votes) is None
        assert not door.transaction.is_over

    def test_five_unknown_and_one_high_score_are_not_an_accept(self) -> None:
        patient = Door(Policy(1, 0.5, 0.4, votes_needed=6, votes_of=6))
        assert patient.sees(*[STRANGER] * 5, SURE_ADA) is None
        conclusion = patient.sees(*[STRANGER] * 6)
        assert conclusion is not None
        assert conclusion.decision is D.REJECT_NO_MATCH

    def test_are_kept_with_their_time_and_quality(self, door: Door) -> None:
        conclusion = door.sees(ADA, SURE_ADA, ADA)
        assert conclusion is not None
        assert conclusion.leading == SURE_ADA
        assert [round(record.at_ms) for record in conclusion.votes] == [100, 200, 300]
        assert {record.quality for record in conclusion.votes} == {fakes.quality()}
        assert conclusion.is_claim is False

    def test_of_a_claim_are_held_against_the_claim_s_threshold(self) -> None:
        vote = verdict.judge_claim(fakes.candidates(0.25), fakes.candidates(), POLICY)
        conclusion = Door(is_claim=True).sees(vote, vote, vote)
        assert conclusion is not None
        assert (conclusion.is_claim, conclusion.reasons) == (True, (Reason(R.BELOW_THRESHOLD, 0.25, 0.4),))

    def test_of_a_claim_do_not_outweigh_a_hit_on_the_deny_list(self) -> None:
        claimed, banned = fakes.candidates(0.45, first_person=1), fakes.candidates(0.51, first_person=9)
        accept = verdict.judge_claim(claimed, fakes.candidates(0.49, first_person=9), POLICY)
        hit = verdict.judge_claim(claimed, banned, POLICY)
        conclusion = Door(is_claim=True).sees(accept, hit, accept, hit, accept)
        assert conclusion is not None
        assert (conclusion.decision, conclusion.leading) == (D.REJECT_NOT_ALLOWED, hit)
        assert conclusion.reasons == (Reason(Bar.DENY_LIST),)

    def test_for_a_banned_person_that_count_no_more_outweigh_nothing(self, door: Door) -> None:
        door.sees(BANNED, BANNED)
        door.shows(face(ADA, same=False))
        conclusion = door.sees(ADA, ADA)
        assert conclusion is not None
        assert conclusion.decision is D.ACCEPT

    def test_are_not_cast_by_faces_that_pass_no_gate_or_were_not_embedded(self, door: Door) -> None:
        door.sees(ADA, ADA)
        assert door.shows(face(ADA, TOO_SMALL)) is None
        assert door.shows(face(None)) is None
        assert door.sees(ADA) is not None

    def test_of_one_face_are_not_added_to_those_of_another(self, door: Door) -> None:
        door.sees(ADA, ADA)
        assert door.shows(face(ADA, same=False)) is None
        assert door.sees(ADA) is None
        conclusion = door.sees(ADA)
        assert conclusion is not None
        assert len(conclusion.votes) == 3

    @pytest.mark.parametrize("second", [face(BOB, same=False), face(None, same=False)])
    def test_are_forgotten_when_two_usable_faces_are_seen(self, door: Door, second: FaceSighting) -> None:
        door.sees(ADA, ADA)
        assert door.shows(face(ADA), second) is None
        assert door.sees(ADA, ADA) is None
        assert door.sees(ADA) is not None

    def test_of_before_a_change_of_face_are_kept_and_do_not_count(self, door: Door) -> None:
        door.sees(ADA, ADA)
        door.shows(face(ADA), face(BOB, same=False))
        conclusion = door.sees(BOB, BOB, BOB)
        assert conclusion is not None
        assert [record.vote for record in conclusion.votes] == [BOB, BOB, BOB]
        assert [record.vote for record in conclusion.set_aside] == [ADA, ADA]
        assert conclusion.leading == BOB

    def test_that_no_longer_count_still_make_a_record_when_the_face_leaves(self, door: Door) -> None:
        door.sees(ADA)
        door.shows(face(ADA), face(BOB, same=False))
        conclusion = door.transaction.left(door.now_s)
        assert conclusion is not None
        assert (conclusion.decision, conclusion.leading) == (D.NO_DECISION_TIMEOUT, None)
        assert [record.vote for record in conclusion.set_aside] == [ADA]

    def test_go_on_while_somebody_passes_in_the_background(self, door: Door) -> None:
        door.sees(ADA)
        background = face(None, TOO_SMALL, same=False, size_px=20)
        assert door.shows(background, face(ADA)) is None
        assert door.shows(face(ADA), background) is not None

    def test_are_forgotten_when_only_an_unusable_stranger_is_left(self, door: Door) -> None:
        door.sees(ADA, ADA)
        door.shows(face(None, TOO_DARK, same=False))
        assert door.sees(ADA) is None

    def test_are_forgotten_when_the_one_usable_face_is_not_the_one_that_voted(self, door: Door) -> None:
        door.sees(ADA, ADA)
        assert door.shows(face(None, TOO_DARK), face(ADA, same=False)) is None
        assert door.sees(ADA) is None

    def test_survive_a_blink_of_the_detector(self, door: Door) -> None:
        door.sees(ADA, ADA)
        door.shows()
        assert door.sees(ADA) is not None

    def test_that_are_not_numbers_accept_nobody(self, door: Door) -> None:
        not_a_number = verdict.judge(fakes.candidates(math.nan), POLICY)
        conclusion = door.sees(not_a_number, not_a_number, not_a_number)
        assert conclusion is not None
        assert conclusion.decision is D.REJECT_NO_MATCH
        assert conclusion.reasons[0].as_json() == {"reason": "below_threshold", "measured": None, "required": 0.5}


class TestTime:
    def test_is_up_at_its_very_moment(self, door: Door) -> None:
        assert door.waits(7.999) is None
        assert door.waits(8.0) == Conclusion(D.NO_DECISION_TIMEOUT, None, (), (Reason(R.NO_FACE),), is_claim=False)

    def test_that_is_up_lets_no_vote_in(self, door: Door) -> None:
        door.sees(ADA, ADA)
        door.shows(after_s=7.7)
        conclusion = door.shows(face(ADA), after_s=0.2)
        assert conclusion is not None
        assert (conclusion.decision, len(conclusion.votes)) == (D.NO_DECISION_TIMEOUT, 2)
        assert conclusion.leading == ADA
        assert conclusion.reasons == (Reason(R.VOTES_DISAGREE, 2, 3),)

    def test_without_one_usable_view_ends_with_what_was_wrong_with_the_last(self, door: Door) -> None:
        door.shows(face(None, TOO_DARK))
        door.shows(face(None, TOO_DARK, size_px=10), face(None, TOO_SMALL, TOO_DARK, size_px=20))
        door.shows()
        conclusion = door.waits()
        assert conclusion is not None
        assert conclusion.decision is D.NO_DECISION_QUALITY
        assert conclusion.reasons == (Reason.of_fault(TOO_SMALL), Reason.of_fault(TOO_DARK))

    def test_with_a_usable_face_that_never_voted_is_no_fault_of_the_face(self, door: Door) -> None:
        door.shows(face(None))
        door.shows(face(None, TOO_DARK))
        conclusion = door.waits()
        assert conclusion is not None
        assert conclusion.reasons == (Reason(R.VOTES_DISAGREE, 0, 3),)

    @pytest.mark.parametrize(
        ("several_s", "alone_s", "decision"),
        [
            (1.0, None, D.NO_DECISION_MULTIPLE_FACES),  # since then nobody
            (7.5, 7.75, D.NO_DECISION_MULTIPLE_FACES),  # a moment ago
            (8.0 - RECENT_S, 7.75, D.NO_DECISION_MULTIPLE_FACES),
            (6.0, 6.5, D.NO_DECISION_TIMEOUT),  # long alone
        ],
    )
    def test_with_several_people_to_the_end_says_so(
        self, door: Door, several_s: float, alone_s: float | None, decision: Decision
    ) -> None:
        door.transaction.see(Sighting((face(ADA), face(BOB, same=False))), 100 + several_s)
        if alone_s is not None:
            door.transaction.see(Sighting((face(ADA),)), 100 + alone_s)
        conclusion = door.waits()
        assert conclusion is not None
        assert conclusion.decision is decision
        assert (conclusion.reasons == (Reason(R.SEVERAL_FACES),)) is (decision is D.NO_DECISION_MULTIPLE_FACES)

    def test_faces_that_pass_no_gate_are_not_several_people(self, door: Door) -> None:
        door.shows(face(None, TOO_SMALL), face(None, TOO_DARK))
        conclusion = door.waits()
        assert conclusion is not None
        assert conclusion.decision is D.NO_DECISION_QUALITY

    def test_runs_on_under_another_policy_and_votes_do_not(self, door: Door) -> None:
        door.sees(ADA, ADA)
        door.transaction.restart(Policy(2, 0.9, 0.9, timeout_s=1.0))
        assert door.sees(ADA) is None
        conclusion = door.waits(1.0)
        assert conclusion is not None
        assert (conclusion.decision, len(conclusion.votes)) == (D.NO_DECISION_TIMEOUT, 1)


class TestBlindness:
    @pytest.mark.parametrize(
        ("asked_s", "analysed_s", "decision", "reason"),
        [
            ([], [], D.ERROR, R.NO_PICTURE),
            ([0.1], [], D.ERROR, R.NOT_ANALYSED),
            ([0.1, 4.0, 7.9], [], D.ERROR, R.NOT_ANALYSED),
            ([0.1], [0.2], D.ERROR, R.NO_PICTURE),  # the page went quiet
            ([0.1, 0.3], [0.2], D.ERROR, R.NOT_ANALYSED),  # the worker died in the middle
            ([0.1, 7.9], [0.2], D.ERROR, R.NOT_ANALYSED),
            ([5.9, 6.1], [6.0 - 1e-3], D.ERROR, R.NOT_ANALYSED),
            ([5.9, 6.1], [8.0 - BLIND_AFTER_S], D.NO_DECISION_TIMEOUT, R.VOTES_DISAGREE),
            ([0.1, 7.0], [0.2, 7.1], D.NO_DECISION_TIMEOUT, R.VOTES_DISAGREE),  # it came back
        ],
    )
    @pytest.mark.parametrize("is_claim", [False, True])
    def test_to_the_end_is_an_error_and_says_nothing_of_the_person(
        self,
        asked_s: list[float],
        analysed_s: list[float],
        decision: Decision,
        reason: TransactionReason,
        is_claim: bool,
    ) -> None:
        transaction = Transaction(POLICY, is_claim=is_claim, started_s=100.0)
        for at_s in asked_s:
            transaction.asked(100 + at_s)
        for at_s in analysed_s:
            transaction.see(Sighting((face(ADA),)), 100 + at_s)
        conclusion = transaction.timed_out(108.0)
        assert conclusion is not None
        assert (conclusion.decision, conclusion.reasons[0].code) == (decision, reason)
        assert len(conclusion.votes) == len(analysed_s)

    def test_that_ends_with_the_time_lets_no_vote_in(self, door: Door) -> None:
        door.sees(ADA, ADA)
        conclusion = door.shows(face(ADA), after_s=8.0)
        assert conclusion is not None
        assert (conclusion.decision, len(conclusion.votes)) == (D.ERROR, 2)

    def test_begins_a_second_after_the_last_analysed_frame(self, door: Door) -> None:
        assert not door.transaction.is_watching(100.0)
        door.shows()
        assert door.transaction.is_watching(door.now_s + RECENT_S)
        assert not door.transaction.is_watching(door.now_s + RECENT_S + 1e-3)


class TestLeaving:
    def test_without_a_vote_leaves_nothing_to_record(self, door: Door) -> None:
        door.shows(face(None, TOO_DARK))
        assert door.transaction.left(door.now_s) is None
        assert door.transaction.is_over

    def test_with_votes_ends_without_a_decision(self, door: Door) -> None:
        door.sees(ADA, ADA)
        conclusion = door.transaction.left(door.now_s)
        assert conclusion is not None
        assert (conclusion.decision, conclusion.reasons) == (D.NO_DECISION_TIMEOUT, (Reason(R.LEFT),))
        assert (conclusion.leading, len(conclusion.votes)) == (ADA, 2)

    def test_does_not_end_a_claim_but_takes_its_votes(self) -> None:
        door = Door(is_claim=True)
        door.sees(ADA, ADA)
        assert door.transaction.left(door.now_s) is None
        assert not door.transaction.is_over
        assert door.sees(ADA) is None

    def test_after_the_time_is_a_time_out(self, door: Door) -> None:
        door.sees(ADA)
        door.shows(after_s=7.8)
        conclusion = door.transaction.left(108.0)
        assert conclusion is not None
        assert conclusion.reasons == (Reason(R.VOTES_DISAGREE, 1, 3),)


class TestAbandoned:
    @pytest.mark.parametrize("votes", [[], [ADA], [ADA, STRANGER]])
    def test_a_claim_ends_without_a_decision_and_keeps_its_votes_aside(self, votes: list[Vote]) -> None:
        door = Door(is_claim=True)
        door.sees(*votes)
        conclusion = door.transaction.abandoned(door.now_s)
        assert conclusion is not None
        assert (conclusion.decision, conclusion.reasons) == (D.NO_DECISION_TIMEOUT, (Reason(R.LEFT),))
        assert (conclusion.is_claim, conclusion.leading, conclusion.votes) == (True, None, ())
        assert [record.vote for record in conclusion.set_aside] == votes
        assert door.transaction.is_over

    def test_a_claim_keeps_the_votes_of_an_earlier_face_before_the_later_ones(self) -> None:
        door = Door(is_claim=True)
        door.sees(STRANGER)
        door.transaction.left(door.now_s)
        door.sees(ADA)
        conclusion = door.transaction.abandoned(door.now_s)
        assert conclusion is not None
        assert [record.vote for record in conclusion.set_aside] == [STRANGER, ADA]

    def test_an_identification_ends_as_if_its_face_had_left(self, door: Door) -> None:
        door.sees(ADA)
        conclusion = door.transaction.abandoned(door.now_s)
        assert conclusion is not None
        assert (conclusion.decision, conclusion.leading) == (D.NO_DECISION_TIMEOUT, ADA)
        assert [record.vote for record in conclusion.votes] == [ADA]

    def test_an_identification_without_a_vote_leaves_nothing_to_record(self, door: Door) -> None:
        assert door.transaction.abandoned(door.now_s) is None
        assert door.transaction.is_over

    @pytest.mark.parametrize("is_claim", [False, True])
    def test_by_what_the_person_did_not_do_it_is_an_error(self, is_claim: bool) -> None:
        door = Door(is_claim=is_claim)
        door.sees(ADA)
        conclusion = door.transaction.abandoned(door.now_s, R.OUT_OF_USE)
        assert conclusion is not None
        assert (conclusion.decision, conclusion.reasons) == (D.ERROR, (Reason(R.OUT_OF_USE),))
        assert [record.vote for record in (*conclusion.set_aside, *conclusion.votes)] == [ADA]

    def test_a_claim_on_nobody_s_account_is_recorded_and_a_passer_by_is_not(self, door: Door) -> None:
        assert door.transaction.abandoned(door.now_s, R.OUT_OF_USE) is None
        conclusion = Door(is_claim=True).transaction.abandoned(100.0, R.OUT_OF_USE)
        assert conclusion is not None
        assert conclusion.decision is D.ERROR

    @pytest.mark.parametrize("is_claim", [False, True])
    def test_after_the_time_it_is_a_time_out(self, is_claim: bool) -> None:
        door = Door(is_claim=is_claim)
        door.sees(ADA)
        door.shows(after_s=7.8)
        conclusion = door.transaction.abandoned(108.0)
        assert conclusion is not None
        assert conclusion.reasons == (Reason(R.VOTES_DISAGREE, 1, 3),)


class TestVoteCount:
    def test_is_of_the_votes_that_count(self, door: Door) -> None:
        assert door.transaction.vote_count == 0
        door.sees(ADA, STRANGER)
        assert door.transaction.vote_count == 2

    def test_begins_anew_with_another_face_and_under_another_policy(self, door: Door) -> None:
        door.sees(ADA, ADA)
        door.shows(face(ADA, same=False))
        assert door.transaction.vote_count == 1
        door.transaction.restart(POLICY)
        assert door.transaction.vote_count == 0


def test_nothing_can_be_added_after_the_end(door: Door) -> None:
    door.sees(ADA, ADA, ADA)
    with pytest.raises(TransactionOver):
        door.shows(face(ADA))
    with pytest.raises(TransactionOver):
        door.transaction.left(door.now_s)
    with pytest.raises(TransactionOver):
        door.transaction.abandoned(door.now_s)
    with pytest.raises(TransactionOver):
        door.transaction.timed_out(door.now_s)
    with pytest.raises(TransactionOver):
        door.transaction.restart(POLICY)


class TestInstructions:
    @pytest.mark.parametrize(
        ("change", "instruction"),
        [
            ({}, Instruction.KEEP_LOOKING),
            ({"face_size_px": 20}, Instruction.COME_CLOSER),
            ({"visible_fraction": 0.5}, Instruction.MOVE_INTO_PICTURE),
            ({"luminance_mean": 0.01}, Instruction.MORE_LIGHT),
            ({"luminance_mean": 0.99}, Instruction.LESS_LIGHT),
            ({"sharpness": 1}, Instruction.HOLD_STILL),
            ({"detection_score": 0.1}, Instruction.LOOK_AT_CAMERA),
            ({"yaw_degrees": 80}, Instruction.LOOK_AT_CAMERA),
            ({"face_size_px": 20, "luminance_mean": 0.01}, Instruction.COME_CLOSER),  # one at a time
        ],
    )
    def test_follow_from_the_gates_that_decide(
        self, door: Door, change: dict[str, float], instruction: Instruction
    ) -> None:
        quality = fakes.quality(**change)
        seen = FaceSighting(True, QualityGates().faults(quality), None, quality, quality.face_size_px)
        door.shows(seen)
        assert door.transaction.instruction(door.now_s) is instruction

    def test_ask_for_somebody_while_nobody_is_there(self, door: Door) -> None:
        assert door.transaction.instruction(door.now_s) is Instruction.STAND_IN_FRONT
        door.shows()
        assert door.transaction.instruction(door.now_s) is Instruction.STAND_IN_FRONT

    def test_stay_through_a_blink_and_no_longer(self, door: Door) -> None:
        door.shows(face(None))
        seen_s = door.now_s
        door.shows()
        assert door.transaction.instruction(seen_s + RECENT_S / 2) is Instruction.KEEP_LOOKING
        assert door.transaction.instruction(seen_s + RECENT_S + 0.01) is Instruction.STAND_IN_FRONT

    def test_ask_for_one_person_only_when_two_could_be_meant(self, door: Door) -> None:
        door.shows(face(None), face(None, TOO_SMALL, size_px=20))
        assert door.transaction.instruction(door.now_s) is Instruction.KEEP_LOOKING
        door.shows(face(None), face(None, same=False))
        assert door.transaction.instruction(door.now_s) is Instruction.ONE_PERSON_ONLY

    def test_are_for_the_largest_face(self, door: Door) -> None:
        door.shows(face(None, TOO_SMALL, size_px=20), face(None, TOO_DARK, size_px=90))
        assert door.transaction.instruction(door.now_s) is Instruction.MORE_LIGHT

    def test_exist_for_faults_of_no_gate(self, door: Door) -> None:
        door.shows(face(None, QualityFault(SampleReason.NO_FACE, 0, 1)))
        assert door.transaction.instruction(door.now_s) is Instruction.LOOK_AT_CAMERA


def test_an_empty_gallery_and_an_empty_deny_list_accept_nobody() -> None:
    vote = verdict.judge_claim(CandidateList(), CandidateList(), POLICY)
    conclusion = Door(is_claim=True).sees(vote, vote, vote)
    assert conclusion is not None
    assert (conclusion.decision, conclusion.reasons) == (D.REJECT_NO_MATCH, (Reason(R.NO_TEMPLATE),))
