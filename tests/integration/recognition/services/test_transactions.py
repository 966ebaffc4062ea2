from __future__ import annotations

import dataclasses
import datetime as dt
import threading
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from recognition.decision import verdict
from recognition.decision.conclusion import Conclusion
from recognition.decision.matching import Candidate, CandidateList
from recognition.decision.policy import Policy, SampleReason
from recognition.decision.standing import Bar
from recognition.decision.transaction import FaceSighting, Sighting, Transaction
from recognition.decision.verdict import Decision, Reason, TransactionReason
from recognition.decision.voting import VoteRecord
from recognition.models import (
    ActionDelivery,
    Alert,
    Checkpoint,
    ClaimLockout,
    KioskDevice,
    Person,
    PersonGroup,
    RecognitionEvent,
    ThresholdPolicy,
)
from recognition.selectors import gallery, packs
from recognition.services import actions, deny_list, lockouts, people, policies, transactions
from recognition.services.frames import FrameTimings
from recognition.services.transactions import ClaimInProgress, Concluded, NotDecidedHere, Origin
from recognition.vision.types import Embedding
from tests import fakes

pytestmark = pytest.mark.django_db

NOBODY = Origin(user=None, device_id=None)
OF_ADA = fakes.like_probe(0.9)
STRANGER = fakes.like_probe(0.0, axis=5)


@pytest.fixture(autouse=True)
def pack() -> None:
    fakes.activated_pack()


@pytest.fixture
def door() -> Checkpoint:
    return fakes.checkpoint(action_url="http://door.example/open")


@pytest.fixture
def ada() -> Person:
    return _badged(fakes.person("Ada Lovelace", fakes.probe()), "A-1")


def _badged(person: Person, external_id: str) -> Person:
    person.external_id = external_id
    person.save()
    return person


def _policy(**values: Any) -> Policy:
    stored = ThresholdPolicy.objects.get(state="active")
    return policies.create_version(pack=stored.pack, values=values, reason="test", actor=None).as_policy()


def looked_at(probe: Embedding, claim: ClaimInProgress | None = None) -> Conclusion:
    """What three looks at a face come to, through the real gallery."""
    active = packs.active()
    assert active.policy is not None
    if claim is None:
        vote = verdict.judge(gallery.search(probe, active), active.policy)
    else:
        known = claim.person_id is not None
        claimed = gallery.compare(probe, active, claim.person_id) if known else CandidateList()  # type: ignore[arg-type]
        vote = verdict.judge_claim(claimed, gallery.search_denied(probe, active), active.policy)
    votes = tuple(VoteRecord(100.0 * look, vote, fakes.quality()) for look in range(3))
    reasons = verdict.reasons(vote, active.policy, is_claim=claim is not None)
    return Conclusion(vote.decision, vote, votes, reasons, is_claim=claim is not None)


def _alone(person: Person, similarity: float, *, barred: Bar | None = None) -> CandidateList:
    return CandidateList((Candidate(person.pk, person.name, person.samples.get().pk, similarity, barred),))


def without_decision(decision: Decision, code: str, *, is_claim: bool = False) -> Conclusion:
    return Conclusion(decision, None, (), (Reason(code),), is_claim=is_claim)


def concluded(door: Checkpoint, conclusion: Conclusion, claim: ClaimInProgress | None = None, **more: Any) -> Concluded:
    arguments = {
        "checkpoint_id": door.pk,
        "claim": claim,
        "conclusion": conclusion,
        "active": packs.active(door.pk),
        "crop_jpeg": b"a crop" if conclusion.votes else b"",
        "timings": FrameTimings(decode=1.0),
        "runtime": "fake runtime",
        "duration_s": 1.5,
        "origin": NOBODY,
    }
    return transactions.conclude(**{**arguments, **more})


def claimed(door: Checkpoint, external_id: str = "A-1", pin: str | None = None) -> ClaimInProgress:
    claim = transactions.open_claim(checkpoint_id=door.pk, external_id=external_id, pin=pin, origin=NOBODY)
    assert isinstance(claim, ClaimInProgress)
    return claim


