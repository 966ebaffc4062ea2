"""The numbers on the admin's first page."""

from __future__ import annotations

import datetime as dt

import pytest
from pytest_django import Settings

from recognition.models import (
    DenyListEntry,
    FaceSample,
    LegalBasis,
    ModelPack,
    Person,
    ThresholdPolicy,
)
from recognition.selectors import overview

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 5, 17, 12, tzinfo=dt.UTC)


def active_policy() -> ThresholdPolicy:
    pack = ModelPack.objects.create(
        name="pack",
        digest="a" * 64,
        dimension=4,
        licence="MIT",
        is_active=True,
        operating_points=[{"fmr": 1e-5, "threshold": 0.4, "tmr": 0.9}],
    )
    return ThresholdPolicy.objects.create(
        pack=pack,
        version=1,
        state=ThresholdPolicy.State.ACTIVE,
        identification_threshold=0.4,
        verification_threshold=0.3,
        reason="first",
    )


def sample_of(person: Person, status: FaceSample.Status = FaceSample.Status.ACTIVE) -> None:
    FaceSample.objects.create(
        person=person, status=status, source=FaceSample.Source.UPLOAD, quality={}, image_sha256=str(status)
    )


def test_is_all_zero_on_a_new_database() -> None:
    read = overview.read(now=NOON)
    assert (read.people, read.people_without_sample, read.samples, read.samples_without_template) == (0, 0, 0, 0)
    assert (read.pack, read.policy) == (None, None)


def test_counts_active_people_and_what_can_be_searched() -> None:
    active_policy()
    sample_of(Person.objects.create(name="enrolled"))
    sample_of(Person.objects.create(name="all set aside"), FaceSample.Status.SET_ASIDE)
    Person.objects.create(name="without a photo")
    sample_of(Person.objects.create(name="left", is_active=False))
    read = overview.read(now=NOON)
    assert (read.people, read.people_without_sample) == (3, 2)
    assert (read.samples, read.samples_without_template) == (1, 1)


def test_counts_who_is_on_the_deny_list_and_cannot_be_recognised() -> None:
    active_policy()
    for name, is_active in (("without a photo", True), ("left", False)):
        person = Person.objects.create(name=name, is_active=is_active)
        DenyListEntry.objects.create(person=person, reason="a test")
    sample_of(Person.objects.get(name="left"))
    read = overview.read(now=NOON)
    assert read.denied_in_vain == 2
    assert (read.people, read.samples, read.samples_without_template) == (1, 1, 1)


def test_counts_who_has_no_legal_basis_where_one_is_demanded(settings: Settings) -> None:
    Person.objects.create(name="without")
    LegalBasis.objects.create(person=Person.objects.create(name="with"), kind="contract", given_at=NOON)
    LegalBasis.objects.create(
        person=Person.objects.create(name="withdrawn"), kind="contract", given_at=NOON, withdrawn_at=NOON
    )
    assert overview.read(now=NOON).without_basis == 0
    settings.FACEWEB_LEGAL_BASIS = "required"
    assert overview.read(now=NOON).without_basis == 2


def test_shows_the_active_pack_and_its_policy() -> None:
    policy = active_policy()
    read = overview.read(now=NOON)
    assert (read.pack, read.policy) == (policy.pack, policy)


def test_a_pack_without_measured_thresholds_has_no_policy_in_force() -> None:
    policy = active_policy()
    ModelPack.objects.update(operating_points=[])
    read = overview.read(now=NOON)
    assert read.pack == policy.pack
    assert read.policy is None
