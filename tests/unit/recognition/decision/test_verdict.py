from __future__ import annotations

import dataclasses
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.decision import verdict
from recognition.decision.matching import CandidateList, Objection
from recognition.decision.policy import Policy, QualityFault, SampleReason
from recognition.decision.standing import Bar
from recognition.decision.verdict import Decision, Reason, TransactionReason, Vote
from tests import fakes

POLICY = Policy(version=1, identification_threshold=0.5, verification_threshold=0.4, margin=0.125)
BELOW = math.nextafter(0.5, 0)

ACCEPT, NO_MATCH, AMBIGUOUS = Decision.ACCEPT, Decision.REJECT_NO_MATCH, Decision.REJECT_AMBIGUOUS
NOT_ALLOWED = Decision.REJECT_NOT_ALLOWED


@pytest.mark.parametrize(
    ("people", "decision"),
    [
        (fakes.candidates(), NO_MATCH),  # nobody is enrolled
        (fakes.candidates(0.5), ACCEPT),  # exactly the threshold
        (fakes.candidates(BELOW), NO_MATCH),
        (fakes.candidates(-1.0), NO_MATCH),
        (fakes.candidates(0.75, 0.625), ACCEPT),  # exactly the margin
        (fakes.candidates(0.75, 0.6251), AMBIGUOUS),
        (fakes.candidates(0.75, 0.75), AMBIGUOUS),  # a tie
        (fakes.candidates(0.5, 0.45), AMBIGUOUS),  # the next person counts though below the threshold
        (fakes.candidates(BELOW, BELOW), NO_MATCH),  # too far comes before too close to each other
        (fakes.candidates(0.9, 0.1, 0.09), ACCEPT),
        (fakes.candidates(math.nan), NO_MATCH),
        (fakes.candidates(math.nan, 0.9), NO_MATCH),
        (fakes.candidates(0.9, math.nan), AMBIGUOUS),  # an unknown gap is not enough of one
    ],
)
def test_a_search_is_judged_by_threshold_and_margin(people: CandidateList, decision: Decision) -> None:
    vote = verdict.judge(people, POLICY)
    assert vote.decision is decision
    assert (vote.best, vote.runner_up) == (people.best, people.runner_up)


@given(st.lists(st.floats(-1, 1) | st.just(math.nan), max_size=4), st.floats(-1, 1), st.floats(0, 2))
def test_nobody_is_named_below_the_threshold_or_within_the_margin(
    similarities: list[float], threshold: float, margin: float
) -> None:
    policy = Policy(version=1, identification_threshold=threshold, verification_threshold=0.4, margin=margin)
    vote = verdict.judge(fakes.candidates(*similarities), policy)
    if vote.decision is ACCEPT:
        assert vote.best is not None
        assert vote.best.similarity >= threshold
        assert vote.margin is None or vote.margin >= margin


@pytest.mark.parametrize("bar", list(Bar))
def test_somebody_recognised_who_is_barred_is_refused(bar: Bar) -> None:
    vote = verdict.judge(fakes.candidates(0.5, 0.1, barred=bar), POLICY)
    assert (vote.decision, vote.answer) == (NOT_ALLOWED, (NOT_ALLOWED, 1))
    assert verdict.reasons(vote, POLICY, is_claim=False) == (Reason(bar),)


@pytest.mark.parametrize(
    ("people", "decision"),
    [
        (fakes.candidates(BELOW, barred=Bar.DENY_LIST), NO_MATCH),  # a stranger like somebody banned
        (fakes.candidates(0.75, 0.7, barred=Bar.DENY_LIST), AMBIGUOUS),  # nobody knows which of the two
        (fakes.candidates(math.nan, barred=Bar.DENY_LIST), NO_MATCH),
        (
            CandidateList(
                (*fakes.candidates(0.9).people, *fakes.candidates(0.1, first_person=2, barred=Bar.DENY_LIST).people)
            ),
            ACCEPT,
        ),
    ],
)
def test_a_bar_counts_only_against_whom_the_search_would_name(people: CandidateList, decision: Decision) -> None:
    assert verdict.judge(people, POLICY).decision is decision