def tried(door: Checkpoint, probe: Embedding, external_id: str = "A-1", pin: str | None = None) -> Concluded:
    """A claim from the id to the decision."""
    claim = transactions.open_claim(checkpoint_id=door.pk, external_id=external_id, pin=pin, origin=NOBODY)
    return claim if isinstance(claim, Concluded) else concluded(door, looked_at(probe, claim), claim)


def codes(result: Concluded) -> list[str]:
    return [str(reason.code) for reason in result.reasons]


class TestIdentification:
    def test_accepts_and_names_whom_the_votes_name(self, door: Checkpoint, ada: Person) -> None:
        result = concluded(door, looked_at(OF_ADA))
        assert (result.decision, result.reasons, result.person_name) == (Decision.ACCEPT, (), "Ada Lovelace")
        event = RecognitionEvent.objects.get(pk=result.event_id)
        assert (event.kind, event.checkpoint, event.person, event.claimed_id) == ("identification", door, ada, "")

    def test_of_a_stranger_is_not_recognised_and_holds_nothing_against_anybody(
        self, door: Checkpoint, ada: Person
    ) -> None:
        for _ in range(7):
            result = concluded(door, looked_at(STRANGER))
            assert (result.decision, result.person_name) == (Decision.REJECT_NO_MATCH, None)
        assert not ClaimLockout.objects.exists()
        assert tried(door, OF_ADA).decision is Decision.ACCEPT

    def test_in_an_empty_gallery_says_so(self, door: Checkpoint) -> None:
        assert codes(concluded(door, looked_at(STRANGER))) == [TransactionReason.NOBODY_ENROLLED]

    def test_between_two_people_names_neither(self, door: Checkpoint, ada: Person) -> None:
        fakes.person("Twin", fakes.like_probe(0.99, axis=2))
        result = concluded(door, looked_at(fakes.probe()))
        assert (result.decision, result.person_name) == (Decision.REJECT_AMBIGUOUS, None)

    @pytest.mark.parametrize(
        ("decision", "code"),
        [
            (Decision.NO_DECISION_QUALITY, SampleReason.TOO_DARK),
            (Decision.NO_DECISION_MULTIPLE_FACES, TransactionReason.SEVERAL_FACES),
            (Decision.NO_DECISION_TIMEOUT, TransactionReason.NO_FACE),
        ],
    )
    def test_without_a_decision_is_recorded_with_its_reason(
        self, door: Checkpoint, decision: Decision, code: str
    ) -> None:
        result = concluded(door, without_decision(decision, code))
        event = RecognitionEvent.objects.get(pk=result.event_id)
        assert (event.decision, event.reasons) == (decision, [{"reason": code, "measured": None, "required": None}])


DAY = dt.timedelta(days=1)


class TestWhoIsNotAllowed:
    @pytest.mark.parametrize(
        ("changes", "bar"),
        [
            ({"is_suspended": True}, Bar.SUSPENDED),
            ({"valid_from": timezone.now() + DAY}, Bar.NOT_YET_VALID),
            ({"valid_until": timezone.now() - DAY}, Bar.NO_LONGER_VALID),
        ],
    )
    @pytest.mark.parametrize("is_claim", [False, True])
    def test_is_refused_though_recognised(
        self, door: Checkpoint, ada: Person, changes: dict[str, Any], bar: Bar, is_claim: bool
    ) -> None:
        Person.objects.update(**changes)
        result = tried(door, OF_ADA) if is_claim else concluded(door, looked_at(OF_ADA))
        assert (result.decision, codes(result)) == (Decision.REJECT_NOT_ALLOWED, [bar])
        assert not ActionDelivery.objects.exists()
        assert not ClaimLockout.objects.filter(failures__gt=0).exists()

    def test_is_of_another_group_or_of_none_at_this_door(self, ada: Person) -> None:
        staff, guests = (PersonGroup.objects.create(name=name) for name in ("staff", "guests"))
        door, lobby = fakes.checkpoint("door", staff), fakes.checkpoint("lobby", staff, guests)
        assert codes(concluded(door, looked_at(OF_ADA))) == [Bar.WRONG_GROUP]
        ada.groups.add(guests)
        assert codes(concluded(door, looked_at(OF_ADA))) == [Bar.WRONG_GROUP]
        assert concluded(lobby, looked_at(OF_ADA)).decision is Decision.ACCEPT

    def test_is_anybody_where_no_group_is_left(self, ada: Person) -> None:
        staff = PersonGroup.objects.create(name="staff")
        ada.groups.add(staff)
        door = fakes.checkpoint("door", staff)
        staff.delete()
        assert codes(concluded(door, looked_at(OF_ADA))) == [Bar.WRONG_GROUP]

    def test_became_so_after_the_votes(self, door: Checkpoint, ada: Person) -> None:
        conclusion = looked_at(OF_ADA)
        Person.objects.update(is_suspended=True)
        assert codes(concluded(door, conclusion)) == [Bar.SUSPENDED]


