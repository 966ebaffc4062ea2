from __future__ import annotations

import concurrent.futures
import threading

import pytest
from django.db import connections

from recognition.decision.doubts import Doubt, DoubtReason
from recognition.models import AuditAction, AuditEntry, DistinctPair, FaceSample, FaceTemplate, ModelPack, Person
from recognition.selectors import doubts as selected
from recognition.selectors import gallery, packs
from recognition.services import analysis, doubts, enrolment, people, policies
from recognition.services.enrolment import SampleResult
from recognition.vision.types import EmbeddedFace
from tests import fakes

CONFLICT, OUTLIER, DUPLICATE = DoubtReason
SAME, ALIKE, UNLIKE = b"the very face", b"much like it", b"unlike it"
FILES: dict[bytes, tuple[EmbeddedFace, ...] | Exception] = {
    SAME: (fakes.embedded(),),
    ALIKE: (fakes.embedded(fakes.like_probe(0.8)),),
    UNLIKE: (fakes.embedded(fakes.like_probe(0.1)),),
}


@pytest.fixture(autouse=True)
def analyser(monkeypatch: pytest.MonkeyPatch) -> fakes.FakeAnalyser:
    analyser = fakes.FakeAnalyser(FILES)
    monkeypatch.setattr(analysis, "_analysers", [analyser])
    return analyser


@pytest.fixture
def bob(db: None) -> Person:
    fakes.activated_pack()
    return fakes.person("Bob")


def add(person: Person, data: bytes) -> SampleResult:
    return enrolment.add_sample(person=person, data=data, source=FaceSample.Source.UPLOAD, actor=None)


def reasons_of(result: SampleResult) -> list[DoubtReason]:
    return [doubt.reason for doubt in result.doubts]


def stored(result: SampleResult) -> FaceSample:
    assert result.sample_id is not None
    return FaceSample.objects.get(pk=result.sample_id)


def status_of(result: SampleResult) -> str:
    return stored(result).status


class TestAddSample:
    def test_a_first_sample_in_an_empty_gallery_is_in_no_doubt(self, bob: Person) -> None:
        result = add(bob, SAME)
        assert (result.doubts, status_of(result)) == ((), "active")

    def test_a_face_of_somebody_else_is_set_aside_and_names_them(self, bob: Person) -> None:
        ada = fakes.person("Ada", fakes.probe())
        result = add(bob, ALIKE)
        (doubt,) = result.doubts
        assert (doubt.reason, doubt.person_id, doubt.sample_id) == (CONFLICT, ada.pk, ada.samples.get().pk)
        assert doubt.similarity == pytest.approx(0.8)
        assert doubt.limit == 0.5
        sample = stored(result)
        assert sample.status == "set_aside"
        assert [Doubt.from_json(each).reason for each in sample.doubts] == [CONFLICT]
        assert sample.image.jpeg
        assert sample.templates.count() == 1
        assert not result.accepted
        assert result.is_stored

    def test_what_is_set_aside_is_not_searched(self, bob: Person) -> None:
        ada = fakes.person("Ada", fakes.probe())
        add(bob, ALIKE)
        found = gallery.search(fakes.like_probe(0.8), packs.active())
        assert [candidate.person_id for candidate in found.people] == [ada.pk]

    def test_a_face_that_is_more_like_its_own_person_is_in_no_doubt(self, bob: Person) -> None:
        fakes.person("Ada", fakes.like_probe(0.6, axis=2))
        add(bob, SAME)
        assert add(bob, ALIKE).doubts == ()

    def test_somebody_who_is_not_searched_raises_no_conflict(self, bob: Person) -> None:
        fakes.person("Ada", fakes.probe(), is_active=False)
        assert add(bob, ALIKE).doubts == ()

    def test_a_face_unlike_the_persons_others_is_set_aside_also_where_they_are_not_searched(self, bob: Person) -> None:
        add(bob, SAME)
        bob.is_active = False
        bob.save()
        assert reasons_of(add(bob, UNLIKE)) == [OUTLIER]

    def test_it_is_compared_with_what_is_searched_of_the_person_alone(self, bob: Person) -> None:
        add(bob, SAME)
        sample = FaceSample.objects.get()
        people.set_sample_status(sample=sample, status=FaceSample.Status.SET_ASIDE, actor=None)
        assert add(bob, UNLIKE).doubts == ()

    def test_nearly_the_same_picture_is_set_aside(self, bob: Person, analyser: fakes.FakeAnalyser) -> None:
        add(bob, SAME)
        analyser.faces_of = {**FILES, b"saved again": (fakes.embedded(fakes.like_probe(0.99)),)}
        assert reasons_of(add(bob, b"saved again")) == [DUPLICATE]

    def test_embedded_by_another_pack_what_is_set_aside_stays_so(self, bob: Person) -> None:
        add(fakes.person("Ada"), SAME)
        first = add(bob, ALIKE)
        FaceTemplate.objects.filter(sample=first.sample_id).delete()
        again = add(bob, ALIKE)
        assert (again.sample_id, reasons_of(again), again.accepted) == (first.sample_id, [CONFLICT], False)

    def test_a_pack_that_decides_nothing_doubts_nothing(self, db: None) -> None:
        fakes.activated_pack(decides=False)
        fakes.person("Ada", fakes.probe())
        assert add(fakes.person("Bob"), SAME).doubts == ()

    def test_the_strategy_of_the_policy_changes_nothing(self, bob: Person) -> None:
        fakes.person("Ada", fakes.probe(), fakes.like_probe(-0.5, axis=3))
        pack = ModelPack.objects.get()
        policies.create_version(pack=pack, values={"strategy": "centroid"}, reason="a test", actor=None)
        assert reasons_of(add(bob, ALIKE)) == [CONFLICT]


