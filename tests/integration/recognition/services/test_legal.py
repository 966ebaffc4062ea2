from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from recognition.models import AuditAction, AuditEntry, LegalBasis, LegalHold, Person
from recognition.selectors import people as people_read
from recognition.services import legal
from tests import fakes

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


@pytest.fixture
def ada(db: None) -> Person:
    return fakes.person("Ada")


def consent(person: Person, **changes: Any) -> LegalBasis:
    values = {"kind": "consent", "text_version": "2026-1", "how": "signed_form", "given_at": fakes.NOW - DAY, **changes}
    return legal.record_basis(basis=LegalBasis(person=person, **values), actor=None, now=fakes.NOW)


def test_a_basis_is_recorded_and_withdrawn_once(ada: Person) -> None:
    basis = consent(ada)
    legal.withdraw_basis(basis=basis, actor=None, now=fakes.NOW)
    with pytest.raises(legal.LegalRefused, match="withdrawn already"):
        legal.withdraw_basis(basis=basis, actor=None, now=fakes.NOW)
    assert LegalBasis.objects.get().withdrawn_at == fakes.NOW
    actions = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == [AuditAction.BASIS_RECORDED, AuditAction.BASIS_WITHDRAWN]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"given_at": fakes.NOW + DAY}, "not given yet"),
        ({"valid_until": fakes.NOW}, "over already"),
        ({"text_version": " "}, "which version"),
        ({"how": ""}, "how it was given"),
    ],
)
def test_what_is_no_basis_is_refused(ada: Person, changes: dict[str, Any], why: str) -> None:
    with pytest.raises(legal.LegalRefused, match=why):
        consent(ada, **changes)
    assert not LegalBasis.objects.exists()


def test_another_basis_than_consent_needs_no_text(ada: Person) -> None:
    assert consent(ada, kind="contract", text_version="", how="").pk


@pytest.mark.parametrize("change", [{"kind": "contract"}, {"given_at": fakes.NOW}, {"document": "another"}])
def test_the_database_takes_no_change_but_a_withdrawal(ada: Person, change: dict[str, Any]) -> None:
    basis = consent(ada)
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        LegalBasis.objects.update(**change)
    legal.withdraw_basis(basis=basis, actor=None, now=fakes.NOW)
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        LegalBasis.objects.update(withdrawn_at=None)


@pytest.mark.parametrize(
    ("changes", "is_valid"),
    [
        ({}, True),
        ({"valid_until": dt.datetime(2999, 1, 1, tzinfo=dt.UTC)}, True),
        ({"valid_until": dt.datetime(2026, 3, 2, tzinfo=dt.UTC)}, False),
    ],
)
def test_a_basis_holds_until_its_end(ada: Person, changes: dict[str, Any], is_valid: bool) -> None:
    assert list(people_read.without_basis()) == [ada]
    consent(ada, **changes)
    assert (list(people_read.without_basis()) == []) is is_valid


def test_a_hold_needs_a_reason_and_is_lifted_once(ada: Person) -> None:
    with pytest.raises(legal.LegalRefused, match="Give a reason"):
        legal.place_hold(person=ada, reason=" ", actor=None)
    hold = legal.place_hold(person=ada, reason="a lawsuit", actor=None)
    assert legal.lift_hold(hold=hold, actor=None, now=fakes.NOW) is None
    with pytest.raises(legal.LegalRefused, match="lifted already"):
        legal.lift_hold(hold=hold, actor=None, now=fakes.NOW)
    assert LegalHold.objects.get().lifted_at == fakes.NOW
