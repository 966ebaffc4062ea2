"""A switch of the model pack takes back nothing that people approved."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from recognition.decision.matching import Strategy
from recognition.models import AuditAction, AuditEntry, Checkpoint, ModelPack, ThresholdPolicy
from recognition.selectors import packs as selectors
from recognition.services import pack_rules, packs, policies
from recognition.services.pack_rules import RULES, ThresholdsNotMeasured
from recognition.services.policies import ChangeRefused
from recognition.vision.model_packs import OperatingPoint
from tests import fakes

pytestmark = pytest.mark.django_db

State = ThresholdPolicy.State
OTHER_POINTS = (OperatingPoint(fmr=1e-5, threshold=0.7, tmr=0.9), OperatingPoint(fmr=1e-4, threshold=0.6, tmr=0.9))


@pytest.fixture
def pack() -> ModelPack:
    return fakes.activated_pack()


@pytest.fixture
def other() -> ModelPack:
    return another("other", "e" * 64)


@pytest.fixture
def unmeasured() -> ModelPack:
    return fakes.registered_pack(name="unmeasured", digest="b" * 64, decides=False)


@pytest.fixture
def door() -> Checkpoint:
    return fakes.checkpoint()


def another(name: str, digest: str) -> ModelPack:
    """A pack that was measured with other thresholds than the fake one."""
    stored = fakes.registered_pack(name=name, digest=digest, decides=False)
    packs.record_measurement(pack=stored, operating_points=OTHER_POINTS, measured_on="a test", actor=None)
    return stored


def hold(pack: ModelPack, checkpoint: Checkpoint | None = None, **values: Any) -> ThresholdPolicy:
    return policies.create_version(pack=pack, values=values, reason="a test", actor=None, checkpoint=checkpoint)


def numbers(checkpoint: Checkpoint | None, *names: str) -> tuple[Any, ...]:
    """What decides there now, read as the decisions read it."""
    policy = selectors.active(checkpoint.pk if checkpoint else None).policy
    assert policy is not None
    return tuple(getattr(policy, name) for name in names)


def test_the_first_pack_begins_with_the_default_rules_and_its_thresholds(pack: ModelPack) -> None:
    default = ThresholdPolicy()
    assert {name: getattr(ThresholdPolicy.objects.get(), name) for name in RULES} == {
        name: getattr(default, name) for name in RULES
    }
    assert numbers(None, *pack_rules.THRESHOLDS) == (0.5, 0.4)


def test_every_rule_of_the_site_and_of_each_checkpoint_holds_with_the_next_pack(
    pack: ModelPack, other: ModelPack, door: Checkpoint
) -> None:
    site: dict[str, Any] = {"requires_pin": True, "margin": 0.2, "attempts_before_delay": 2, "votes_needed": 4}
    own = site | {"attempts_before_delay": 1, "attempts_before_stop": 3, "max_yaw_degrees": 20.0}
    hold(pack, **site)
    hold(pack, door, **own)
    packs.activate(pack=other, actor=None)
    assert numbers(None, *site) == tuple(site.values())
    assert policies.in_force(pack=other, checkpoint=door) is not None
    assert [getattr(policies.in_force(pack=other, checkpoint=door), name) for name in own] == list(own.values())


def test_thresholds_are_those_of_the_pack_that_comes_into_use(
    pack: ModelPack, other: ModelPack, door: Checkpoint
) -> None:
    hold(pack, identification_threshold=0.9, verification_threshold=0.8)
    hold(pack, door, requires_pin=True)
    packs.activate(pack=other, actor=None)
    for place in (None, door):
        assert numbers(place, *pack_rules.THRESHOLDS) == (0.7, 0.6)


def test_a_pack_that_is_used_again_brings_no_older_rule_back(
    pack: ModelPack, other: ModelPack, door: Checkpoint
) -> None:
    hold(pack, identification_threshold=0.55)
    hold(pack, door, attempts_before_delay=9, verification_threshold=0.45)
    packs.activate(pack=other, actor=None)
    hold(other, requires_pin=True)
    hold(other, door, attempts_before_delay=1)
    packs.activate(pack=pack, actor=None)
    assert numbers(None, "requires_pin", "identification_threshold") == (True, 0.55)
    assert numbers(door, "attempts_before_delay", "verification_threshold") == (1, 0.45)


def test_a_checkpoint_that_follows_the_site_by_now_follows_it_with_a_pack_that_is_used_again(
    pack: ModelPack, other: ModelPack, door: Checkpoint
) -> None:
    former = hold(pack, door, attempts_before_delay=9)
    packs.activate(pack=other, actor=None)
    override = policies.in_force(pack=other, checkpoint=door)
    assert override is not None
    policies.retire(policy=override, actor=None, now=timezone.now())
    packs.activate(pack=pack, actor=None)
    former.refresh_from_db()
    assert former.state == State.FORMER
    assert former.retired_at is not None
    assert numbers(door, "attempts_before_delay") == (5,)
    retired = AuditEntry.objects.filter(action=AuditAction.POLICY_RETIRED)
    assert [entry.details["version"] for entry in retired.order_by("pk")] == [override.version, former.version]


def test_a_pack_that_never_decided_between_loses_no_rule(
    pack: ModelPack, other: ModelPack, unmeasured: ModelPack, door: Checkpoint
) -> None:
    packs.activate(pack=other, actor=None)
    hold(other, door, requires_pin=True)
    packs.activate(pack=unmeasured, actor=None)
    assert selectors.active(door.pk).policy is None
    last = another("last", "c" * 64)
    packs.activate(pack=last, actor=None)
    assert (numbers(door, "requires_pin"), numbers(None, "requires_pin")) == ((True,), (False,))


def test_a_pack_that_is_measured_while_it_is_in_use_decides_by_the_rules_that_held(
    pack: ModelPack, unmeasured: ModelPack, door: Checkpoint
) -> None:
    hold(pack, door, requires_pin=True)
    packs.activate(pack=unmeasured, actor=None)
    packs.record_measurement(pack=unmeasured, operating_points=OTHER_POINTS, measured_on="here", actor=None)
    assert numbers(door, "requires_pin", *pack_rules.THRESHOLDS) == (True, 0.7, 0.6)
    before = ThresholdPolicy.objects.count()
    packs.record_measurement(pack=unmeasured, operating_points=fakes.POINTS, measured_on="again", actor=None)
    assert ThresholdPolicy.objects.count() == before


def test_back_from_a_pack_that_never_decided_the_same_versions_decide(
    pack: ModelPack, unmeasured: ModelPack, door: Checkpoint
) -> None:
    override = hold(pack, door, requires_pin=True)
    for switched in (unmeasured, pack):
        assert packs.activate(pack=switched, actor=None) == ()
    assert selectors.active(door.pk).policy_id == override.pk


def test_a_switch_makes_no_version_where_the_rules_are_the_same(pack: ModelPack, other: ModelPack) -> None:
    (made,) = packs.activate(pack=other, actor=None)
    assert (made.version, made.state) == (2, State.ACTIVE)
    assert "rules of version 1" in made.reason
    assert packs.activate(pack=other, actor=None) == ()
    assert packs.activate(pack=pack, actor=None) == ()


def test_an_approved_version_that_waits_for_its_time_stops_the_switch(pack: ModelPack, other: ModelPack) -> None:
    now = timezone.now()
    waiting = policies.propose(
        pack=pack,
        values={"requires_pin": True},
        reason="a test",
        actor=fakes.user(),
        effective_from=now + dt.timedelta(days=1),
    )
    policies.approve(policy=waiting, actor=fakes.user(), now=now)
    with pytest.raises(ChangeRefused, match="Version 2 of the threshold policy is approved and waits"):
        packs.activate(pack=other, actor=None)
    assert ModelPack.objects.get(is_active=True) == pack
    policies.reject(policy=waiting, actor=fakes.user(), now=now)
    packs.activate(pack=other, actor=None)


def test_a_version_that_asks_a_classifier_stops_the_switch_to_a_pack_that_has_none(
    pack: ModelPack, other: ModelPack, door: Checkpoint
) -> None:
    fakes.person("Ada", fakes.probe())
    fakes.trained(Strategy.KNN_CLASSIFIER, fakes.like_probe(0.0, axis=2))
    version = hold(pack, door, strategy="knn_classifier")
    with pytest.raises(ChangeRefused, match=f"Version {version.version} .* none was trained with the model pack other"):
        packs.activate(pack=other, actor=None)
    assert selectors.active().digest == pack.digest
    hold(pack, door, strategy="nearest")
    packs.activate(pack=other, actor=None)


def test_a_version_whose_time_has_come_counts_before_any_worker_has_looked(pack: ModelPack, other: ModelPack) -> None:
    now = timezone.now()
    due = policies.propose(
        pack=pack, values={"requires_pin": True}, reason="a test", actor=fakes.user(), effective_from=now
    )
    policies.approve(policy=due, actor=fakes.user(), now=now - dt.timedelta(hours=1))
    packs.activate(pack=other, actor=None)
    assert numbers(None, "requires_pin") == (True,)


def test_nothing_is_switched_where_a_threshold_was_never_measured(pack: ModelPack, unmeasured: ModelPack) -> None:
    packs.record_measurement(pack=unmeasured, operating_points=OTHER_POINTS[:1], measured_on="a test", actor=None)
    with pytest.raises(ThresholdsNotMeasured, match=r"FMR 0\.0001"):
        packs.activate(pack=unmeasured, actor=None)
    assert ModelPack.objects.get(is_active=True) == pack
    assert ThresholdPolicy.objects.count() == 1
