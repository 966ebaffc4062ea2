from __future__ import annotations

import concurrent.futures
import math
import threading
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connections, transaction

from recognition.models import AuditAction, AuditEntry, ModelPack, ThresholdPolicy
from recognition.selectors import packs
from recognition.services import policies
from recognition.services.policies import ThresholdsNotMeasured
from tests import fakes


@pytest.fixture
def pack(db: None) -> ModelPack:
    return fakes.activated_pack()


def change(pack: ModelPack, **values: object) -> ThresholdPolicy:
    return policies.create_version(pack=pack, values=values, reason="a test", actor=None)


class TestCreateVersion:
    def test_keeps_what_was_not_changed_and_replaces_the_version_before(self, pack: ModelPack) -> None:
        first = ThresholdPolicy.objects.get()
        second = change(pack, margin=0.2)
        assert (second.version, second.margin) == (first.version + 1, 0.2)
        assert second.identification_threshold == first.identification_threshold
        assert ThresholdPolicy.objects.get(is_active=True) == second
        policy = packs.active().policy
        assert policy is not None
        assert (policy.version, policy.margin) == (second.version, 0.2)

    def test_records_the_numbers_before_and_after(self, pack: ModelPack) -> None:
        change(pack, margin=0.2)
        entry = AuditEntry.objects.filter(action=AuditAction.POLICY_CHANGED).latest("pk")
        assert (entry.details["before"]["margin"], entry.details["after"]["margin"]) == (0.05, 0.2)
        assert entry.details["reason"] == "a test"
        assert set(entry.details["after"]) == set(policies.numeric_fields())

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
        ],
    )
    def test_refuses_a_number_outside_its_range_and_keeps_the_version_before(
        self, pack: ModelPack, values: dict[str, Any]
    ) -> None:
        before = packs.active()
        with pytest.raises(ValidationError):
            change(pack, **values)
        assert packs.active() == before
        assert AuditEntry.objects.filter(action=AuditAction.POLICY_CHANGED).count() == 1

    def test_leaves_other_packs_their_policy(self, pack: ModelPack) -> None:
        other = fakes.activated_pack(name="other", digest="e" * 64)
        change(pack, margin=0.3)
        assert ThresholdPolicy.objects.get(pack=other, is_active=True).margin == 0.05

    def test_is_rolled_back_together_with_its_audit_entry(self, pack: ModelPack) -> None:
        entries = AuditEntry.objects.count()
        with transaction.atomic():
            change(pack, margin=0.3)
            transaction.set_rollback(True)
        assert (ThresholdPolicy.objects.count(), AuditEntry.objects.count()) == (1, entries)


class TestTheDatabase:
    def test_refuses_two_active_policies_of_a_pack(self, pack: ModelPack) -> None:
        change(pack, margin=0.3)
        with pytest.raises(IntegrityError, match="one_active_policy_a_pack"), transaction.atomic():
            ThresholdPolicy.objects.update(is_active=True)

    @pytest.mark.parametrize(
        ("values", "constraint"),
        [
            ({"votes_needed": 2, "votes_of": 4}, "votes_needed_are_a_majority"),
            ({"votes_needed": 6}, "votes_needed_are_a_majority"),
            ({"identification_threshold": 1.5}, "thresholds_are_similarities"),
            ({"verification_threshold": math.nan}, "thresholds_are_similarities"),
        ],
    )
    def test_refuses_numbers_that_cannot_decide(self, pack: ModelPack, values: dict[str, Any], constraint: str) -> None:
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            ThresholdPolicy.objects.update(**values)


def test_a_pack_that_was_never_measured_gets_no_first_policy(db: None) -> None:
    with pytest.raises(ThresholdsNotMeasured, match="FMR 1e-05"):
        policies.create_first(pack=fakes.registered_pack(decides=False), actor=None)


@pytest.mark.django_db(transaction=True)
def test_versions_made_at_once_are_numbered_one_after_the_other() -> None:
    pack = fakes.activated_pack()
    together = threading.Barrier(6)

    def create(number: int) -> int:
        try:
            together.wait(20)
            return change(pack, margin=(number + 10) / 100).version
        finally:
            connections.close_all()

    with concurrent.futures.ThreadPoolExecutor(6) as threads:
        versions = list(threads.map(create, range(6)))
    assert sorted(versions) == [2, 3, 4, 5, 6, 7]
    assert ThresholdPolicy.objects.get(is_active=True).version == 7
    before = [entry.details["before"]["margin"] for entry in AuditEntry.objects.order_by("pk")[2:]]
    assert len(set(before)) == 6  # each saw the one before it