class TestTheDenyList:
    @pytest.fixture
    def banned(self) -> Person:
        person = fakes.person("Bob", fakes.like_probe(0.1, axis=3))
        deny_list.add(person=person, reason="Broke a window.", actor=fakes.user())
        return person

    def test_refuses_with_an_alert(self, door: Checkpoint, ada: Person, banned: Person) -> None:
        result = concluded(door, looked_at(fakes.like_probe(0.1, axis=3)))
        assert (result.decision, codes(result)) == (Decision.REJECT_NOT_ALLOWED, [Bar.DENY_LIST])
        assert Alert.objects.get().event_id == result.event_id

    def test_refuses_with_an_alert_also_with_a_stolen_claim(
        self, door: Checkpoint, ada: Person, banned: Person
    ) -> None:
        result = tried(door, fakes.like_probe(0.1, axis=3), "A-1")
        event = RecognitionEvent.objects.get(pk=result.event_id)
        assert (event.decision, codes(result)) == ("reject_not_allowed", [Bar.DENY_LIST])
        assert (event.claimed_person, event.best_person, event.person) == (ada, banned, None)
        assert Alert.objects.get().event == event
        assert not ClaimLockout.objects.filter(failures__gt=0).exists()  # the owner of the card is not locked out

    def test_refuses_with_an_alert_though_most_looks_were_like_the_claimed_person(
        self, door: Checkpoint, ada: Person, banned: Person
    ) -> None:
        # Ada 0.45 (claims from 0.4) and the banned one 0.49, 0.51, 0.49, 0.51, 0.49 (names from 0.5).
        claim, active = claimed(door), packs.active()
        assert active.policy is not None
        looking = Transaction(active.policy, is_claim=True, started_s=0.0)
        conclusion = None
        for look, of_banned in enumerate((0.49, 0.51, 0.49, 0.51, 0.49)):
            vote = verdict.judge_claim(
                _alone(ada, 0.45), _alone(banned, of_banned, barred=Bar.DENY_LIST), active.policy
            )
            seen = FaceSighting(True, (), vote, fakes.quality(), 112.0)
            conclusion = looking.see(Sighting((seen,)), 0.1 * look)
        assert conclusion is not None
        result = concluded(door, conclusion, claim)
        assert (result.decision, codes(result)) == (Decision.REJECT_NOT_ALLOWED, [Bar.DENY_LIST])
        assert Alert.objects.get().event_id == result.event_id
        assert not ActionDelivery.objects.exists()

    def test_raises_an_alert_also_for_a_banned_person_who_is_enrolled_twice(
        self, door: Checkpoint, banned: Person
    ) -> None:
        fakes.person("Bob again", fakes.like_probe(0.1, axis=3))
        result = concluded(door, looked_at(fakes.like_probe(0.1, axis=3)))
        assert (result.decision, result.person_name) == (Decision.REJECT_AMBIGUOUS, None)
        assert codes(result) == [TransactionReason.MARGIN_TOO_SMALL, TransactionReason.MAY_BE_DENIED]
        assert (Alert.objects.get().event_id, result.raised_alert) == (result.event_id, True)

    def test_finds_a_banned_person_who_is_not_active(self, door: Checkpoint, ada: Person, banned: Person) -> None:
        Person.objects.filter(pk=banned.pk).update(is_active=False)
        assert concluded(door, looked_at(fakes.like_probe(0.1, axis=3))).decision is Decision.REJECT_NOT_ALLOWED
        assert tried(door, fakes.like_probe(0.1, axis=3)).decision is Decision.REJECT_NOT_ALLOWED
        assert Alert.objects.count() == 2

    def test_holds_for_somebody_put_on_it_after_the_votes(self, door: Checkpoint, ada: Person) -> None:
        conclusion = looked_at(OF_ADA)
        deny_list.add(person=ada, reason="Just now.", actor=fakes.user())
        assert codes(concluded(door, conclusion)) == [Bar.DENY_LIST]
        assert Alert.objects.exists()