@pytest.mark.parametrize(
    ("people", "objection", "decision"),
    [
        (fakes.candidates(0.9), Objection.OTHER_PEOPLE, NO_MATCH),
        (fakes.candidates(0.9), Objection.NOT_LEARNED, NO_MATCH),
        (fakes.candidates(0.9), Objection.NO_CLASSIFIER, NO_MATCH),
        (fakes.candidates(0.9, 0.6), Objection.ANOTHER_PERSON, AMBIGUOUS),
        (fakes.candidates(0.9, barred=Bar.SUSPENDED), Objection.OTHER_PEOPLE, NO_MATCH),
        (fakes.candidates(0.9, barred=Bar.DENY_LIST), Objection.OTHER_PEOPLE, NOT_ALLOWED),  # they are refused anyway
    ],
)
def test_an_objection_takes_a_name_back_and_says_why(
    people: CandidateList, objection: Objection, decision: Decision
) -> None:
    vote = verdict.judge(dataclasses.replace(people, objection=objection), POLICY)
    assert (vote.decision, vote.objection) == (decision, objection)
    why = Reason(Bar.DENY_LIST) if decision is NOT_ALLOWED else Reason(objection)
    assert verdict.reasons(vote, POLICY, is_claim=False) == (why,)
    assert verdict.judge_again(vote, POLICY) == vote


@pytest.mark.parametrize(
    ("people", "reason"),
    [
        (fakes.candidates(0.25), Reason(TransactionReason.BELOW_THRESHOLD, 0.25, 0.5)),
        (fakes.candidates(0.75, 0.75), Reason(TransactionReason.MARGIN_TOO_SMALL, 0.0, 0.125)),
    ],
)
def test_an_objection_against_whom_nobody_would_name_is_not_the_reason(people: CandidateList, reason: Reason) -> None:
    vote = verdict.judge(dataclasses.replace(people, objection=Objection.NOT_LEARNED), POLICY)
    assert verdict.reasons(vote, POLICY, is_claim=False) == (reason,)


class TestClaims:
    NOBODY = fakes.candidates()

    @pytest.mark.parametrize(
        ("similarity", "decision"),
        [(math.nan, NO_MATCH), (-1.0, NO_MATCH), (math.nextafter(0.4, 0), NO_MATCH), (0.4, ACCEPT), (1.0, ACCEPT)],
    )
    def test_are_confirmed_from_the_verification_threshold(self, similarity: float, decision: Decision) -> None:
        vote = verdict.judge_claim(fakes.candidates(similarity), self.NOBODY, POLICY)
        assert vote.decision is decision
        assert (vote.best, vote.runner_up, vote.margin) == (fakes.candidates(similarity).best, None, None)
        assert verdict.is_confirmed(similarity, POLICY) is (decision is ACCEPT)

    def test_of_a_person_without_a_template_are_not_confirmed(self) -> None:
        vote = verdict.judge_claim(self.NOBODY, self.NOBODY, POLICY)
        assert vote == Vote(NO_MATCH, None, None, None)
        assert verdict.reasons(vote, POLICY, is_claim=True) == (Reason(TransactionReason.NO_TEMPLATE),)

    @pytest.mark.parametrize("claimed", [fakes.candidates(), fakes.candidates(0.1), fakes.candidates(0.99)])
    def test_by_somebody_on_the_deny_list_are_refused_however_like_the_card_s_owner(
        self, claimed: CandidateList
    ) -> None:
        vote = verdict.judge_claim(claimed, fakes.candidates(0.5, 0.5, first_person=7), POLICY)
        assert (vote.decision, vote.answer, vote.runner_up) == (NOT_ALLOWED, (NOT_ALLOWED, 7), claimed.best)
        assert verdict.reasons(vote, POLICY, is_claim=True) == (Reason(Bar.DENY_LIST),)

    @pytest.mark.parametrize("similarity", [BELOW, 0.45, -1.0, math.nan])
    def test_are_not_held_against_who_only_resembles_somebody_banned(self, similarity: float) -> None:
        denied = fakes.candidates(similarity, first_person=7)
        assert verdict.judge_claim(fakes.candidates(0.4), denied, POLICY).decision is ACCEPT

    def test_to_be_a_person_of_the_deny_list_are_refused_at_either_threshold(self) -> None:
        banned = fakes.candidates(0.45, barred=Bar.DENY_LIST)
        assert verdict.judge_claim(banned, banned, POLICY).answer == (NOT_ALLOWED, 1)
        surely = fakes.candidates(0.9, barred=Bar.DENY_LIST)
        assert verdict.judge_claim(surely, surely, POLICY) == Vote(NOT_ALLOWED, surely.best, None, None)

    def test_of_two_people_at_once_are_a_mistake_of_the_caller(self) -> None:
        with pytest.raises(ValueError, match="expected one person at most, got 2"):
            verdict.judge_claim(fakes.candidates(0.9, 0.8), self.NOBODY, POLICY)


