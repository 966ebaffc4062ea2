from __future__ import annotations

import pytest

from recognition.models import AuditAction, AuditEntry, FaceSample, FaceTemplate, Person, PersonGroup
from recognition.services import people
from tests import fakes

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> Person:
    fakes.activated_pack()
    return fakes.person("Ada Lovelace", fakes.probe())


def recorded(action: AuditAction) -> list[tuple[str, dict[str, object]]]:
    return list(AuditEntry.objects.filter(action=action).order_by("pk").values_list("subject", "details"))


def test_a_new_and_a_changed_person_are_recorded_without_name_and_notes() -> None:
    person = Person(name="Ada Lovelace")
    people.save_person(person=person, changed=["name"], actor=None)
    person.notes = "secret"
    people.save_person(person=person, changed=["notes"], actor=None)
    subject = f"person:{person.pk}"
    new: dict[str, object] = {
        "is_active": True,
        "is_suspended": False,
        "valid_from": None,
        "valid_until": None,
        "groups": [],
    }
    assert recorded(AuditAction.PERSON_ENROLLED) == [(subject, {"fields": ["name"], "before": {}, "after": new})]
    assert recorded(AuditAction.PERSON_CHANGED) == [(subject, {"fields": ["notes"]})]


def test_what_decides_whether_somebody_may_pass_is_recorded_before_and_after() -> None:
    person, staff = fakes.person("Ada Lovelace"), PersonGroup.objects.create(name="staff")
    person.is_suspended, person.valid_until = True, fakes.NOW
    people.save_person(person=person, changed=["is_suspended", "valid_until", "groups"], actor=None, groups=[staff])
    ((_, details),) = recorded(AuditAction.PERSON_CHANGED)
    assert details["before"] == {"is_suspended": False, "valid_until": None, "groups": []}
    assert details["after"] == {"is_suspended": True, "valid_until": fakes.NOW.isoformat(), "groups": [staff.pk]}


def test_a_sample_is_set_aside_and_taken_back_with_an_entry_for_each_change(ada: Person) -> None:
    sample = ada.samples.get()
    aside, active = FaceSample.Status.SET_ASIDE, FaceSample.Status.ACTIVE
    for status in (active, aside, aside, active):
        people.set_sample_status(sample=sample, status=status, actor=None)
        sample.refresh_from_db()
        assert sample.status == status
    assert [details for _, details in recorded(AuditAction.SAMPLE_STATUS_CHANGED)] == [
        {"before": "active", "after": "set_aside"},
        {"before": "set_aside", "after": "active"},
    ]


def test_a_deleted_sample_is_recorded_with_its_person(ada: Person) -> None:
    sample = ada.samples.get()
    number = sample.pk
    people.delete_sample(sample=sample, actor=None)
    assert not FaceTemplate.objects.exists()
    assert recorded(AuditAction.SAMPLE_DELETED) == [(f"facesample:{number}", {"person": ada.pk})]