class TestClaims:
    def test_that_fit_are_accepted(self, door: Checkpoint, ada: Person) -> None:
        result = tried(door, OF_ADA)
        event = RecognitionEvent.objects.get(pk=result.event_id)
        assert (result.decision, result.person_name) == (Decision.ACCEPT, "Ada Lovelace")
        assert (event.kind, event.claimed_id, event.claimed_person) == ("verification", "A-1", ada)

    def test_of_somebody_else_are_refused(self, door: Checkpoint, ada: Person) -> None:
        result = tried(door, STRANGER)
        assert (result.decision, codes(result)) == (Decision.REJECT_NO_MATCH, [TransactionReason.BELOW_THRESHOLD])
        assert ClaimLockout.objects.get().failures == 1

    @pytest.mark.parametrize("external_id", ["nobody's", "", "A\x00-2", "x" * 500])
    def test_of_an_unknown_id_go_through_the_whole_capture(
        self, door: Checkpoint, ada: Person, external_id: str
    ) -> None:
        claim = claimed(door, external_id, pin="1234")
        assert (claim.person_id, claim.pin_ok) == (None, None)
        result = concluded(door, looked_at(OF_ADA, claim), claim)
        assert (result.decision, codes(result)) == (Decision.REJECT_NO_MATCH, [TransactionReason.CLAIM_UNKNOWN])
        assert not ClaimLockout.objects.exists()

    def test_of_an_inactive_person_are_unknown(self, door: Checkpoint, ada: Person) -> None:
        Person.objects.update(is_active=False)
        assert codes(tried(door, OF_ADA)) == [TransactionReason.CLAIM_UNKNOWN]

    def test_of_a_person_erased_before_the_decision_accept_nobody(self, door: Checkpoint, ada: Person) -> None:
        claim = claimed(door)
        conclusion = looked_at(OF_ADA, claim)
        ada.delete()
        result = concluded(door, conclusion, claim)
        event = RecognitionEvent.objects.get(pk=result.event_id)
        # What was claimed would name the erased person.
        assert (event.decision, event.claimed_person, event.claimed_id) == ("reject_no_match", None, "")
        assert not ActionDelivery.objects.exists()

    def test_of_a_person_set_inactive_before_the_decision_accept_nobody(self, door: Checkpoint, ada: Person) -> None:
        claim = claimed(door)
        conclusion = looked_at(OF_ADA, claim)
        Person.objects.update(is_active=False)
        assert concluded(door, conclusion, claim).decision is Decision.REJECT_NO_MATCH

    def test_need_the_conclusion_of_a_verification(self, door: Checkpoint, ada: Person) -> None:
        with pytest.raises(ValueError, match="conclusion of a verification"):
            concluded(door, looked_at(OF_ADA), claimed(door))

    @pytest.mark.parametrize(
        ("stored", "typed", "decision", "reason", "failures"),
        [
            ("1234", "1234", Decision.ACCEPT, None, 0),
            ("1234", "1235", Decision.REJECT_NO_MATCH, TransactionReason.PIN_WRONG, 1),
            ("1234", None, Decision.REJECT_NO_MATCH, TransactionReason.PIN_WRONG, 1),
            (None, "1234", Decision.REJECT_NO_MATCH, TransactionReason.PIN_NOT_SET, 0),
            (None, None, Decision.REJECT_NO_MATCH, TransactionReason.PIN_NOT_SET, 0),
        ],
    )
    def test_need_the_right_pin_where_the_policy_asks_for_one(
        self,
        door: Checkpoint,
        ada: Person,
        stored: str | None,
        typed: str | None,
        decision: Decision,
        reason: TransactionReason | None,
        failures: int,
    ) -> None:
        _policy(requires_pin=True)
        people.set_pin(person=ada, pin=stored, actor=None)
        result = tried(door, OF_ADA, pin=typed)
        assert (result.decision, codes(result)) == (decision, [reason] if reason else [])
        assert ClaimLockout.objects.get().failures == failures


