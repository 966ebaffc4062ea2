"""Samples that are stored together are held against each other, and against those of other processes."""

from __future__ import annotations

import concurrent.futures
import random
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.db.utils import IntegrityError

from recognition.decision.doubts import DoubtReason
from recognition.importing.entries import PersonData
from recognition.models import AuditAction, AuditEntry, FaceSample, FaceTemplate, Person, SampleImage
from recognition.selectors import packs
from recognition.services import doubts, importing, new_samples, people
from recognition.services.importing import LookedAt
from recognition.services.new_samples import Kept, NewSample
from recognition.vision.errors import PackMismatch
from recognition.vision.types import Embedding
from tests import fakes
from tests.processes import DEADLINE_S

CONFLICT, OUTLIER, DUPLICATE = DoubtReason
ALIKE = fakes.like_probe(0.8)


@pytest.fixture
def bob(db: None) -> Person:
    fakes.activated_pack()
    return fakes.person("Bob")


def new(person: Person, embedding: Embedding | None = None, digest: str = "1") -> NewSample:
    return NewSample(person, fakes.embedded(embedding or fakes.probe()), digest, FaceSample.Source.IMPORT)


def kept(*samples: NewSample) -> list[Kept]:
    return new_samples.keep(samples=samples, pack=packs.active(), actor=None)


def reasons_of(result: Kept) -> list[DoubtReason]:
    return [doubt.reason for doubt in result.doubts]


