from __future__ import annotations

import concurrent.futures
import datetime as dt
import math
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, connections, transaction
from pytest_django import Settings

from recognition.decision.matching import Strategy
from recognition.decision.policy import LONGEST_DELAY_S
from recognition.models import AuditAction, AuditEntry, Checkpoint, ModelPack, ThresholdPolicy, TrainedClassifier
from recognition.selectors import packs
from recognition.services import policies
from recognition.services.policies import ChangeRefused
from tests import fakes

State = ThresholdPolicy.State
NOON = dt.datetime(2026, 5, 17, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def pack(db: None) -> ModelPack:
    return fakes.activated_pack()


@pytest.fixture
def door(db: None) -> Checkpoint:
    return Checkpoint.objects.create(name="Main door", slug="main-door")


@pytest.fixture
def proposer(db: None) -> User:
    return fakes.user()


@pytest.fixture
def approver(db: None) -> User:
    return fakes.user()


def change(pack: ModelPack, **values: object) -> ThresholdPolicy:
    return policies.create_version(pack=pack, values=values, reason="a test", actor=None)


def propose(
    pack: ModelPack,
    actor: User,
    *,
    checkpoint: Checkpoint | None = None,
    effective_from: dt.datetime | None = None,
    **values: object,
) -> ThresholdPolicy:
    return policies.propose(
        pack=pack,
        values=values,
        reason="a test",
        actor=actor,
        checkpoint=checkpoint,
        effective_from=effective_from,
    )


def version_in_force(checkpoint: Checkpoint | None = None) -> int:
    policy = packs.active(checkpoint.pk if checkpoint else None).policy
    assert policy is not None
    return policy.version


def states() -> dict[int, str]:
    return dict(ThresholdPolicy.objects.values_list("version", "state"))


class TestCreateVersion:
    def test_keeps_what_was_not_changed_and_replaces_the_version_before(self, pack: ModelPack) -> None:
        first = ThresholdPolicy.objects.get()
        second = change(pack, margin=0.2)
        assert (second.version, second.margin) == (first.version + 1, 0.2)
        assert second.identification_threshold == first.identification_threshold
        assert ThresholdPolicy.objects.get(state=State.ACTIVE) == second
        first.refresh_from_db()
        assert (first.state, first.retired_at) == (State.FORMER, second.activated_at)
        policy = packs.active().policy
        assert policy is not None
        assert (policy.version, policy.margin) == (second.version, 0.2)

    def test_records_the_numbers_before_and_after(self, pack: ModelPack) -> None:
        change(pack, margin=0.2)
        entry = AuditEntry.objects.filter(action=AuditAction.POLICY_ACTIVATED).latest("pk")
        assert (entry.details["before"]["margin"], entry.details["after"]["margin"]) == (0.05, 0.2)
        assert entry.details["reason"] == "a test"
        assert set(entry.details["after"]) == set(policies.CONTENT_FIELDS)

    @pytest.mark.parametrize(
        "values",
        [
            {"identification_threshold": 1.01},
            {"verification_threshold": -1.01},
            {"margin": -0.01},
            {"votes_needed": 2, "votes_of": 4},
            {"votes_needed": 6, "votes_of": 5},
            {"timeout_s": 0},
            {"reembed_interval_s": -1},
            {"min_luminance": 2},
            {"identification_threshold": math.nan},
            {"margin": math.nan},
            {"timeout_s": math.nan},
            {"timeout_s": math.inf},
            {"min_sharpness": math.nan},
            {"strategy": "whatever"},
            {"attempts_before_delay": 0},
            {"attempts_before_delay": 20, "attempts_before_stop": 20},
            {"first_delay_s": 0},
            {"first_delay_s": 7200, "longest_delay_s": 3600},
            {"longest_delay_s": LONGEST_DELAY_S + 1},
            {"longest_delay_s": math.nan},
        ],
    )
    def test_refuses_a_number_outside_its_range_and_keeps_the_version_before(
        self, pack: ModelPack, values: dict[str, Any]
    ) -> None:
        before = packs.active()
        with pytest.raises(ValidationError):
            change(pack, **values)
        assert packs.active() == before
        assert AuditEntry.objects.filter(action=AuditAction.POLICY_ACTIVATED).count() == 1

    def test_leaves_other_packs_their_policy(self, pack: ModelPack) -> None:
        other = fakes.activated_pack(name="other", digest="e" * 64)
        change(pack, margin=0.3)
        assert ThresholdPolicy.objects.get(pack=other, state=State.ACTIVE).margin == 0.05

    def test_is_rolled_back_together_with_its_audit_entry(self, pack: ModelPack) -> None:
        entries = AuditEntry.objects.count()
        with transaction.atomic():
            change(pack, margin=0.3)
            transaction.set_rollback(True)
        assert (ThresholdPolicy.objects.count(), AuditEntry.objects.count()) == (1, entries)


class TestPropose:
    def test_stores_a_version_that_decides_nothing_yet(self, pack: ModelPack, proposer: User) -> None:
        proposed = propose(pack, proposer, margin=0.2)
        assert (proposed.version, proposed.state, proposed.created_by) == (2, State.PROPOSED, proposer)
        assert version_in_force() == 1
        entry = AuditEntry.objects.latest("pk")
        assert (entry.action, entry.actor) == (AuditAction.POLICY_PROPOSED, proposer)
        assert entry.details["after"]["margin"] == 0.2

    @pytest.mark.parametrize("reason", ["", "  \n"])
    def test_asks_for_a_reason(self, pack: ModelPack, proposer: User, reason: str) -> None:
        with pytest.raises(ValidationError):
            policies.propose(pack=pack, values={"margin": 0.2}, reason=reason, actor=proposer)
        assert ThresholdPolicy.objects.count() == 1

    def test_for_a_checkpoint_begins_with_the_sites_numbers(
        self, pack: ModelPack, door: Checkpoint, proposer: User
    ) -> None:
        change(pack, margin=0.2, requires_pin=True)
        proposed = propose(pack, proposer, checkpoint=door, votes_needed=4)
        assert (proposed.margin, proposed.requires_pin, proposed.votes_needed) == (0.2, True, 4)


class TestApprove:
    def test_by_another_person_puts_the_version_in_force(self, pack: ModelPack, proposer: User, approver: User) -> None:
        proposed = propose(pack, proposer, margin=0.2)
        approved = policies.approve(policy=proposed, actor=approver, now=NOON)
        assert approved.state == State.ACTIVE
        assert (approved.decided_by, approved.decided_at, approved.activated_at) == (approver, NOON, NOON)
        assert states() == {1: State.FORMER, 2: State.ACTIVE}
        assert version_in_force() == 2
        actions = AuditEntry.objects.filter(actor=approver).order_by("pk").values_list("action", flat=True)
        assert list(actions) == [AuditAction.POLICY_APPROVED, AuditAction.POLICY_ACTIVATED]

    def test_by_the_proposer_is_refused(self, pack: ModelPack, proposer: User) -> None:
        proposed = propose(pack, proposer, margin=0.2)
        with pytest.raises(ChangeRefused, match="another person must approve it"):
            policies.approve(policy=proposed, actor=proposer, now=NOON)
        assert states() == {1: State.ACTIVE, 2: State.PROPOSED}

    def test_by_the_proposer_is_possible_where_the_site_says_so(
        self, pack: ModelPack, proposer: User, settings: Settings
    ) -> None:
        settings.FACEWEB_POLICY_APPROVAL = "same_person"
        policies.approve(policy=propose(pack, proposer, margin=0.2), actor=proposer, now=NOON)
        assert version_in_force() == 2

    @pytest.mark.parametrize("decide", [policies.approve, policies.reject])
    def test_a_version_is_decided_once(
        self, pack: ModelPack, proposer: User, approver: User, decide: Callable[..., ThresholdPolicy]
    ) -> None:
        proposed = propose(pack, proposer, margin=0.2)
        decide(policy=proposed, actor=approver, now=NOON)
        before = states()
        with pytest.raises(ChangeRefused, match=r"Version 2 is \w+ by now"):
            policies.approve(policy=proposed, actor=approver, now=NOON)
        assert states() == before

    def test_before_its_time_leaves_the_version_before_in_force(
        self, pack: ModelPack, proposer: User, approver: User
    ) -> None:
        proposed = propose(pack, proposer, margin=0.2, effective_from=NOON + HOUR)
        assert policies.approve(policy=proposed, actor=approver, now=NOON).state == State.APPROVED
        assert version_in_force() == 1

    def test_after_its_time_puts_it_in_force_at_once(self, pack: ModelPack, proposer: User, approver: User) -> None:
        proposed = propose(pack, proposer, margin=0.2, effective_from=NOON - HOUR)
        assert policies.approve(policy=proposed, actor=approver, now=NOON).state == State.ACTIVE

    def test_first_puts_in_force_what_was_due_before(self, pack: ModelPack, proposer: User, approver: User) -> None:
        due = propose(pack, proposer, margin=0.2, effective_from=NOON)
        policies.approve(policy=due, actor=approver, now=NOON - HOUR)
        later = propose(pack, proposer, margin=0.3)
        policies.approve(policy=later, actor=approver, now=NOON + HOUR)  # no worker ran between
        policies.activate_due(now=NOON + HOUR)
        assert states() == {1: State.FORMER, 2: State.FORMER, 3: State.ACTIVE}


class TestAClassifier:
    """A version that asks one accepts nobody without it, so it cannot come into force before."""

    def test_must_be_trained_before_a_version_that_asks_it_is_approved(
        self, pack: ModelPack, proposer: User, approver: User
    ) -> None:
        version = propose(pack, proposer, strategy="svm_classifier")
        fakes.person("Ada", fakes.probe())
        fakes.trained(Strategy.KNN_CLASSIFIER, fakes.like_probe(0.0, axis=2))
        with pytest.raises(ChangeRefused, match="never trained with the model pack fake-pack"):
            policies.approve(policy=version, actor=approver, now=NOON)
        fakes.trained(Strategy.SVM_CLASSIFIER)
        assert policies.approve(policy=version, actor=approver, now=NOON).state == State.ACTIVE

    def test_that_is_gone_keeps_a_version_from_its_time_until_it_is_trained_again(
        self, pack: ModelPack, proposer: User, approver: User
    ) -> None:
        fakes.person("Ada", fakes.probe())
        fakes.trained(Strategy.SVM_CLASSIFIER)
        version = propose(pack, proposer, strategy="svm_classifier", effective_from=NOON + HOUR)
        policies.approve(policy=version, actor=approver, now=NOON)
        TrainedClassifier.objects.all().delete()
        assert policies.activate_due(now=NOON + HOUR) == 0
        fakes.trained(Strategy.SVM_CLASSIFIER)
        assert policies.activate_due(now=NOON + HOUR) == 1

    def test_that_is_gone_is_no_way_back(self, pack: ModelPack, approver: User) -> None:
        fakes.person("Ada", fakes.probe())
        fakes.trained(Strategy.SVM_CLASSIFIER)
        former = change(pack, strategy="svm_classifier")
        change(pack, strategy="nearest")
        TrainedClassifier.objects.all().delete()
        former.refresh_from_db()
        with pytest.raises(ChangeRefused, match="Train it under Classifiers first"):
            policies.return_to(policy=former, actor=approver, now=NOON)


class TestReject:
    def test_leaves_the_version_before_in_force(self, pack: ModelPack, proposer: User, approver: User) -> None:
        rejected = policies.reject(policy=propose(pack, proposer, margin=0.2), actor=approver, now=NOON)
        assert (rejected.state, rejected.decided_by) == (State.REJECTED, approver)
        assert version_in_force() == 1
        assert AuditEntry.objects.latest("pk").action == AuditAction.POLICY_REJECTED

    def test_a_proposer_may_take_their_own_proposal_back(self, pack: ModelPack, proposer: User) -> None:
        assert policies.reject(policy=propose(pack, proposer), actor=proposer, now=NOON).state == State.REJECTED

    def test_an_approved_version_can_be_stopped_before_its_time_and_not_after(
        self, pack: ModelPack, proposer: User, approver: User
    ) -> None:
        first = propose(pack, proposer, margin=0.2, effective_from=NOON + HOUR)
        second = propose(pack, proposer, margin=0.3, effective_from=NOON + HOUR)
        for proposed in (first, second):
            policies.approve(policy=proposed, actor=approver, now=NOON)
        policies.reject(policy=first, actor=approver, now=NOON)
        with pytest.raises(ChangeRefused, match="Version 3 is active by now"):
            policies.reject(policy=second, actor=approver, now=NOON + HOUR)
        policies.activate_due(now=NOON + HOUR)
        assert states() == {1: State.FORMER, 2: State.REJECTED, 3: State.ACTIVE}


class TestActivateDue:
    def test_does_nothing_where_nothing_waits(self, pack: ModelPack) -> None:
        assert policies.activate_due(now=NOON) == 0

    def test_puts_versions_in_force_at_their_time_and_not_before(
        self, pack: ModelPack, proposer: User, approver: User
    ) -> None:
        proposed = propose(pack, proposer, margin=0.2, effective_from=NOON + HOUR)
        policies.approve(policy=proposed, actor=approver, now=NOON)
        assert policies.activate_due(now=NOON + HOUR - dt.timedelta(microseconds=1)) == 0
        assert policies.activate_due(now=NOON + HOUR) == 1
        assert policies.activate_due(now=NOON + HOUR) == 0
        assert version_in_force() == 2
        entry = AuditEntry.objects.latest("pk")
        assert (entry.action, entry.actor) == (AuditAction.POLICY_ACTIVATED, None)

    def test_never_puts_in_force_what_nobody_approved(self, pack: ModelPack, proposer: User) -> None:
        propose(pack, proposer, margin=0.2, effective_from=NOON)
        assert policies.activate_due(now=NOON + HOUR) == 0
        assert version_in_force() == 1

    def test_of_several_versions_the_one_with_the_latest_time_stays(
        self, pack: ModelPack, proposer: User, approver: User
    ) -> None:
        late = propose(pack, proposer, margin=0.2, effective_from=NOON + 2 * HOUR)
        early = propose(pack, proposer, margin=0.3, effective_from=NOON + HOUR)
        for proposed in (early, late):
            policies.approve(policy=proposed, actor=approver, now=NOON)
        assert policies.activate_due(now=NOON + 3 * HOUR) == 2
        assert states() == {1: State.FORMER, 2: State.ACTIVE, 3: State.FORMER}


class TestReturnTo:
    def test_puts_the_earlier_numbers_in_force_as_a_version_of_its_own(self, pack: ModelPack, approver: User) -> None:
        first = ThresholdPolicy.objects.get()
        change(pack, margin=0.2, strategy="centroid")
        repeated = policies.return_to(policy=first, actor=approver, now=NOON)
        assert (repeated.version, repeated.margin, repeated.strategy) == (3, 0.05, "nearest")
        assert (repeated.returns_to, repeated.decided_by, repeated.decided_at) == (first, approver, NOON)
        assert states() == {1: State.FORMER, 2: State.FORMER, 3: State.ACTIVE}
        assert AuditEntry.objects.latest("pk").details["returns_to"] == 1

    def test_refuses_a_version_that_was_never_in_force_or_is(
        self, pack: ModelPack, proposer: User, approver: User
    ) -> None:
        for policy in (ThresholdPolicy.objects.get(), propose(pack, proposer)):
            with pytest.raises(ChangeRefused):
                policies.return_to(policy=policy, actor=approver, now=NOON)
        assert states() == {1: State.ACTIVE, 2: State.PROPOSED}

    def test_returns_in_the_scope_of_the_earlier_version(
        self, pack: ModelPack, door: Checkpoint, proposer: User, approver: User
    ) -> None:
        first = propose(pack, proposer, checkpoint=door, margin=0.2)
        second = propose(pack, proposer, checkpoint=door, margin=0.3)
        for proposed in (first, second):
            policies.approve(policy=proposed, actor=approver, now=NOON)
        repeated = policies.return_to(policy=first, actor=approver, now=NOON)
        assert (version_in_force(door), version_in_force()) == (repeated.version, 1)


class TestFollowSite:
    @pytest.fixture
    def override(self, pack: ModelPack, door: Checkpoint, proposer: User, approver: User) -> ThresholdPolicy:
        """The first policy that the door has of its own."""
        return policies.approve(policy=propose(pack, proposer, checkpoint=door, margin=0.2), actor=approver, now=NOON)

    def test_is_the_way_back_from_a_checkpoints_first_override(
        self, pack: ModelPack, door: Checkpoint, override: ThresholdPolicy, approver: User
    ) -> None:
        retired = policies.follow_site(policy=override, actor=approver, now=NOON + HOUR)
        assert (retired.state, retired.retired_at) == (State.FORMER, NOON + HOUR)
        assert version_in_force(door) == 1
        change(pack, margin=0.3)
        assert version_in_force(door) == 3
        entry = AuditEntry.objects.get(action=AuditAction.POLICY_RETIRED)
        assert (entry.actor, entry.details["version"], entry.details["checkpoint"]) == (approver, 2, door.pk)

    def test_leaves_the_overrides_of_other_checkpoints(self, pack: ModelPack, override: ThresholdPolicy) -> None:
        desk = Checkpoint.objects.create(name="Desk", slug="desk")
        policies.create_version(pack=pack, values={}, reason="a test", actor=None, checkpoint=desk)
        policies.follow_site(policy=override, actor=fakes.user(), now=NOON)
        assert version_in_force(desk) == 3

    def test_can_be_taken_back(self, door: Checkpoint, override: ThresholdPolicy, approver: User) -> None:
        retired = policies.follow_site(policy=override, actor=approver, now=NOON)
        assert policies.return_to(policy=retired, actor=approver, now=NOON).margin == 0.2
        assert version_in_force(door) == 3

    def test_refuses_the_sites_version_and_one_that_is_not_in_force(
        self, pack: ModelPack, door: Checkpoint, override: ThresholdPolicy, proposer: User, approver: User
    ) -> None:
        site, proposed = ThresholdPolicy.objects.get(version=1), propose(pack, proposer, checkpoint=door)
        for policy, why in ((site, "the one that checkpoints follow"), (proposed, "Version 3 is proposed by now")):
            with pytest.raises(ChangeRefused, match=why):
                policies.follow_site(policy=policy, actor=approver, now=NOON)
        assert states() == {1: State.ACTIVE, 2: State.ACTIVE, 3: State.PROPOSED}

    def test_refuses_what_was_compared_with_an_older_version_of_the_site(
        self, pack: ModelPack, override: ThresholdPolicy, approver: User
    ) -> None:
        change(pack, margin=0.0)
        with pytest.raises(ChangeRefused, match="Version 3 came into force after you looked"):
            policies.follow_site(policy=override, actor=approver, now=NOON, compared_with=1)
        policies.follow_site(policy=override, actor=approver, now=NOON, compared_with=3)

    def test_refuses_an_override_of_a_pack_that_is_not_in_use(
        self, pack: ModelPack, override: ThresholdPolicy, approver: User
    ) -> None:
        fakes.activated_pack(name="other", digest="e" * 64)
        with pytest.raises(ChangeRefused, match="not in use"):
            policies.follow_site(policy=override, actor=approver, now=NOON)


def test_the_sites_version_is_never_retired_without_a_next_one(pack: ModelPack) -> None:
    with pytest.raises(ValueError, match="the site's version 1"):
        policies.retire(policy=ThresholdPolicy.objects.get(), actor=None, now=NOON)


class TestScopes:
    def test_a_checkpoint_without_a_policy_of_its_own_has_the_sites(self, pack: ModelPack, door: Checkpoint) -> None:
        assert version_in_force(door) == 1
        change(pack, margin=0.2)
        assert version_in_force(door) == 2

    def test_a_checkpoints_own_policy_holds_there_and_nowhere_else(
        self, pack: ModelPack, door: Checkpoint, proposer: User, approver: User
    ) -> None:
        other = Checkpoint.objects.create(name="Desk", slug="desk")
        policies.approve(policy=propose(pack, proposer, checkpoint=door, margin=0.2), actor=approver, now=NOON)
        change(pack, margin=0.3)
        assert (version_in_force(door), version_in_force(other), version_in_force()) == (2, 3, 3)

    def test_keeps_its_own_policy_when_the_pack_is_switched(
        self, pack: ModelPack, door: Checkpoint, proposer: User, approver: User
    ) -> None:
        own = propose(pack, proposer, checkpoint=door, requires_pin=True)
        policies.approve(policy=own, actor=approver, now=NOON)
        fakes.activated_pack(name="other", digest="e" * 64)
        policy = packs.active(door.pk).policy
        assert policy is not None
        assert (policy.version, policy.requires_pin) == (4, True)

    def test_of_a_pack_that_is_not_in_use_are_left_as_they_are(
        self, pack: ModelPack, proposer: User, approver: User
    ) -> None:
        first, second, proposed = ThresholdPolicy.objects.get(), change(pack, margin=0.2), propose(pack, proposer)
        fakes.activated_pack(name="other", digest="e" * 64)
        for decide, policy in ((policies.approve, proposed), (policies.return_to, first)):
            with pytest.raises(ChangeRefused, match="fake-pack, which is not in use"):
                decide(policy=policy, actor=approver, now=NOON)
        second.refresh_from_db()
        assert second.state == State.ACTIVE
        assert policies.reject(policy=proposed, actor=approver, now=NOON).state == State.REJECTED


def as_approved_by(actor: User | None) -> dict[str, Any]:
    """What an update writes that puts a proposed version in force."""
    return {"state": State.ACTIVE, "decided_by": actor, "decided_at": NOON, "activated_at": NOON}


def written_to_the_end(**values: Any) -> None:
    """Updates every version, with the checks that wait for the end of the transaction."""
    ThresholdPolicy.objects.update(**values)
    connection.check_constraints()


class TestTheDatabase:
    def test_refuses_two_active_policies_of_a_scope(self, pack: ModelPack, door: Checkpoint, proposer: User) -> None:
        for checkpoint, constraint in (
            (None, "one_active_policy_a_pack"),
            (door, "one_active_policy_a_pack_and_checkpoint"),
        ):
            policies.create_version(pack=pack, values={}, reason="a test", actor=None, checkpoint=checkpoint)
            proposed = propose(pack, proposer, checkpoint=checkpoint)
            with pytest.raises(IntegrityError, match=f'"{constraint}"'), transaction.atomic():
                ThresholdPolicy.objects.filter(pk=proposed.pk).update(**as_approved_by(proposer))

    @pytest.mark.parametrize(
        ("values", "constraint"),
        [
            ({"votes_needed": 2, "votes_of": 4}, "votes_needed_are_a_majority"),
            ({"votes_needed": 6}, "votes_needed_are_a_majority"),
            ({"identification_threshold": 1.5}, "thresholds_are_similarities"),
            ({"verification_threshold": math.nan}, "thresholds_are_similarities"),
            ({"attempts_before_delay": 20}, "a_delay_comes_before_the_stop"),
            ({"first_delay_s": 7200.0}, "a_delay_comes_before_the_stop"),
        ],
    )
    def test_refuses_numbers_that_cannot_decide(self, pack: ModelPack, values: dict[str, Any], constraint: str) -> None:
        copied = ThresholdPolicy.objects.get()
        copied.pk, copied.version, copied.state = None, 2, State.PROPOSED
        for name, value in values.items():
            setattr(copied, name, value)
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            copied.save(force_insert=True)

    @pytest.mark.parametrize(
        "field", [*policies.CONTENT_FIELDS, "version", "reason", "effective_from", "created_at", "checkpoint", "pack"]
    )
    def test_refuses_to_change_what_a_version_says(self, pack: ModelPack, door: Checkpoint, field: str) -> None:
        before = getattr(ThresholdPolicy.objects.get(), field)
        values: dict[str, Any] = {
            "strategy": "centroid",
            "requires_pin": True,
            "reason": "another",
            "effective_from": NOON,
            "created_at": NOON,
            "checkpoint": door,
            "pack": fakes.registered_pack(name="other", digest="e" * 64),
        }
        value = values[field] if field in values else before + 1
        with pytest.raises(IntegrityError, match="the numbers of a version never change"), transaction.atomic():
            ThresholdPolicy.objects.update(**{field: value})

    def test_refuses_to_remove_a_version(self, pack: ModelPack) -> None:
        with pytest.raises(IntegrityError, match="a version is never removed"), transaction.atomic():
            ThresholdPolicy.objects.all().delete()

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (State.ACTIVE, State.PROPOSED),
            (State.FORMER, State.ACTIVE),
            (State.REJECTED, State.PROPOSED),
            (State.REJECTED, State.APPROVED),
        ],
    )
    def test_refuses_a_way_back_through_a_versions_life(
        self, pack: ModelPack, approver: User, proposer: User, before: str, after: str
    ) -> None:
        change(pack, margin=0.2)
        policies.reject(policy=propose(pack, proposer), actor=approver, now=NOON)
        with pytest.raises(IntegrityError, match=f"{before} does not become {after}"), transaction.atomic():
            ThresholdPolicy.objects.filter(state=before).update(state=after)

    @pytest.mark.parametrize("field", ["created_by", "decided_by"])
    def test_keeps_who_proposed_and_who_approved(
        self, pack: ModelPack, proposer: User, approver: User, field: str
    ) -> None:
        approved = policies.approve(policy=propose(pack, proposer), actor=approver, now=NOON)
        with pytest.raises(IntegrityError, match="who proposed and decided it"), transaction.atomic():
            ThresholdPolicy.objects.filter(pk=approved.pk).update(**{field: fakes.user()})

    @pytest.mark.parametrize("state", [State.ACTIVE, State.FORMER, State.REJECTED])
    def test_keeps_when_a_version_began_and_ended(
        self, pack: ModelPack, proposer: User, approver: User, state: str
    ) -> None:
        change(pack, margin=0.2)
        policies.reject(policy=propose(pack, proposer), actor=approver, now=NOON)
        version = ThresholdPolicy.objects.get(state=state)
        for moment in ("decided_at", "activated_at", "retired_at"):
            for value in (NOON + HOUR, None):
                if getattr(version, moment) == value:
                    continue
                with pytest.raises(IntegrityError, match="and when, never changes"), transaction.atomic():
                    ThresholdPolicy.objects.filter(pk=version.pk).update(**{moment: value})

    @pytest.mark.parametrize("missing", ["decided_by", "decided_at", "activated_at"])
    def test_puts_a_proposal_in_force_only_with_who_approved_it_and_when(
        self, pack: ModelPack, door: Checkpoint, proposer: User, approver: User, missing: str
    ) -> None:
        proposed = propose(pack, proposer, checkpoint=door)
        written = as_approved_by(approver) | {missing: None}
        with pytest.raises(IntegrityError, match="only with who did it, and when"), transaction.atomic():
            ThresholdPolicy.objects.filter(pk=proposed.pk).update(**written)
        ThresholdPolicy.objects.filter(pk=proposed.pk).update(**as_approved_by(approver))

    @pytest.mark.parametrize("state", [State.APPROVED, State.REJECTED])
    def test_decides_about_a_proposal_only_with_who_did_it(self, pack: ModelPack, proposer: User, state: str) -> None:
        proposed = propose(pack, proposer)
        with pytest.raises(IntegrityError, match="only with who did it"), transaction.atomic():
            ThresholdPolicy.objects.filter(pk=proposed.pk).update(state=state, decided_at=NOON)

    def test_keeps_who_approved_a_version_that_waits(self, pack: ModelPack, proposer: User, approver: User) -> None:
        waiting = propose(pack, proposer, effective_from=NOON + HOUR)
        policies.approve(policy=waiting, actor=approver, now=NOON)
        for written in ({"decided_by": proposer}, {"decided_at": NOON + HOUR}):
            with pytest.raises(IntegrityError, match="who proposed and decided it"), transaction.atomic():
                ThresholdPolicy.objects.filter(pk=waiting.pk).update(**written)

    def test_needs_a_time_for_the_end_of_a_version(self, pack: ModelPack, door: Checkpoint) -> None:
        policies.create_version(pack=pack, values={}, reason="a test", actor=None, checkpoint=door)
        with pytest.raises(IntegrityError, match="active becomes former only with"), transaction.atomic():
            ThresholdPolicy.objects.filter(checkpoint=door).update(state=State.FORMER)

    @pytest.mark.parametrize("field", ["created_by", "decided_by"])
    def test_forgets_who_decided_only_with_the_account(
        self, pack: ModelPack, proposer: User, approver: User, field: str
    ) -> None:
        approved = policies.approve(policy=propose(pack, proposer), actor=approver, now=NOON)
        with pytest.raises(IntegrityError, match="forgotten only with the account"), transaction.atomic():
            written_to_the_end(**{field: None})
        User.objects.filter(pk=getattr(approved, f"{field}_id")).delete()
        connection.check_constraints()

    def test_never_leaves_the_site_without_a_policy(self, pack: ModelPack, proposer: User, approver: User) -> None:
        ended: dict[str, Any] = {"state": State.FORMER, "retired_at": NOON}
        with pytest.raises(IntegrityError, match="goes out of force only for the next one"), transaction.atomic():
            written_to_the_end(**ended)
        proposed = propose(pack, proposer)
        ThresholdPolicy.objects.filter(version=1).update(**ended)
        ThresholdPolicy.objects.filter(pk=proposed.pk).update(**as_approved_by(approver))
        connection.check_constraints()

    def test_lets_accounts_go_whose_versions_stay(self, pack: ModelPack, proposer: User, approver: User) -> None:
        approved = policies.approve(policy=propose(pack, proposer), actor=approver, now=NOON)
        proposer.delete()
        approver.delete()
        connection.check_constraints()
        approved.refresh_from_db()
        assert (approved.created_by, approved.decided_by, approved.state) == (None, None, State.ACTIVE)


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What each call returned, or the error that it ended with; all begin together."""
    together = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            together.wait(20)
            return call()
        except ChangeRefused as refused:
            return refused
        finally:
            connections.close_all()

    with concurrent.futures.ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_versions_are_numbered_one_after_the_other(self) -> None:
        pack = fakes.activated_pack()
        margins = [(number + 10) / 100 for number in range(6)]
        made = at_once(*(lambda margin=margin: change(pack, margin=margin) for margin in margins))
        assert sorted(policy.version for policy in made) == [2, 3, 4, 5, 6, 7]
        assert ThresholdPolicy.objects.get(state=State.ACTIVE).version == 7
        before = [entry.details["before"]["margin"] for entry in AuditEntry.objects.order_by("pk")[2:]]
        assert len(set(before)) == 6  # each saw the one before it

    def test_two_approvals_of_one_version_decide_it_once(self) -> None:
        pack, proposed_by = fakes.activated_pack(), fakes.user()
        proposed = propose(pack, proposed_by, margin=0.2)
        outcomes = at_once(
            *(
                lambda by=by: policies.approve(policy=proposed, actor=by, now=NOON)
                for by in (fakes.user(), fakes.user())
            )
        )
        assert {type(outcome) for outcome in outcomes} == {ThresholdPolicy, ChangeRefused}
        assert states() == {1: State.FORMER, 2: State.ACTIVE}
        assert AuditEntry.objects.filter(action=AuditAction.POLICY_APPROVED).count() == 1

    def test_approvals_of_two_versions_leave_one_in_force(self) -> None:
        pack, by, approver = fakes.activated_pack(), fakes.user(), fakes.user()
        proposed = [propose(pack, by, margin=margin) for margin in (0.2, 0.3)]
        at_once(*(lambda each=each: policies.approve(policy=each, actor=approver, now=NOON) for each in proposed))
        assert sorted(states().values()) == [State.ACTIVE, State.FORMER, State.FORMER]

    def test_several_workers_put_a_version_in_force_once(self) -> None:
        pack, by = fakes.activated_pack(), fakes.user()
        proposed = propose(pack, by, margin=0.2, effective_from=NOON + HOUR)
        policies.approve(policy=proposed, actor=fakes.user(), now=NOON)
        activated = at_once(*[lambda: policies.activate_due(now=NOON + HOUR)] * 4)
        assert sum(activated) == 1
        assert AuditEntry.objects.filter(action=AuditAction.POLICY_ACTIVATED).count() == 2