@pytest.mark.parametrize(
    ("people", "reasons"),
    [
        (fakes.candidates(), (Reason(TransactionReason.NOBODY_ENROLLED),)),
        (fakes.candidates(0.25), (Reason(TransactionReason.BELOW_THRESHOLD, 0.25, 0.5),)),
        (fakes.candidates(0.75, 0.75), (Reason(TransactionReason.MARGIN_TOO_SMALL, 0.0, 0.125),)),
        (fakes.candidates(0.75, barred=Bar.SUSPENDED), (Reason(Bar.SUSPENDED),)),
        (fakes.candidates(0.75), ()),
    ],
)
def test_a_vote_says_why_with_its_numbers(people: CandidateList, reasons: tuple[Reason, ...]) -> None:
    assert verdict.reasons(verdict.judge(people, POLICY), POLICY, is_claim=False) == reasons


def test_a_claim_is_held_against_the_verification_threshold() -> None:
    vote = verdict.judge_claim(fakes.candidates(0.25), fakes.candidates(), POLICY)
    assert verdict.reasons(vote, POLICY, is_claim=True) == (Reason(TransactionReason.BELOW_THRESHOLD, 0.25, 0.4),)


class TestReasons:
    @pytest.mark.parametrize("code", [*TransactionReason, *SampleReason, *Bar, *Objection])
    def test_come_back_from_json_as_they_went(self, code: str) -> None:
        reason = Reason(code, 0.25, None)
        stored = json.loads(json.dumps(reason.as_json()))
        assert stored == {"reason": str(code), "measured": 0.25, "required": None}
        assert Reason.from_json(stored) == reason

    def test_have_codes_that_no_other_list_uses(self) -> None:
        codes = [reason.value for reason in (*TransactionReason, *SampleReason, *Bar)]
        assert len(codes) == len(set(codes))

    def test_of_no_list_are_refused(self) -> None:
        with pytest.raises(ValueError, match="expected a reason of the closed lists, got 'bad_mood'"):
            Reason("bad_mood")

    @pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
    def test_hold_no_number_that_the_database_refuses(self, number: float) -> None:
        assert Reason(TransactionReason.BELOW_THRESHOLD, number, 0.5).as_json()["measured"] is None

    def test_of_a_gate_keep_what_was_measured_and_required(self) -> None:
        fault = QualityFault(SampleReason.TOO_DARK, 0.1, 0.12)
        assert Reason.of_fault(fault) == Reason("too_dark", 0.1, 0.12)


def test_two_votes_for_the_same_person_agree_whatever_their_similarity() -> None:
    one, other = (verdict.judge(fakes.candidates(similarity), POLICY) for similarity in (0.6, 0.9))
    assert one.answer == other.answer == (ACCEPT, 1)


def test_votes_for_two_people_do_not_agree() -> None:
    one, other = (verdict.judge(fakes.candidates(0.9, first_person=number), POLICY) for number in (1, 2))
    assert one.answer != other.answer


def test_two_unknowns_agree_whoever_is_nearest() -> None:
    one, other = (verdict.judge(fakes.candidates(0.1, first_person=number), POLICY) for number in (1, 2))
    assert one.answer == other.answer == (NO_MATCH, None)


def test_votes_for_two_barred_people_do_not_agree() -> None:
    one, other = (
        verdict.judge(fakes.candidates(0.9, first_person=number, barred=Bar.SUSPENDED), POLICY) for number in (1, 2)
    )
    assert one.answer != other.answer


@pytest.mark.parametrize(
    ("barred", "similarity", "is_hit"),
    [(None, 0.9, False), (Bar.SUSPENDED, 0.9, False), (Bar.DENY_LIST, BELOW, False), (Bar.DENY_LIST, 0.5, True)],
)
def test_only_a_vote_that_names_somebody_of_the_deny_list_is_a_hit(
    barred: Bar | None, similarity: float, is_hit: bool
) -> None:
    assert verdict.judge(fakes.candidates(similarity, barred=barred), POLICY).is_deny_list_hit is is_hit
    assert not verdict.judge(fakes.candidates(), POLICY).is_deny_list_hit
