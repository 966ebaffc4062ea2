from __future__ import annotations

import concurrent.futures
import threading

import pytest
from django.contrib.auth.models import User
from django.db import connections, transaction

from recognition.models import AuditAction, AuditEntry, FaceSample, FaceTemplate, ModelPack, Person, SampleImage
from recognition.services import analysis, enrolment, packs
from recognition.services.analysis import AnalyserUnavailable
from recognition.services.enrolment import SampleResult
from recognition.vision.errors import PackMismatch, TooManyBytes, UnreadableImage
from recognition.vision.types import EmbeddedFace
from tests import fakes

SMALL = fakes.quality(face_size_px=20)
LARGE = fakes.quality(face_size_px=200)
FILES: dict[bytes, tuple[EmbeddedFace, ...] | Exception] = {
    b"nobody": (),
    b"good": (fakes.embedded(),),
    b"better": (fakes.embedded(fakes.like_probe(0.9)),),
    b"two people": (fakes.embedded(), fakes.embedded()),
    b"street": (fakes.embedded(seen=LARGE), fakes.embedded(seen=fakes.quality(face_size_px=99))),
    b"half as large": (fakes.embedded(seen=LARGE), fakes.embedded(seen=fakes.quality(face_size_px=100))),
    b"too small": (fakes.embedded(seen=SMALL),),
    b"dark and blurred": (fakes.embedded(seen=fakes.quality(luminance_mean=0.01, sharpness=1)),),
    b"not an image": UnreadableImage("no image"),
    b"huge": TooManyBytes(21 * 2**20, 20 * 2**20),
    b"of another pack": (fakes.embedded(fakes.probe("e" * 64)),),
}


@pytest.fixture(autouse=True)
def analyser(monkeypatch: pytest.MonkeyPatch) -> fakes.FakeAnalyser:
    monkeypatch.setattr(analysis, "_analysers", [])
    analyser = fakes.FakeAnalyser(FILES)
    analysis.connect(analyser)
    return analyser


@pytest.fixture
def ada(db: None) -> Person:
    fakes.activated_pack()
    return enrolment.find_or_create_person(name="Ada", actor=None)


def add(person: Person, data: bytes, actor: User | None = None) -> SampleResult:
    return enrolment.add_sample(person=person, data=data, source=FaceSample.Source.UPLOAD, actor=actor)


@pytest.mark.django_db
class TestFindOrCreatePerson:
    @pytest.mark.parametrize("name", ["", " \t\n", "x" * 201])
    def test_refuses_a_name_that_is_empty_or_too_long(self, name: str) -> None:
        with pytest.raises(ValueError, match="1 to 200 characters"):
            enrolment.find_or_create_person(name=name, actor=None)

    def test_creates_a_person_once_whatever_the_spaces(self) -> None:
        names = ["Ada Lovelace", "  Ada  Lovelace\n"]
        one, other = (enrolment.find_or_create_person(name=name, actor=None) for name in names)
        assert one == other
        assert AuditEntry.objects.filter(action=AuditAction.PERSON_ENROLLED).count() == 1

    def test_gives_the_one_enrolled_first_where_several_have_the_name(self) -> None:
        first = fakes.person("Ada")
        fakes.person("Ada")
        assert enrolment.find_or_create_person(name="Ada", actor=None) == first


@pytest.mark.django_db
def test_the_same_photo_after_a_switch_of_the_pack_brings_the_template_that_the_sample_lacks(
    analyser: fakes.FakeAnalyser,
) -> None:
    other = fakes.registered_pack(name="other", digest="e" * 64)
    fakes.activated_pack()
    ada = enrolment.find_or_create_person(name="Ada", actor=None)
    first = add(ada, b"good")
    packs.activate(pack=other, actor=None)
    analyser.faces_of = {b"good": (fakes.embedded(fakes.probe(other.digest)),)}

    again = add(ada, b"good")

    assert again.sample_id == first.sample_id
    assert FaceTemplate.objects.filter(sample_id=first.sample_id).count() == 2
    assert not add(ada, b"good").accepted  # now it is a duplicate