class TestLockout:
    def test_begins_after_five_failed_claims_and_is_recorded_without_a_face(
        self, door: Checkpoint, ada: Person
    ) -> None:
        results = [tried(door, STRANGER) for _ in range(5)]
        assert [result.decision for result in results] == [Decision.REJECT_NO_MATCH] * 5
        assert [result.locked_for_s for result in results] == [None] * 4 + [30.0]
        locked = tried(door, OF_ADA)  # the right face now
        event = RecognitionEvent.objects.get(pk=locked.event_id)
        assert (event.decision, codes(locked)) == ("locked_out", [TransactionReason.LOCKED_UNTIL])
        assert (event.votes, event.similarity, event.claimed_person) == ([], None, ada)
        assert locked.locked_for_s == pytest.approx(30, abs=5)
        assert event.reasons[0]["measured"] == 5

    def test_grows_then_stops_until_staff_lift_it(self, door: Checkpoint, ada: Person) -> None:
        _policy(attempts_before_delay=1, attempts_before_stop=4, first_delay_s=10, longest_delay_s=15)
        waits = []
        for _ in range(4):
            waits.append(tried(door, STRANGER).locked_for_s)
            ClaimLockout.objects.update(locked_until=timezone.now() - DAY)
        assert waits == [10, 15, 15, None]
        stopped = tried(door, OF_ADA)
        assert (stopped.decision, codes(stopped)) == (Decision.LOCKED_OUT, [TransactionReason.LOCKED_BY_STOP])
        lockouts.lift(lockout=ClaimLockout.objects.get(), actor=fakes.user())
        assert tried(door, OF_ADA).decision is Decision.ACCEPT

    def test_does_not_grow_while_it_lasts(self, door: Checkpoint, ada: Person) -> None:
        _policy(attempts_before_delay=1)
        tried(door, STRANGER)
        before = ClaimLockout.objects.values().get()
        for _ in range(3):
            tried(door, STRANGER)
        assert ClaimLockout.objects.values().get() == before

    def test_ends_with_its_delay(self, door: Checkpoint, ada: Person) -> None:
        _policy(attempts_before_delay=1)
        tried(door, STRANGER)
        ClaimLockout.objects.update(locked_until=timezone.now())
        assert tried(door, OF_ADA).decision is Decision.ACCEPT
        assert ClaimLockout.objects.get().failures == 0

    def test_of_a_person_at_one_checkpoint_does_not_hold_at_another(self, door: Checkpoint, ada: Person) -> None:
        _policy(attempts_before_delay=1)
        tried(door, STRANGER)
        assert tried(door, OF_ADA).decision is Decision.LOCKED_OUT
        assert tried(fakes.checkpoint("lobby"), OF_ADA).decision is Decision.ACCEPT

    def test_of_a_person_does_not_hold_for_another(self, door: Checkpoint, ada: Person) -> None:
        _policy(attempts_before_delay=1)
        _badged(fakes.person("Eve", fakes.like_probe(0.1, axis=4)), "E-1")
        tried(door, STRANGER)
        assert tried(door, fakes.like_probe(0.1, axis=4), "E-1").decision is Decision.ACCEPT

    def test_keeps_nobody_from_being_identified(self, door: Checkpoint, ada: Person) -> None:
        _policy(attempts_before_delay=1)
        tried(door, STRANGER)
        assert concluded(door, looked_at(OF_ADA)).decision is Decision.ACCEPT

    def test_uses_the_checkpoints_own_limit_before_the_policys(self, ada: Person) -> None:
        door = fakes.checkpoint(attempt_limit=2)
        assert [tried(door, STRANGER).locked_for_s for _ in range(2)] == [None, 30.0]

    @pytest.mark.parametrize("limit", [3, 4, 32_767])
    def test_comes_at_the_policys_stop_whatever_the_checkpoints_limit(self, ada: Person, limit: int) -> None:
        _policy(attempts_before_delay=1, attempts_before_stop=4, first_delay_s=0.1, longest_delay_s=0.1)
        door = fakes.checkpoint(attempt_limit=limit)
        for _ in range(4):
            ClaimLockout.objects.update(locked_until=None)
            assert tried(door, STRANGER).decision is Decision.REJECT_NO_MATCH
        lockout = ClaimLockout.objects.get()
        assert (lockout.failures, lockout.is_stopped) == (4, True)
        assert tried(door, OF_ADA).decision is Decision.LOCKED_OUT

    def test_is_no_nearer_for_a_person_without_a_template_of_the_pack(self, door: Checkpoint, ada: Person) -> None:
        ada.samples.all().delete()
        results = [tried(door, OF_ADA) for _ in range(7)]
        assert {(result.decision, *codes(result)) for result in results} == {
            (Decision.REJECT_NO_MATCH, TransactionReason.NO_TEMPLATE)
        }
        assert ClaimLockout.objects.get().failures == 0

    def test_of_a_person_without_a_template_begins_after_wrong_pins(self, door: Checkpoint, ada: Person) -> None:
        _policy(requires_pin=True)
        people.set_pin(person=ada, pin="1234", actor=None)
        ada.samples.all().delete()
        last = [tried(door, OF_ADA, pin="4321") for _ in range(5)][-1]
        assert last.locked_for_s == 30.0

    @pytest.mark.parametrize(
        "decision",
        [Decision.NO_DECISION_QUALITY, Decision.NO_DECISION_MULTIPLE_FACES, Decision.NO_DECISION_TIMEOUT],
    )
    def test_is_no_nearer_without_a_decision(self, door: Checkpoint, ada: Person, decision: Decision) -> None:
        for _ in range(7):
            conclusion = without_decision(decision, TransactionReason.NO_FACE, is_claim=True)
            concluded(door, conclusion, claimed(door))
        assert ClaimLockout.objects.get().failures == 0

    def test_holds_for_a_claim_that_was_opened_before_it_began(self, door: Checkpoint, ada: Person) -> None:
        _policy(attempts_before_delay=1)
        claim = claimed(door)
        tried(door, STRANGER)
        result = concluded(door, looked_at(OF_ADA, claim), claim)
        assert (result.decision, codes(result)) == (Decision.LOCKED_OUT, [TransactionReason.LOCKED_UNTIL])
        assert not ActionDelivery.objects.exists()