@pytest.mark.django_db(transaction=True)
def test_two_like_pictures_uploaded_at_once_see_each_other(analyser: fakes.FakeAnalyser) -> None:
    fakes.activated_pack()
    bob = fakes.person("Bob")
    analyser.faces_of = {b"one": (fakes.embedded(),), b"other": (fakes.embedded(),)}
    together = threading.Barrier(2)
    analyse = analyser.analyse

    def meet(data: bytes) -> tuple[EmbeddedFace, ...]:
        together.wait(20)
        return analyse(data)

    analyser.analyse = meet  # type: ignore[method-assign]

    def upload(data: bytes) -> SampleResult:
        try:
            return add(bob, data)
        finally:
            connections.close_all()

    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        results = list(threads.map(upload, [b"one", b"other"]))
    assert sorted(result.accepted for result in results) == [False, True]


class TestTellApart:
    def test_frees_what_waited_for_it_on_both_sides_and_is_remembered(self, bob: Person) -> None:
        ada = fakes.person("Ada", fakes.probe())
        waiting = add(bob, ALIKE)
        freed = doubts.tell_apart(person=bob, other=ada, actor=fakes.user())
        assert [sample.pk for sample in freed] == [waiting.sample_id]
        assert status_of(waiting) == "active"
        pair = DistinctPair.objects.get()
        assert (pair.first_id, pair.second_id) == tuple(sorted((ada.pk, bob.pk)))
        assert selected.told_apart_from(ada.pk) == {bob.pk}
        entry = AuditEntry.objects.get(action=AuditAction.PEOPLE_TOLD_APART)
        assert entry.details == {"people": sorted((ada.pk, bob.pk))}
        bob.samples.all().delete()
        assert add(bob, ALIKE).doubts == ()

    def test_leaves_what_is_doubtful_for_another_reason_too(self, bob: Person) -> None:
        add(bob, SAME)
        ada = fakes.person("Ada", fakes.like_probe(0.1))
        waiting = add(bob, UNLIKE)
        assert reasons_of(waiting) == [CONFLICT, OUTLIER]
        assert doubts.tell_apart(person=ada, other=bob, actor=None) == ()
        sample = stored(waiting)
        assert (sample.status, [each["reason"] for each in sample.doubts]) == ("set_aside", ["own_outlier"])

    def test_leaves_a_conflict_with_a_third_person(self, bob: Person) -> None:
        ada = fakes.person("Ada", fakes.probe())
        waiting = add(bob, ALIKE)
        doubts.tell_apart(person=bob, other=fakes.person("Cleo"), actor=None)
        assert status_of(waiting) == "set_aside"
        assert selected.told_apart_from(ada.pk) == frozenset()

    def test_twice_changes_nothing(self, bob: Person) -> None:
        ada = fakes.person("Ada")
        doubts.tell_apart(person=bob, other=ada, actor=None)
        assert doubts.tell_apart(person=ada, other=bob, actor=None) == ()
        assert DistinctPair.objects.count() == 1
        assert AuditEntry.objects.filter(action=AuditAction.PEOPLE_TOLD_APART).count() == 1

    def test_of_one_person_is_refused(self, bob: Person) -> None:
        with pytest.raises(doubts.AnswerRefused, match="one person"):
            doubts.tell_apart(person=bob, other=bob, actor=None)

    def test_forgotten_the_doubt_is_back(self, bob: Person) -> None:
        ada = fakes.person("Ada", fakes.probe())
        doubts.tell_apart(person=bob, other=ada, actor=None)
        doubts.take_for_one_again(pair=DistinctPair.objects.get(), actor=None)
        assert reasons_of(add(bob, ALIKE)) == [CONFLICT]
        assert AuditEntry.objects.filter(action=AuditAction.PEOPLE_NOT_TOLD_APART).count() == 1


def test_only_unanswered_doubts_wait(bob: Person) -> None:
    fakes.person("Ada", fakes.probe())
    waiting = add(bob, ALIKE)
    by_hand = FaceSample.objects.get(person__name="Ada")
    people.set_sample_status(sample=by_hand, status=FaceSample.Status.SET_ASIDE, actor=None)
    assert [sample.pk for sample in selected.waiting()] == [waiting.sample_id]
    answered = stored(waiting)
    people.set_sample_status(sample=answered, status=FaceSample.Status.ACTIVE, actor=None)
    assert not selected.waiting().exists()
