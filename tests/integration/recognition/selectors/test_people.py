from __future__ import annotations

import pytest

from recognition.models import DenyListEntry, FaceSample, Person
from recognition.selectors import people
from tests import fakes

pytestmark = pytest.mark.django_db


def denied(person: Person) -> Person:
    DenyListEntry.objects.create(person=person, reason="a test")
    return person


def test_nobody_is_recognised_and_nobody_denied_in_an_empty_gallery() -> None:
    pack = fakes.activated_pack()
    assert not Person.objects.filter(people.recognised()).exists()
    assert not people.denied_in_vain(pack.pk).exists()


def test_active_people_are_recognised_and_whoever_is_on_the_deny_list() -> None:
    Person.objects.create(name="active")
    Person.objects.create(name="left", is_active=False)
    denied(Person.objects.create(name="banned", is_active=False))
    names = Person.objects.filter(people.recognised()).values_list("name", flat=True)
    assert sorted(names) == ["active", "banned"]


@pytest.mark.parametrize("is_active", [True, False])
def test_an_entry_is_in_vain_without_a_sample_that_the_pack_searches(is_active: bool) -> None:
    other = fakes.registered_pack(name="other", digest="e" * 64)
    pack = fakes.activated_pack()
    fakes.person("not denied")
    denied(fakes.person("found", fakes.probe(), fakes.probe(other.digest), is_active=is_active))
    half = denied(fakes.person("half set aside", fakes.probe(), fakes.probe(), is_active=is_active))
    aside = denied(fakes.person("set aside", fakes.probe(), is_active=is_active))
    FaceSample.objects.filter(pk=half.samples.earliest("pk").pk).update(status=FaceSample.Status.SET_ASIDE)
    aside.samples.update(status=FaceSample.Status.SET_ASIDE)
    denied(fakes.person("without a photo", is_active=is_active))
    denied(fakes.person("of another pack", fakes.probe(other.digest), is_active=is_active))
    names = people.denied_in_vain(pack.pk).values_list("person__name", flat=True)
    assert sorted(names) == ["of another pack", "set aside", "without a photo"]