OUT_OF_USE = ({"is_active": False}, TransactionReason.OUT_OF_USE)
FACES_ALONE = ({"mode": Checkpoint.Mode.IDENTIFY}, TransactionReason.MODE_CHANGED)
IDS_ALONE = ({"mode": Checkpoint.Mode.VERIFY}, TransactionReason.MODE_CHANGED)


class TestACheckpointChangedBeforeTheEnd:
    @pytest.fixture
    def banned(self) -> Person:
        person = fakes.person("Bob", fakes.like_probe(0.1, axis=3))
        deny_list.add(person=person, reason="Broke a window.", actor=fakes.user())
        return person

    @pytest.mark.parametrize(
        ("change", "code", "is_claim"),
        [(*OUT_OF_USE, True), (*OUT_OF_USE, False), (*FACES_ALONE, True), (*IDS_ALONE, False)],
    )
    def test_accepts_nobody_and_records_why(
        self, door: Checkpoint, ada: Person, change: dict[str, Any], code: str, is_claim: bool
    ) -> None:
        claim = claimed(door) if is_claim else None
        conclusion = looked_at(OF_ADA, claim)
        Checkpoint.objects.update(**change)
        result = concluded(door, conclusion, claim)
        event = RecognitionEvent.objects.get(pk=result.event_id)
        assert (event.decision, codes(result), result.person_name) == ("error", [code], None)
        assert (event.person, event.best_person, len(event.votes)) == (None, ada, 3)
        assert not ActionDelivery.objects.exists()
        assert not ClaimLockout.objects.filter(failures__gt=0).exists()

    @pytest.mark.parametrize(("change", "code"), [OUT_OF_USE, FACES_ALONE])
    def test_still_counts_a_failed_claim(
        self, door: Checkpoint, ada: Person, change: dict[str, Any], code: str
    ) -> None:
        claim = claimed(door)
        conclusion = looked_at(STRANGER, claim)
        Checkpoint.objects.update(**change)
        result = concluded(door, conclusion, claim)
        assert result.decision is Decision.REJECT_NO_MATCH
        assert codes(result) == [TransactionReason.BELOW_THRESHOLD, code]
        assert ClaimLockout.objects.get().failures == 1

    @pytest.mark.parametrize(
        ("change", "code", "is_claim"),
        [(*OUT_OF_USE, True), (*OUT_OF_USE, False), (*FACES_ALONE, True), (*IDS_ALONE, False)],
    )
    def test_still_raises_the_alert_for_somebody_of_the_deny_list(
        self, door: Checkpoint, ada: Person, banned: Person, change: dict[str, Any], code: str, is_claim: bool
    ) -> None:
        claim = claimed(door) if is_claim else None
        conclusion = looked_at(fakes.like_probe(0.1, axis=3), claim)
        Checkpoint.objects.update(**change)
        result = concluded(door, conclusion, claim)
        assert (result.decision, codes(result)) == (Decision.REJECT_NOT_ALLOWED, [Bar.DENY_LIST, code])
        assert Alert.objects.get().event_id == result.event_id

    @pytest.mark.parametrize(("change", "code"), [OUT_OF_USE, FACES_ALONE])
    def test_keeps_what_was_cut_short_and_says_it_once(
        self, door: Checkpoint, ada: Person, change: dict[str, Any], code: str
    ) -> None:
        claim = claimed(door)
        Checkpoint.objects.update(**change)
        result = concluded(door, without_decision(Decision.ERROR, code, is_claim=True), claim)
        assert (result.decision, codes(result)) == (Decision.ERROR, [code])

    def test_takes_claims_in_both_modes_that_ask_for_them(self, door: Checkpoint, ada: Person) -> None:
        claim = claimed(door)
        conclusion = looked_at(OF_ADA, claim)
        Checkpoint.objects.update(mode=Checkpoint.Mode.VERIFY)
        assert concluded(door, conclusion, claim).decision is Decision.ACCEPT

    @pytest.mark.parametrize(
        ("change", "text"), [({"is_active": False}, "out of use"), ({"mode": Checkpoint.Mode.IDENTIFY}, "Begin again")]
    )
    def test_begins_no_claim(self, door: Checkpoint, ada: Person, change: dict[str, Any], text: str) -> None:
        Checkpoint.objects.update(**change)
        with pytest.raises(NotDecidedHere, match=text):
            claimed(door)
        assert not RecognitionEvent.objects.exists()

    def test_that_was_removed_can_keep_nothing(self, door: Checkpoint, ada: Person) -> None:
        conclusion, active = looked_at(OF_ADA), packs.active(door.pk)
        Checkpoint.objects.all().delete()
        with pytest.raises(NotDecidedHere):
            concluded(door, conclusion, active=active)
        assert not RecognitionEvent.objects.exists()


