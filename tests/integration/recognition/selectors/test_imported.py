from __future__ import annotations

import pytest

from recognition.importing.entries import PersonData
from recognition.models import FaceSample, Person
from recognition.selectors.imported import Enrolled, KnownFiles
from recognition.services import merging, packs
from tests import fakes

pytestmark = pytest.mark.django_db


def found(person: PersonData) -> Person | None:
    return Enrolled({person}).find(person)


class TestEnrolled:
    def test_in_an_empty_gallery_there_is_nobody(self) -> None:
        assert Enrolled(()).find(PersonData("Ada")) is None
        assert found(PersonData("Ada", "B-1")) is None

    def test_who_was_enrolled_first_has_the_name(self) -> None:
        first = fakes.person("Ada")
        fakes.person("Ada")
        assert found(PersonData("Ada")) == first

    def test_the_external_id_comes_before_the_name(self) -> None:
        fakes.person("Ada")
        other = Person.objects.create(name="Bob", external_id="B-1")
        assert found(PersonData("Ada", "B-1")) == other
        assert found(PersonData("Ada", "B-2")) is None

    def test_somebody_who_was_merged_is_whom_they_were_merged_into_unless_there_is_another_of_the_name(self) -> None:
        keep, gone = fakes.person("Bob"), Person.objects.create(name="Ada", external_id="B-1")
        merging.merge(keep=keep, gone=gone, actor=None)
        Person.objects.filter(pk=gone.pk).update(external_id="B-2")
        assert found(PersonData("Ada")) == keep
        assert found(PersonData("Ada", "B-2")) == keep
        second = fakes.person("Ada")
        assert found(PersonData("Ada")) == second

    def test_whoever_is_added_is_found_by_both(self) -> None:
        ada = PersonData("Ada", "B-1")
        enrolled = Enrolled({ada})
        row = Person(name="Ada", external_id="B-1")
        enrolled.add(ada, row)
        assert enrolled.find(ada) is row
        assert enrolled.find(PersonData("Ada")) is row

    def test_many_are_asked_for_in_few_queries(self, django_assert_num_queries: object) -> None:
        wanted = [PersonData(f"Person {number}") for number in range(1500)]
        Person.objects.bulk_create([Person(name=person.name) for person in wanted])
        with django_assert_num_queries(2):  # type: ignore[operator]
            enrolled = Enrolled(wanted)
            assert all(enrolled.find(person) is not None for person in wanted)


class TestKnownFiles:
    def test_without_a_pack_nothing_is_known(self) -> None:
        fakes.person("Ada")
        assert list(KnownFiles({PersonData("Ada")}).of(PersonData("Ada"))) == []

    def test_those_are_that_the_pack_in_use_has_embedded(self) -> None:
        other = fakes.registered_pack(name="other", digest="e" * 64)
        fakes.activated_pack()
        ada = fakes.person("Ada", fakes.probe())
        digest = FaceSample.objects.get().image_sha256
        FaceSample.objects.create(person=ada, source="import", quality={}, image_sha256="f" * 64)
        known = KnownFiles({PersonData("Ada"), PersonData("Bob")})
        assert set(known.of(PersonData("Ada"))) == {digest}
        assert not known.of(PersonData("Bob"))
        packs.activate(pack=other, actor=None)
        assert not KnownFiles({PersonData("Ada")}).of(PersonData("Ada"))