@pytest.mark.django_db
class TestAddSample:
    @pytest.mark.parametrize(
        ("data", "reasons"),
        [
            (b"nobody", ["no_face"]),
            (b"not an image", ["unreadable"]),
            (b"huge", ["image_too_large"]),
            (b"two people", ["multiple_faces"]),
            (b"half as large", ["multiple_faces"]),
            (b"too small", ["face_too_small"]),
            (b"dark and blurred", ["too_dark", "low_sharpness"]),
        ],
    )
    def test_refuses_with_every_reason_and_stores_nothing(self, ada: Person, data: bytes, reasons: list[str]) -> None:
        result = add(ada, data)
        assert not result.accepted
        assert [fault.reason.value for fault in result.faults] == reasons
        assert FaceSample.objects.count() == 0
        assert not AuditEntry.objects.filter(action=AuditAction.SAMPLE_ADDED).exists()

    @pytest.mark.parametrize("data", [b"good", b"street"])
    def test_stores_sample_picture_template_and_who_enrolled(self, ada: Person, data: bytes) -> None:
        actor = fakes.user()
        result = add(ada, data, actor)
        assert result.faults == ()
        sample = FaceSample.objects.get()
        assert result.sample_id == sample.pk
        assert (sample.person, sample.source, sample.created_by) == (ada, "upload", actor)
        assert bytes(SampleImage.objects.get(sample=sample).jpeg) == b"a crop"
        template = FaceTemplate.objects.get(sample=sample)
        assert template.pack == ModelPack.objects.get(is_active=True)
        assert list(template.embedding) == pytest.approx(fakes.probe().vector.tolist())
        entry = AuditEntry.objects.get(action=AuditAction.SAMPLE_ADDED)
        assert (entry.actor, entry.subject) == (actor, f"facesample:{sample.pk}")
        assert entry.details == {"person": ada.pk, "source": "upload", "doubts": []}

    def test_takes_the_same_file_once_a_person(self, ada: Person, analyser: fakes.FakeAnalyser) -> None:
        assert add(ada, b"good").accepted
        assert [fault.reason.value for fault in add(ada, b"good").faults] == ["duplicate_sample"]
        assert analyser.seen == [b"good"]  # not analysed twice
        bob = enrolment.find_or_create_person(name="Bob", actor=None)
        assert add(bob, b"good").is_stored  # set aside: it is like Ada

    def test_says_so_where_no_worker_is_connected(self, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(analysis, "_analysers", [])
        with pytest.raises(AnalyserUnavailable):
            add(ada, b"good")

    def test_never_stores_a_vector_of_another_pack_than_the_active_one(self, ada: Person) -> None:
        with pytest.raises(PackMismatch):
            add(ada, b"of another pack")
        assert FaceTemplate.objects.count() == 0

    def test_writes_no_audit_entry_of_what_was_rolled_back(self, ada: Person) -> None:
        class Interrupted(Exception):
            pass

        def interrupted() -> None:
            with transaction.atomic():
                assert add(ada, b"good").accepted
                raise Interrupted

        with pytest.raises(Interrupted):
            interrupted()
        assert not FaceSample.objects.exists()
        assert not AuditEntry.objects.filter(action=AuditAction.SAMPLE_ADDED).exists()


@pytest.mark.django_db(transaction=True)
def test_the_same_file_uploaded_at_once_is_taken_once(analyser: fakes.FakeAnalyser) -> None:
    fakes.activated_pack()
    ada = fakes.person("Ada")
    together = threading.Barrier(4)
    analyse = analyser.analyse

    def meet(data: bytes) -> tuple[EmbeddedFace, ...]:
        together.wait(20)  # all are past the first look for duplicates
        return analyse(data)

    analyser.analyse = meet  # type: ignore[method-assign]

    def upload() -> SampleResult:
        try:
            return add(ada, b"good")
        finally:
            connections.close_all()

    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        results = [future.result() for future in [threads.submit(upload) for _ in range(4)]]
    assert sum(result.accepted for result in results) == 1
    reasons = {fault.reason.value for result in results for fault in result.faults}
    assert reasons == {"duplicate_sample"}
    assert FaceSample.objects.count() == FaceTemplate.objects.count() == 1