def file(embedding: Embedding, digest: str) -> LookedAt:
    return LookedAt(digest, (fakes.embedded(embedding),))


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Does each in a thread, and so over a connection, of its own; all begin together."""
    together = threading.Barrier(len(works))

    def work(each: Callable[[], Any]) -> Any:
        try:
            connection.ensure_connection()
            together.wait(DEADLINE_S)
            return each()
        finally:
            connections.close_all()

    with concurrent.futures.ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(work, works))


class TestKeep:
    def test_nothing_is_nothing(self, bob: Person) -> None:
        assert kept() == []
        assert not AuditEntry.objects.filter(action=AuditAction.SAMPLE_ADDED).exists()

    def test_stores_all_that_there_is_of_each(self, bob: Person) -> None:
        ada = fakes.person("Ada")
        results = kept(new(bob), new(ada, fakes.like_probe(0.1, axis=3), "2"))
        assert [result.doubts for result in results] == [(), ()]
        for result, person in zip(results, (bob, ada), strict=True):
            sample = FaceSample.objects.get(pk=result.sample_id)
            assert (sample.person, sample.source, sample.status) == (person, "import", "active")
            assert bytes(SampleImage.objects.get(sample=sample).jpeg) == b"a crop"
            assert FaceTemplate.objects.filter(sample=sample).count() == 1
            entry = AuditEntry.objects.get(subject=f"facesample:{sample.pk}")
            assert entry.details == {"person": person.pk, "source": "import", "doubts": []}

    def test_two_people_with_one_face_are_in_conflict(self, bob: Person) -> None:
        ada = fakes.person("Ada")
        first, second = kept(new(bob), new(ada, ALIKE, "2"))
        assert (first.doubts, reasons_of(second)) == ((), [CONFLICT])
        (doubt,) = second.doubts
        assert (doubt.person_id, doubt.sample_id) == (bob.pk, first.sample_id)
        assert doubt.similarity == pytest.approx(0.8)
        assert FaceSample.objects.get(pk=second.sample_id).status == "set_aside"

    def test_what_is_set_aside_is_held_against_nobody(self, bob: Person) -> None:
        ada, cleo = fakes.person("Ada"), fakes.person("Cleo", fakes.like_probe(0.9, axis=2))
        _, second = kept(new(ada, digest="1"), new(bob, ALIKE, "2"))
        assert [doubt.person_id for doubt in second.doubts] == [cleo.pk]

    def test_somebody_who_is_not_searched_raises_no_conflict(self, bob: Person) -> None:
        ada = fakes.person("Ada", is_active=False)
        assert [result.doubts for result in kept(new(ada), new(bob, ALIKE, "2"))] == [(), ()]

    def test_people_who_were_told_apart_raise_no_conflict(self, bob: Person) -> None:
        ada = fakes.person("Ada")
        doubts.tell_apart(person=ada, other=bob, actor=None)
        assert [result.doubts for result in kept(new(ada), new(bob, ALIKE, "2"))] == [(), ()]

    def test_nearly_the_same_picture_and_an_outlier_are_set_aside(self, bob: Person) -> None:
        _, again, unlike = kept(
            new(bob), new(bob, fakes.like_probe(0.99), "2"), new(bob, fakes.like_probe(0.1, axis=3), "3")
        )
        assert (reasons_of(again), reasons_of(unlike)) == ([DUPLICATE], [OUTLIER])

    def test_a_file_that_is_there_twice_is_taken_once(self, bob: Person) -> None:
        first, second = kept(new(bob), new(bob))
        assert (first.was_there, second) == (False, Kept(first.sample_id, was_there=True))
        assert kept(new(bob)) == [Kept(first.sample_id, was_there=True)]

    def test_of_whom_no_photos_are_kept_no_picture_is(self, bob: Person) -> None:
        people.set_keeps_photos(person=bob, keeps=False, actor=None)
        kept(new(bob))
        assert not SampleImage.objects.exists()

    def test_of_another_pack_nothing_is_stored(self, bob: Person) -> None:
        with pytest.raises(PackMismatch):
            kept(new(bob), new(bob, fakes.probe("e" * 64), "2"))
        assert not FaceSample.objects.exists()

    def test_a_pack_that_decides_nothing_doubts_nothing(self, db: None) -> None:
        fakes.activated_pack(decides=False)
        ada, bob = fakes.person("Ada"), fakes.person("Bob")
        assert [result.doubts for result in kept(new(ada), new(bob, digest="2"))] == [(), ()]

    def test_what_breaks_another_rule_is_not_tried_again(self, bob: Person) -> None:
        bad = NewSample(bob, fakes.embedded(), "1", None)  # type: ignore[arg-type]
        with pytest.raises(IntegrityError):
            kept(bad)


def told() -> list[tuple[Any, ...]]:
    """The gallery with its doubts, in words that do not depend on primary keys."""
    name = {sample.pk: (sample.person.name, sample.image_sha256) for sample in FaceSample.objects.all()}
    return sorted(
        (
            *name[sample.pk],
            sample.status,
            *((doubt["reason"], round(doubt["similarity"], 4), name[doubt["sample"]]) for doubt in sample.doubts),
        )
        for sample in FaceSample.objects.all()
    )


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(4))
def test_files_stored_together_become_what_they_become_one_after_the_other(seed: int) -> None:
    fakes.activated_pack()
    chance = random.Random(seed)  # noqa: S311  # nothing secret
    faces = [fakes.like_probe(similarity, axis=axis) for similarity in (0.2, 0.8, 0.97) for axis in (1, 2, 3)]
    files = [
        (
            PersonData(chance.choice(["Ada", "Bob", "Cleo", "Dee"])),
            file(chance.choice(faces), str(chance.randrange(12))),
        )
        for _ in range(16)
    ]

    def imported(size: int) -> tuple[list[tuple[Any, ...]], list[Any]]:
        results = []
        with transaction.atomic():
            for step in importing.in_steps(results=files, size=size):
                results += importing.take(files=step, actor=None)
            gallery = told()
            transaction.set_rollback(True)
        return gallery, [(result.is_known, result.is_stored, result.accepted) for result in results]

    one_by_one = imported(1)
    assert imported(16) == imported(5) == one_by_one
    assert len({entry[2] for entry in one_by_one[0]}) == 2


@pytest.mark.django_db(transaction=True)
class TestAtTheSameMoment:
    @pytest.mark.parametrize("_again", range(3))
    def test_two_people_with_one_face_see_each_other(self, _again: int) -> None:
        fakes.activated_pack()
        ada, bob = fakes.person("Ada"), fakes.person("Bob")
        results = at_once(lambda: kept(new(ada)), lambda: kept(new(bob, ALIKE, "2")))
        assert sorted(tuple(reasons_of(result)) for (result,) in results) == [(), (CONFLICT,)]

    def test_a_second_enrolment_waits_for_the_end_of_the_first(self) -> None:
        fakes.activated_pack()
        ada, bob = fakes.person("Ada"), fakes.person("Bob")
        stored, go_on = threading.Event(), threading.Event()

        def slow() -> Kept:
            with transaction.atomic():
                (result,) = kept(new(ada))
                stored.set()
                assert go_on.wait(DEADLINE_S)
            return result

        def second() -> Kept:
            assert stored.wait(DEADLINE_S)
            threading.Timer(0.2, go_on.set).start()
            return kept(new(bob, ALIKE, "2"))[0]

        first, later = at_once(slow, second)
        assert (first.doubts, [doubt.sample_id for doubt in later.doubts]) == ((), [first.sample_id])

    def test_two_imports_enrol_somebody_once(self) -> None:
        fakes.activated_pack()

        def imported(embedding: Embedding, digest: str) -> Sequence[Any]:
            return importing.take(files=[(PersonData("Ada"), file(embedding, digest))], actor=None)

        at_once(lambda: imported(fakes.probe(), "1"), lambda: imported(ALIKE, "2"))
        assert Person.objects.get().samples.count() == 2
