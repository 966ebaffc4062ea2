"""Replaying the log: at the stored thresholds what was stored, at others what really deciding anew gives."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from recognition.decision import conclusion, replay, stored_votes, verdict
from recognition.decision.conclusion import Conclusion
from recognition.decision.matching import Candidate, CandidateList
from recognition.decision.policy import Policy
from recognition.decision.replay import UNDETERMINED, CannotReplay, Change, LoggedTransaction, Outcome, Replayed
from recognition.decision.standing import Bar
from recognition.decision.transaction import FaceSighting, Sighting, Transaction
from recognition.decision.verdict import Decision, Reason, TransactionReason, Vote
from tests import fakes

POLICY = Policy(version=1, identification_threshold=0.5, verification_threshold=0.4, margin=0.05)
BANNED, SUSPENDED = 3, 4
BARS = {BANNED: Bar.DENY_LIST, SUSPENDED: Bar.SUSPENDED}
STANDINGS = {number: fakes.standing(number, *([BARS[number]] if number in BARS else [])) for number in range(1, 6)}
FRAME_S = 0.3
NOBODY = CandidateList()


@dataclasses.dataclass(frozen=True)
class Frame:
    """What one frame is compared with, and whether it shows the face of the frame before."""

    searched: CandidateList
    denied: CandidateList = NOBODY
    is_same: bool = True


@dataclasses.dataclass(frozen=True)
class Scene:
    """Frames of one transaction, and what is claimed there."""

    frames: tuple[Frame, ...]
    is_claim: bool = False
    claimed: int | None = None
    pin_ok: bool | None = True
    allowed_groups: frozenset[int] | None = None


@dataclasses.dataclass(frozen=True)
class Ran:
    """A transaction that really ran: how it ended, what an event keeps of it, and how many frames it took."""

    decision: Decision
    person: int | None
    votes: list[dict[str, Any]]
    reasons: tuple[Reason, ...]
    best: int | None
    frames: int

    @property
    def outcome(self) -> Outcome:
        return Outcome(self.decision, self.person)


def ran(scene: Scene, policy: Policy) -> Ran:
    """Runs a transaction by the live code, from the frames to the last word of the database."""
    transaction = Transaction(policy, is_claim=scene.is_claim, started_s=0.0)
    ended: Conclusion | None = None
    taken = 0
    for frame in scene.frames:
        taken += 1
        vote = _judged(frame, scene, policy)
        sighting = Sighting((FaceSighting(frame.is_same, (), vote, fakes.quality(), 112.0),))
        ended = transaction.see(sighting, taken * FRAME_S)
        if ended is not None:
            break
    else:
        taken = len(scene.frames) + 1
        ended = transaction.abandoned(taken * FRAME_S)
    assert ended is not None
    best = ended.leading.best if ended.leading else None
    about = scene.claimed if scene.is_claim else best.person_id if best else None
    said = conclusion.conclude(
        ended,
        standing=STANDINGS.get(about) if about is not None else None,
        allowed_groups=scene.allowed_groups,
        pin_ok=scene.pin_ok if scene.is_claim else None,
        claim_is_known=scene.claimed is not None,
        now=fakes.NOW,
        policy=policy,
    )
    votes = [
        *(record.as_json(counts=False) for record in ended.set_aside),
        *(record.as_json() for record in ended.votes),
    ]
    person = best.person_id if best and said.decision is Decision.ACCEPT else None
    stored = json.loads(json.dumps(votes))
    return Ran(said.decision, person, stored, said.reasons, best.person_id if best else None, taken)


def _judged(frame: Frame, scene: Scene, policy: Policy) -> Vote:
    if scene.is_claim:
        return verdict.judge_claim(frame.searched, frame.denied, policy)
    return verdict.judge(frame.searched, policy)


def logged(run: Ran, scene: Scene, policy: Policy = POLICY) -> LoggedTransaction:
    reasons = tuple(Reason.from_json(json.loads(json.dumps(reason.as_json()))) for reason in run.reasons)
    votes, set_aside = stored_votes.read(
        run.votes, policy=policy, is_claim=scene.is_claim, reasons=reasons, best_person=run.best, bars=BARS
    )
    return LoggedTransaction(
        decision=run.decision,
        is_claim=scene.is_claim,
        is_concluded=True,
        votes=votes,
        set_aside=set_aside,
        reasons=reasons,
        claimed_person=scene.claimed,
        policy=policy,
        decided_at=fakes.NOW,
    )


def replayed(run: Ran, scene: Scene, policy: Policy) -> Outcome:
    return replay.replay(logged(run, scene), policy, standings=STANDINGS, allowed_groups=scene.allowed_groups).after


def candidate(person: int, similarity: float) -> Candidate:
    return Candidate(person, "", person * 10, similarity, BARS.get(person))


def seen(*similarities: float, count: int = 3, person: int = 1) -> tuple[Frame, ...]:
    """The same candidates in some frames: `person`, and those after them."""
    people = tuple(candidate(number, each) for number, each in enumerate(similarities, person))
    return (Frame(CandidateList(people)),) * count


def at(identification: float = 0.5, verification: float = 0.4, margin: float = 0.05) -> Policy:
    return dataclasses.replace(
        POLICY, identification_threshold=identification, verification_threshold=verification, margin=margin
    )


CLAIM = Scene((), is_claim=True, claimed=1)


@pytest.mark.parametrize(
    ("scene", "policy", "stored", "outcome"),
    [
        (Scene(()), at(0.1), None, None),
        # accepted, and what a higher threshold or margin makes of it
        (Scene(seen(0.6, 0.5)), at(0.61), Outcome(Decision.ACCEPT, 1), Outcome(Decision.REJECT_NO_MATCH)),
        (Scene(seen(0.6, 0.5)), at(margin=0.2), Outcome(Decision.ACCEPT, 1), Outcome(Decision.REJECT_AMBIGUOUS)),
        (Scene(seen(0.6, 0.5)), at(0.55), Outcome(Decision.ACCEPT, 1), Outcome(Decision.ACCEPT, 1)),
        # refused, and what a lower one does
        (Scene(seen(0.45, 0.2)), at(0.4), Outcome(Decision.REJECT_NO_MATCH), Outcome(Decision.ACCEPT, 1)),
        (Scene(seen(0.6, 0.57)), at(margin=0.02), Outcome(Decision.REJECT_AMBIGUOUS), Outcome(Decision.ACCEPT, 1)),
        # more frames would have been taken
        (Scene((*seen(0.6, count=2), *seen(0.52, count=3))), at(0.55), Outcome(Decision.ACCEPT, 1), UNDETERMINED),
        # the time was up: there were no more
        (
            Scene((*seen(0.6, count=2), *seen(0.3, count=2))),
            at(0.25),
            Outcome(Decision.NO_DECISION_TIMEOUT),
            Outcome(Decision.ACCEPT, 1),
        ),
        (
            Scene((*seen(0.6, count=2), *seen(0.3, count=2))),
            at(0.65),
            Outcome(Decision.NO_DECISION_TIMEOUT),
            Outcome(Decision.REJECT_NO_MATCH),
        ),
        (
            Scene((*seen(0.6, count=2), *seen(0.3, count=2))),
            at(0.55),
            Outcome(Decision.NO_DECISION_TIMEOUT),
            Outcome(Decision.NO_DECISION_TIMEOUT),
        ),
        # who is barred is refused whatever the threshold
        (
            Scene(seen(0.45, person=SUSPENDED)),
            at(0.4),
            Outcome(Decision.REJECT_NO_MATCH),
            Outcome(Decision.REJECT_NOT_ALLOWED),
        ),
        (
            Scene(seen(0.45), allowed_groups=frozenset({9})),
            at(0.4),
            Outcome(Decision.REJECT_NO_MATCH),
            Outcome(Decision.REJECT_NOT_ALLOWED),
        ),
        # claims
        (
            dataclasses.replace(CLAIM, frames=seen(0.45)),
            at(verification=0.46),
            Outcome(Decision.ACCEPT, 1),
            Outcome(Decision.REJECT_NO_MATCH),
        ),
        (
            dataclasses.replace(CLAIM, frames=seen(0.35)),
            at(verification=0.3),
            Outcome(Decision.REJECT_NO_MATCH),
            Outcome(Decision.ACCEPT, 1),
        ),
        (
            dataclasses.replace(
                CLAIM,
                frames=(Frame(CandidateList((candidate(1, 0.6),)), CandidateList((candidate(BANNED, 0.55),))),) * 3,
            ),
            at(0.56),
            Outcome(Decision.REJECT_NOT_ALLOWED),
            Outcome(Decision.ACCEPT, 1),
        ),
    ],
)
def test_what_if(scene: Scene, policy: Policy, stored: Outcome | None, outcome: Outcome | None) -> None:
    if not scene.frames:
        assert Transaction(POLICY, is_claim=False, started_s=0.0).abandoned(1.0) is None, "nothing is logged"
        return
    run = ran(scene, POLICY)
    assert run.outcome == stored
    assert replayed(run, scene, policy) == outcome


def test_a_face_that_changed_in_between_leaves_it_undetermined_where_its_votes_might_have_decided() -> None:
    scene = Scene(
        (*seen(0.45, count=2), Frame(CandidateList((candidate(2, 0.7),)), is_same=False), *seen(0.7, person=2, count=2))
    )
    run = ran(scene, POLICY)
    assert run.outcome == Outcome(Decision.ACCEPT, 2)
    assert replayed(run, scene, at(0.6)) == Outcome(Decision.ACCEPT, 2)
    assert replayed(run, scene, at(0.44)) == Outcome(Decision.ACCEPT, 2), "two are less than three"
    longer = Scene(
        (
            *seen(0.45, count=1),
            *(Frame(frame.searched, is_same=False) for frame in seen(0.45, count=2)),
            *scene.frames[2:],
        )
    )
    run = ran(longer, POLICY)
    assert replayed(run, longer, at(0.44)) == UNDETERMINED


@pytest.mark.parametrize(
    ("then", "after", "change"),
    [
        (Outcome(Decision.ACCEPT, 1), Outcome(Decision.ACCEPT, 1), Change.NONE),
        (Outcome(Decision.ACCEPT, 1), Outcome(Decision.ACCEPT, 2), Change.OTHER_PERSON),
        (Outcome(Decision.ACCEPT, 1), Outcome(Decision.REJECT_NO_MATCH), Change.REFUSED),
        (Outcome(Decision.ACCEPT, 1), UNDETERMINED, Change.ACCEPT_UNDETERMINED),
        (Outcome(Decision.REJECT_NO_MATCH), Outcome(Decision.ACCEPT, 1), Change.ACCEPTED),
        (Outcome(Decision.REJECT_NO_MATCH), Outcome(Decision.REJECT_NO_MATCH), Change.NONE),
        (Outcome(Decision.REJECT_NO_MATCH), Outcome(Decision.REJECT_AMBIGUOUS), Change.OTHER_REFUSAL),
        (Outcome(Decision.NO_DECISION_TIMEOUT), UNDETERMINED, Change.REFUSAL_UNDETERMINED),
    ],
)
def test_a_change_is_told_for_whoever_stood_there(then: Outcome, after: Outcome, change: Change) -> None:
    assert Replayed(then, after).change is change


def test_what_stood_against_somebody_then_still_does() -> None:
    scene = Scene(seen(0.6, person=5))
    run = dataclasses.replace(
        ran(scene, POLICY), decision=Decision.REJECT_NOT_ALLOWED, reasons=(Reason(Bar.WRONG_GROUP),), person=None
    )
    assert replayed(run, scene, at(0.55)) == Outcome(Decision.REJECT_NOT_ALLOWED)
    assert replayed(run, scene, at(0.65)) == Outcome(Decision.REJECT_NO_MATCH)


@pytest.mark.parametrize(
    ("code", "decision", "outcome"),
    [
        (TransactionReason.LOCKED_UNTIL, Decision.LOCKED_OUT, Decision.LOCKED_OUT),
        (TransactionReason.MODE_CHANGED, Decision.REJECT_NO_MATCH, Decision.ERROR),
        (TransactionReason.PIN_WRONG, Decision.REJECT_NO_MATCH, Decision.REJECT_NO_MATCH),
        (TransactionReason.PIN_NOT_SET, Decision.REJECT_NO_MATCH, Decision.REJECT_NO_MATCH),
    ],
)
def test_what_stood_in_the_way_beside_the_face_still_does(
    code: TransactionReason, decision: Decision, outcome: Decision
) -> None:
    scene = dataclasses.replace(CLAIM, frames=seen(0.35))
    policy = dataclasses.replace(POLICY, requires_pin=True)
    run = dataclasses.replace(ran(scene, POLICY), decision=decision, reasons=(Reason(code),))
    lower = dataclasses.replace(policy, verification_threshold=0.3)
    assert replayed(run, scene, lower).decision is outcome


def test_somebody_who_was_erased_is_taken_to_have_stood_well() -> None:
    scene = Scene(seen(0.45))
    run = ran(scene, POLICY)
    found = replay.replay(logged(run, scene), at(0.4), standings={}, allowed_groups=frozenset({9})).after
    assert found == Outcome(Decision.ACCEPT, 1)


@pytest.mark.parametrize("decision", [Decision.ACCEPT, Decision.REJECT_AMBIGUOUS, Decision.NO_DECISION_TIMEOUT])
def test_votes_that_do_not_lead_to_the_stored_decision_are_refused(decision: Decision) -> None:
    scene = Scene(seen(0.45))
    run = dataclasses.replace(ran(scene, POLICY), decision=decision)
    with pytest.raises(CannotReplay, match="expected votes that lead to"):
        replayed(run, scene, POLICY)


def test_votes_of_the_first_version_are_understood() -> None:
    scene = Scene(seen(0.6, 0.5, 0.4))
    run = ran(scene, POLICY)
    for vote in run.votes:
        del vote["others"], vote["counts"]
    assert replayed(run, scene, at(0.55)) == Outcome(Decision.ACCEPT, 1)


@pytest.mark.parametrize("similarity", [0.50000001, 0.49999999, 0.5, 0.50004, 0.49996])
def test_a_similarity_that_was_rounded_over_the_threshold_stays_on_its_side(similarity: float) -> None:
    scene = Scene(seen(similarity))
    run = ran(scene, POLICY)
    assert replayed(run, scene, POLICY) == run.outcome


similarities = st.one_of(st.floats(-1, 1), st.just(math.nan), st.sampled_from([0.4, 0.44996, 0.45, 0.5, 0.55]))
rounded = st.integers(2_000, 9_000).map(lambda number: number / 10_000)


def frames_of(similarity: st.SearchStrategy[float]) -> st.SearchStrategy[CandidateList]:
    people = st.lists(st.tuples(st.integers(1, 5), similarity), max_size=4, unique_by=lambda pair: pair[0])
    return people.map(lambda pairs: _ranked([candidate(person, value) for person, value in pairs]))


def _ranked(people: Sequence[Candidate]) -> CandidateList:
    def closeness(each: Candidate) -> float:
        return -math.inf if math.isnan(each.similarity) else each.similarity

    return CandidateList(tuple(sorted(people, key=closeness, reverse=True)))


def scenes(similarity: st.SearchStrategy[float], *, changes: bool = True) -> st.SearchStrategy[Scene]:
    is_same = st.booleans() if changes else st.just(True)
    groups = st.sampled_from([None, frozenset({9})])
    identified = st.builds(
        Scene,
        st.lists(st.builds(Frame, frames_of(similarity), is_same=is_same), min_size=1, max_size=9).map(tuple),
        allowed_groups=groups,
    )
    return st.one_of(identified, _claims(similarity, is_same, groups))


def _claims(
    similarity: st.SearchStrategy[float], is_same: st.SearchStrategy[bool], groups: st.SearchStrategy[Any]
) -> st.SearchStrategy[Scene]:
    def of(claimed: int | None) -> st.SearchStrategy[Scene]:
        person = st.just(CandidateList())
        if claimed is not None:
            person = similarity.map(lambda value: CandidateList((candidate(claimed, value),)))
        banned = st.one_of(st.none(), similarity).map(
            lambda value: CandidateList() if value is None else CandidateList((candidate(BANNED, value),))
        )
        frames = st.lists(st.builds(Frame, person, banned, is_same), min_size=1, max_size=9).map(tuple)
        return st.builds(Scene, frames, st.just(True), st.just(claimed), st.sampled_from([True, False, None]), groups)

    return st.sampled_from([None, 1, SUSPENDED]).flatmap(of)


@settings(max_examples=50)
@given(scenes(similarities), st.booleans())
def test_at_the_stored_thresholds_every_transaction_ends_as_it_was_stored(scene: Scene, requires_pin: bool) -> None:
    policy = dataclasses.replace(POLICY, requires_pin=requires_pin)
    run = ran(scene, policy)
    log = logged(run, scene, policy)
    assert replay.replay(log, policy, standings=STANDINGS, allowed_groups=scene.allowed_groups).after == run.outcome


# Between two numbers of four digits, so that no rounded similarity lies on a threshold.
between = st.integers(2_000, 9_000).map(lambda number: (number + 0.37) / 10_000)
margins = st.integers(0, 3_000).map(lambda number: (number + 0.37) / 10_000)


@settings(max_examples=50)
@given(scenes(rounded), between, between, margins)
def test_what_if_is_what_really_deciding_the_same_frames_anew_gives(
    scene: Scene, identification: float, verification: float, margin: float
) -> None:
    stored_policy = at(0.50003, 0.40003, 0.05003)
    policy = at(identification, verification, margin)
    # Which banned person came close to a claim without a hit is not stored: see the page's limits.
    assume(not scene.is_claim or identification >= stored_policy.identification_threshold)
    run, really = ran(scene, stored_policy), ran(scene, policy)
    found = replay.replay(
        logged(run, scene, stored_policy), policy, standings=STANDINGS, allowed_groups=scene.allowed_groups
    ).after
    if really.frames > run.frames:
        assert found == UNDETERMINED
    elif found != UNDETERMINED:
        assert found == really.outcome


@settings(max_examples=50)
@given(scenes(rounded, changes=False), between, between, margins)
def test_without_a_change_of_face_nothing_is_undetermined_that_the_log_holds(
    scene: Scene, identification: float, verification: float, margin: float
) -> None:
    stored_policy = at(0.50003, 0.40003, 0.05003)
    run = ran(scene, stored_policy)
    really = ran(scene, at(identification, verification, margin))
    # A claim that is left sets its votes aside, as if the face had changed.
    assume(not scene.is_claim or (run.frames <= len(scene.frames) and identification > 0.50003))
    found = replay.replay(
        logged(run, scene, stored_policy),
        at(identification, verification, margin),
        standings=STANDINGS,
        allowed_groups=scene.allowed_groups,
    ).after
    assert (found == UNDETERMINED) == (really.frames > run.frames)
