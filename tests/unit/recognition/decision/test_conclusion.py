"""The final word: tables of every decision, and that nothing whatever ends in an accept that should not."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from recognition.decision import conclusion as final_word
from recognition.decision import matching, verdict
from recognition.decision.conclusion import Conclusion, Verdict
from recognition.decision.matching import Candidate, CandidateList, Objection
from recognition.decision.policy import Policy, QualityFault, SampleReason
from recognition.decision.standing import Bar, Standing
from recognition.decision.transaction import FaceSighting, Sighting, Transaction
from recognition.decision.verdict import Decision, Reason, TransactionReason, Vote
from recognition.decision.voting import VoteRecord
from tests import fakes

POLICY = Policy(version=1, identification_threshold=0.5, verification_threshold=0.4, margin=0.125)
PIN_POLICY = dataclasses.replace(POLICY, requires_pin=True)
NO_ONE = fakes.candidates()
R, D = TransactionReason, Decision


def identified(*similarities: float, decision: Decision = D.ACCEPT, barred: Bar | None = None) -> Conclusion:
    people = fakes.candidates(*similarities, barred=barred)
    return Conclusion(decision, Vote(decision, people.best, people.runner_up, people.margin), (), (), is_claim=False)


def claimed(similarity: float, decision: Decision = D.ACCEPT, *reasons: Reason) -> Conclusion:
    vote = Vote(decision, fakes.candidates(similarity).best, None, None)
    return Conclusion(decision, vote, (), reasons, is_claim=True)


def concluded(conclusion: Conclusion, **changes: Any) -> Verdict:
    facts: dict[str, Any] = {
        "standing": fakes.standing(1),
        "allowed_groups": None,
        "pin_ok": None,
        "claim_is_known": True,
        "now": fakes.NOW,
        "policy": POLICY,
    }
    return final_word.conclude(conclusion, **{**facts, **changes})


ACCEPTED = Verdict(D.ACCEPT, (), raises_alert=False)


def refused(decision: Decision, *reasons: Reason, alert: bool = False) -> Verdict:
    return Verdict(decision, reasons, raises_alert=alert)


@pytest.mark.parametrize("conclusion", [identified(0.5), identified(0.75, 0.625), claimed(0.4)])
def test_a_person_in_good_standing_is_accepted_from_the_very_threshold(conclusion: Conclusion) -> None:
    assert concluded(conclusion) == ACCEPTED


@pytest.mark.parametrize(
    ("conclusion", "expected"),
    [
        (identified(0.25), refused(D.REJECT_NO_MATCH, Reason(R.BELOW_THRESHOLD, 0.25, 0.5))),
        (identified(0.45), refused(D.REJECT_NO_MATCH, Reason(R.BELOW_THRESHOLD, 0.45, 0.5))),  # a claim's would do
        (claimed(0.25), refused(D.REJECT_NO_MATCH, Reason(R.BELOW_THRESHOLD, 0.25, 0.4))),
        (identified(0.75, 0.75), refused(D.REJECT_AMBIGUOUS, Reason(R.MARGIN_TOO_SMALL, 0.0, 0.125))),
        (Conclusion(D.ACCEPT, None, (), (), is_claim=False), refused(D.REJECT_NO_MATCH, Reason(R.NO_TEMPLATE))),
        (Conclusion(D.ACCEPT, None, (), (), is_claim=True), refused(D.REJECT_NO_MATCH, Reason(R.NO_TEMPLATE))),
    ],
)
def test_an_accept_that_its_own_numbers_do_not_carry_is_none(conclusion: Conclusion, expected: Verdict) -> None:
    assert concluded(conclusion) == expected


def test_an_accept_that_a_classifier_objects_to_is_none() -> None:
    accept = identified(0.75)
    assert accept.leading is not None
    objected = dataclasses.replace(accept.leading, objection=Objection.NOT_LEARNED)
    refusal = refused(D.REJECT_NO_MATCH, Reason(Objection.NOT_LEARNED))
    assert concluded(dataclasses.replace(accept, leading=objected)) == refusal


TOO_CLOSE = Reason(R.MARGIN_TOO_SMALL, 0.05, 0.125)


def between(*people: tuple[float, Bar | None], decision: Decision = D.REJECT_AMBIGUOUS) -> Vote:
    """A vote between people of those similarities, barred so."""
    candidates = tuple(
        Candidate(number, f"person {number}", number * 10, similarity, barred)
        for number, (similarity, barred) in enumerate(people, 1)
    )
    ranked = CandidateList(candidates)
    return Vote(decision, ranked.best, ranked.runner_up, ranked.margin, candidates[2:])


@pytest.mark.parametrize(
    ("people", "alert"),
    [
        ([(0.75, None), (0.7, None)], False),
        ([(0.75, None), (0.7, Bar.DENY_LIST)], True),
        ([(0.75, Bar.DENY_LIST), (0.7, None)], True),
        ([(0.75, None), (0.7, None), (0.69, Bar.DENY_LIST)], True),
        ([(0.55, None), (0.5, Bar.DENY_LIST)], True),  # exactly the threshold
        ([(0.55, None), (math.nextafter(0.5, 0), Bar.DENY_LIST)], False),
        ([(0.75, None), (math.nan, Bar.DENY_LIST)], False),
        ([(0.75, None), (0.7, Bar.SUSPENDED)], False),
    ],
)
def test_between_two_people_there_is_an_alert_where_one_is_on_the_deny_list(
    people: list[tuple[float, Bar | None]], alert: bool
) -> None:
    leading = between(*people)
    word = concluded(Conclusion(D.REJECT_AMBIGUOUS, leading, (), (TOO_CLOSE,), is_claim=False))
    reasons = (TOO_CLOSE, Reason(R.MAY_BE_DENIED)) if alert else (TOO_CLOSE,)
    assert word == refused(D.REJECT_AMBIGUOUS, *reasons, alert=alert)


def test_between_two_people_any_look_that_counts_tells_of_the_deny_list() -> None:
    leading, other = between((0.8, None), (0.79, None)), between((0.7, None), (0.69, Bar.DENY_LIST))
    accepting = between((0.9, None), (0.6, Bar.DENY_LIST), decision=D.ACCEPT)
    for votes, alert in (([leading, other], True), ([leading, accepting], False)):
        records = tuple(VoteRecord(0.0, vote, fakes.quality()) for vote in votes)
        word = concluded(Conclusion(D.REJECT_AMBIGUOUS, leading, records, (TOO_CLOSE,), is_claim=False))
        assert word.raises_alert is alert


def test_an_accept_whose_margin_does_not_carry_it_tells_of_the_deny_list_too() -> None:
    leading = between((0.75, None), (0.7, Bar.DENY_LIST), decision=D.ACCEPT)
    word = concluded(Conclusion(D.ACCEPT, leading, (), (), is_claim=False))
    assert (word.decision, word.raises_alert) == (D.REJECT_AMBIGUOUS, True)


def test_scores_that_are_not_numbers_accept_nobody() -> None:
    for conclusion in (identified(math.nan), claimed(math.nan)):
        assert concluded(conclusion).decision is D.REJECT_NO_MATCH
    assert concluded(identified(0.9, math.nan)).decision is D.REJECT_AMBIGUOUS


def test_a_stricter_policy_holds_at_once() -> None:
    stricter = Policy(2, identification_threshold=0.8, verification_threshold=0.8)
    assert concluded(identified(0.75), policy=stricter).decision is D.REJECT_NO_MATCH
    assert concluded(claimed(0.75), policy=stricter).decision is D.REJECT_NO_MATCH


@pytest.mark.parametrize("bar", list(Bar))
@pytest.mark.parametrize("conclusion", [identified(0.75), claimed(0.75)])
def test_each_bar_refuses_and_only_the_deny_list_raises_an_alert(conclusion: Conclusion, bar: Bar) -> None:
    allowed = frozenset({1}) if bar is Bar.WRONG_GROUP else None
    word = concluded(conclusion, standing=fakes.standing(1, bar), allowed_groups=allowed)
    assert word == refused(D.REJECT_NOT_ALLOWED, Reason(bar), alert=bar is Bar.DENY_LIST)


def test_every_bar_is_a_reason_the_gravest_first() -> None:
    word = concluded(identified(0.75), standing=fakes.standing(1, *Bar), allowed_groups=frozenset())
    assert word == refused(D.REJECT_NOT_ALLOWED, *map(Reason, Bar), alert=True)


def test_a_bar_that_the_search_knew_and_one_that_came_since_both_count() -> None:
    known = identified(0.75, decision=D.REJECT_NOT_ALLOWED, barred=Bar.SUSPENDED)
    assert concluded(known) == refused(D.REJECT_NOT_ALLOWED, Reason(Bar.SUSPENDED))
    assert concluded(known, standing=None) == refused(D.REJECT_NOT_ALLOWED, Reason(Bar.SUSPENDED))
    since = concluded(known, standing=fakes.standing(1, Bar.DENY_LIST))
    assert since == refused(D.REJECT_NOT_ALLOWED, Reason(Bar.DENY_LIST), Reason(Bar.SUSPENDED), alert=True)
    assert concluded(identified(0.75, barred=Bar.SUSPENDED)).decision is D.REJECT_NOT_ALLOWED


@pytest.mark.parametrize("standing", [None, fakes.standing(2)])
@pytest.mark.parametrize("conclusion", [identified(0.75), claimed(0.75)])
def test_nobody_is_accepted_who_is_gone_or_is_not_the_claimed_one(
    conclusion: Conclusion, standing: Standing | None
) -> None:
    assert concluded(conclusion, standing=standing) == refused(D.REJECT_NO_MATCH, Reason(R.NO_TEMPLATE))


@pytest.mark.parametrize(
    ("conclusion", "pin_ok", "policy", "expected"),
    [
        (claimed(0.75), True, PIN_POLICY, ACCEPTED),
        (claimed(0.75), False, PIN_POLICY, refused(D.REJECT_NO_MATCH, Reason(R.PIN_WRONG))),
        (claimed(0.75), None, PIN_POLICY, refused(D.REJECT_NO_MATCH, Reason(R.PIN_NOT_SET))),
        (claimed(0.75), False, POLICY, ACCEPTED),  # nobody asked for one
        (identified(0.75), None, PIN_POLICY, ACCEPTED),  # a PIN belongs to a claim
        (
            claimed(0.25, D.REJECT_NO_MATCH, Reason(R.BELOW_THRESHOLD, 0.25, 0.4)),
            False,
            PIN_POLICY,
            refused(D.REJECT_NO_MATCH, Reason(R.BELOW_THRESHOLD, 0.25, 0.4), Reason(R.PIN_WRONG)),
        ),
        (
            claimed(0.25, D.REJECT_NO_MATCH, Reason(R.BELOW_THRESHOLD, 0.25, 0.4)),
            True,
            PIN_POLICY,
            refused(D.REJECT_NO_MATCH, Reason(R.BELOW_THRESHOLD, 0.25, 0.4)),
        ),
    ],
)
def test_a_pin_is_needed_where_the_policy_asks_a_claim_for_it(
    conclusion: Conclusion, pin_ok: bool | None, policy: Policy, expected: Verdict
) -> None:
    assert concluded(conclusion, pin_ok=pin_ok, policy=policy) == expected


@pytest.mark.parametrize("decision", [D.ACCEPT, D.REJECT_NO_MATCH])
def test_an_unknown_claim_is_never_accepted(decision: Decision) -> None:
    word = concluded(claimed(0.9, decision), claim_is_known=False, pin_ok=True)
    assert word == refused(D.REJECT_NO_MATCH, Reason(R.CLAIM_UNKNOWN))


@pytest.mark.parametrize("pin_ok", [True, False, None])
@pytest.mark.parametrize("claim_is_known", [True, False])
@pytest.mark.parametrize("standing", [None, fakes.standing(1), fakes.standing(1, Bar.SUSPENDED)])
def test_somebody_of_the_deny_list_is_refused_with_an_alert_whatever_else_is_wrong(
    pin_ok: bool | None, claim_is_known: bool, standing: Standing | None
) -> None:
    vote = verdict.judge_claim(fakes.candidates(0.9), fakes.candidates(0.75, first_person=7), POLICY)
    banned = Conclusion(vote.decision, vote, (), (), is_claim=True)
    word = concluded(banned, standing=standing, pin_ok=pin_ok, claim_is_known=claim_is_known, policy=PIN_POLICY)
    assert word == refused(D.REJECT_NOT_ALLOWED, Reason(Bar.DENY_LIST), alert=True)


@pytest.mark.parametrize("decision", sorted(set(D) - {D.ACCEPT, D.REJECT_NO_MATCH, D.REJECT_NOT_ALLOWED}))
@pytest.mark.parametrize("is_claim", [True, False])
def test_every_other_decision_stays_with_its_reasons(decision: Decision, is_claim: bool) -> None:
    reasons = (Reason(R.SEVERAL_FACES),)
    vote = Vote(decision, fakes.candidates(0.9).best, None, None)
    conclusion = Conclusion(decision, vote, (), reasons, is_claim=is_claim)
    for known in (True, False):
        word = concluded(conclusion, standing=fakes.standing(1, Bar.DENY_LIST), claim_is_known=known, policy=PIN_POLICY)
        assert word == refused(decision, *reasons)


def test_a_verdict_that_contradicts_itself_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="expected an accept without reasons"):
        Verdict(D.ACCEPT, (Reason(R.LEFT),), raises_alert=False)
    with pytest.raises(ValueError, match="expected an alert with a person who is refused, got accept"):
        Verdict(D.ACCEPT, (), raises_alert=True)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="now: expected a time with a time zone"):
        concluded(identified(0.75), now=fakes.NOW.replace(tzinfo=None))


# --- nothing whatever ---
# Most values are such that an accept is near, or the property would hold of nothing but refusals.

PEOPLE = (1, 2, 3)
FAULT = QualityFault(SampleReason.TOO_DARK, 0.1, 0.12)


def mostly(usual: Any, *others: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from([usual] * max(3, len(others)) + list(others))


similarities = mostly(0.95, 0.35, 0.45, 0.55, math.nan) | st.floats(-1, 1)
policies = st.builds(
    lambda identification, verification, margin, k_of_n, pin: Policy(
        1, identification, verification, margin, votes_needed=k_of_n[0], votes_of=k_of_n[1], requires_pin=pin
    ),
    st.sampled_from([0.4, 0.5]),
    st.sampled_from([0.3, 0.5, 0.6]),
    st.sampled_from([0.0, 0.1]),
    st.sampled_from([(1, 1), (2, 2), (2, 3), (3, 5)]),
    st.booleans(),
)


@st.composite
def searches(draw: st.DrawFn) -> CandidateList:
    """A few people, the closest first; mostly person 1."""
    people = draw(mostly([1], [], [2], [1, 2], [3, 1]))
    found = [Candidate(person, "", person, draw(similarities), draw(mostly(None, *Bar))) for person in people]
    return matching.ranked(found)


@dataclasses.dataclass(frozen=True)
class Face:
    """A face as a camera would show it: the same as before or not, usable or not, and whom it is like."""

    same: bool
    faulty: bool
    found: CandidateList
    denied: CandidateList

    def sighting(self, claim: int | None, policy: Policy) -> FaceSighting:
        if claim is None:
            vote = verdict.judge(self.found, policy)
        else:
            of_claimed = CandidateList(tuple(one for one in self.found.people if one.person_id == claim))
            vote = verdict.judge_claim(of_claimed, self.denied, policy)
        return FaceSighting(self.same, (FAULT,) if self.faulty else (), vote, fakes.quality(), 100.0)


banned = mostly(CandidateList(), *(fakes.candidates(similarity, first_person=3) for similarity in (0.35, 0.45, 0.95)))
faces = st.builds(Face, mostly(True, False), mostly(False, True), searches(), banned)
frames = st.lists(faces, min_size=1, max_size=2)
steady = st.builds(
    lambda face, same: [[dataclasses.replace(face, same=flag)] for flag in same],
    faces,
    st.lists(mostly(True, False), min_size=3, max_size=7),
)
films = st.builds(lambda before, then: [*before, *then], st.lists(frames, max_size=4), st.just([]) | steady)
standings = st.builds(
    lambda barred, groups: fakes.standing(1, *barred, groups=groups),
    mostly(frozenset(), *(frozenset({bar}) for bar in Bar if bar is not Bar.WRONG_GROUP)),
    st.frozensets(st.integers(1, 2)),
)


def watched(film: list[list[Face]], claim: int | None, policy: Policy) -> tuple[Conclusion | None, int]:
    """The conclusion, and how many frames since anything changed showed one usable face."""
    running = Transaction(policy, is_claim=claim is not None, started_s=0.0)
    alone = 0
    for number, frame in enumerate(film, 1):
        usable = [face for face in frame if not face.faulty]
        if len(usable) > 1 or not all(face.same for face in usable):
            alone = 0
        alone += len(usable) == 1
        sighting = Sighting(tuple(face.sighting(claim, policy) for face in frame))
        conclusion = running.see(sighting, number * 0.1)
        if conclusion is not None:
            return conclusion, alone
    return None, alone


@settings(max_examples=1500)
@given(
    film=films,
    policy=policies,
    later=policies,
    claim=st.none() | mostly(1, 2),
    standing=mostly(True, False).flatmap(lambda exists: standings if exists else st.none()),
    standing_of=mostly(None, *PEOPLE),
    allowed=mostly(None, frozenset(), frozenset({1}), frozenset({1, 2})),
    pin_ok=mostly(True, False, None),
    claim_is_known=mostly(True, False),
)
def test_nothing_ends_in_an_accept_below_the_threshold_or_of_somebody_not_allowed_or_not_claimed(
    film: list[list[Face]],
    policy: Policy,
    later: Policy,
    claim: int | None,
    standing: Standing | None,
    standing_of: int | None,
    allowed: frozenset[int] | None,
    pin_ok: bool | None,
    claim_is_known: bool,
) -> None:
    conclusion, alone = watched(film, claim, policy)
    if conclusion is None:
        return
    best = conclusion.leading.best if conclusion.leading else None
    if standing is not None:
        # The claimed person's, as a service reads it; without a claim the named one's, or anybody's.
        whose = claim or standing_of or (best.person_id if best else 1)
        standing = dataclasses.replace(standing, person_id=whose)
    word = concluded(
        conclusion,
        standing=standing,
        allowed_groups=allowed,
        pin_ok=pin_ok,
        claim_is_known=claim_is_known,
        policy=later,
    )
    event(word.decision)
    alerting = {
        D.REJECT_NOT_ALLOWED: Reason(Bar.DENY_LIST) in word.reasons,
        D.REJECT_AMBIGUOUS: Reason(R.MAY_BE_DENIED) in word.reasons,
    }
    assert word.raises_alert == alerting.get(word.decision, False)
    if word.decision is D.ACCEPT:
        assert not any(record.vote.is_deny_list_hit for record in conclusion.votes)
    assert bool(word.reasons) is (word.decision is not D.ACCEPT)
    if word.decision is not D.ACCEPT:
        return

    assert conclusion.leading is not None
    assert best is not None
    for rules in (policy, later):
        assert best.similarity >= (rules.identification_threshold if claim is None else rules.verification_threshold)
        if claim is None and conclusion.leading.runner_up is not None:
            assert best.similarity - conclusion.leading.runner_up.similarity >= rules.margin
    agreeing = [record for record in conclusion.votes if record.vote.answer == (D.ACCEPT, best.person_id)]
    assert policy.votes_needed <= len(agreeing) <= alone
    assert best.barred is None
    assert standing is not None
    assert standing.person_id == best.person_id
    assert standing.bars(fakes.NOW, allowed) == ()
    if claim is not None:
        assert claim_is_known
        assert best.person_id == claim
        assert pin_ok is True or not later.requires_pin