class TestTheRecord:
    def test_keeps_everything_that_decided(self, door: Checkpoint, ada: Person) -> None:
        bob = fakes.person("Bob", fakes.like_probe(0.3, axis=2))
        kiosk = KioskDevice.objects.create(checkpoint=door, label="tablet", token_hash="h")
        operator = fakes.user()
        result = concluded(door, looked_at(fakes.probe()), origin=Origin(operator, kiosk.pk))
        event = RecognitionEvent.objects.select_related("crop").get(pk=result.event_id)
        assert (event.device, event.operator, event.best_person, event.runner_up) == (kiosk, operator, ada, bob)
        assert (event.similarity, event.margin) == (1.0, 0.7)
        assert event.thresholds == {
            "identification_threshold": 0.5,
            "verification_threshold": 0.4,
            "margin": 0.05,
            "votes_needed": 3,
            "votes_of": 5,
            "strategy": "nearest",
        }
        assert [vote["at_ms"] for vote in event.votes] == [0, 100, 200]
        assert [(vote["best_person"], vote["runner_up"]) for vote in event.votes] == [(ada.pk, bob.pk)] * 3
        assert (event.policy.version, event.pack.digest, event.timings["runtime"]) == (1, fakes.DIGEST, "fake runtime")
        assert (bytes(event.crop.jpeg), event.quality["face_size_px"]) == (b"a crop", 112.0)
        assert (event.decided_at - event.started_at).total_seconds() == pytest.approx(1.5)

    def test_names_the_policy_of_the_checkpoint(self, door: Checkpoint, ada: Person) -> None:
        stored = ThresholdPolicy.objects.get()
        strict = policies.create_version(
            pack=stored.pack, values={"identification_threshold": 0.95}, reason="t", actor=None, checkpoint=door
        )
        active = packs.active(door.pk)
        assert active.policy is not None
        vote = verdict.judge(gallery.search(OF_ADA, active), active.policy)
        result = concluded(door, Conclusion(vote.decision, vote, (), (), is_claim=False))
        event = RecognitionEvent.objects.get(pk=result.event_id)
        assert (event.decision, event.policy) == ("reject_no_match", strict)

    def test_of_an_accept_that_the_threshold_does_not_bear_out_is_a_refusal(
        self, door: Checkpoint, ada: Person
    ) -> None:
        conclusion = looked_at(fakes.like_probe(0.45))
        forged = dataclasses.replace(conclusion, decision=Decision.ACCEPT)
        assert concluded(door, forged).decision is Decision.REJECT_NO_MATCH

    def test_that_cannot_be_stored_accepts_nobody(
        self, door: Checkpoint, ada: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        conclusion = looked_at(OF_ADA)

        def fail(*args: Any, **kwargs: Any) -> None:
            raise RuntimeError("the disk is full")

        monkeypatch.setattr(actions, "queue", fail)
        with pytest.raises(RuntimeError):
            concluded(door, conclusion)
        assert not RecognitionEvent.objects.exists()
        assert not ActionDelivery.objects.exists()

    def test_of_an_accept_queues_the_webhook_once(self, door: Checkpoint, ada: Person) -> None:
        result = concluded(door, looked_at(OF_ADA))
        delivery = ActionDelivery.objects.get()
        assert (delivery.event_id, delivery.checkpoint, delivery.state) == (result.event_id, door, "pending")

    def test_queues_nothing_where_no_webhook_is_set(self, ada: Person) -> None:
        concluded(fakes.checkpoint(), looked_at(OF_ADA))
        assert not ActionDelivery.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_conclusions_of_several_kiosks_at_once_count_once_each() -> None:
    door, ada = fakes.checkpoint(attempt_limit=4), _badged(fakes.person("Ada", fakes.probe()), "A-1")
    claims = [claimed(door) for _ in range(6)]
    conclusions = [looked_at(STRANGER, claim) for claim in claims]
    together = threading.Barrier(len(claims))
    results: list[Concluded] = []

    def run(claim: ClaimInProgress, conclusion: Conclusion) -> None:
        together.wait()
        try:
            results.append(concluded(door, conclusion, claim))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in zip(claims, conclusions, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ClaimLockout.objects.get(person=ada).failures == 4
    decisions = sorted(result.decision for result in results)
    assert decisions == [Decision.LOCKED_OUT] * 2 + [Decision.REJECT_NO_MATCH] * 4
