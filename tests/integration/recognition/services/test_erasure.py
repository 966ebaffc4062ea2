"""What an erasure leaves of a person: nothing that leads to them."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, connection, transaction

from recognition.models import (
    AuditAction,
    AuditEntry,
    ClaimLockout,
    DenyListEntry,
    ErasureCertificate,
    ErasureReason,
    ErasureRequest,
    EventCrop,
    FaceSample,
    FaceTemplate,
    ImportBatch,
    ImportItem,
    LegalBasis,
    Person,
    PersonGroup,
    RecognitionEvent,
    SampleImage,
)
from recognition.services import erasure, erasure_certificates, holds, legal, merging, people, retention
from tests import fakes

pytestmark = pytest.mark.django_db

SECRETS = (
    "Ada Lovelace",
    "ADA-4711",
    "secret notes",
    "her reason",
    "her document",
    "her picture",
    "her probe",
    "log of her",
)


@dataclasses.dataclass(frozen=True)
class Everything:
    """One person of whom everything is stored, with another one beside them."""

    ada: Person
    bob: Person
    merged: Person
    accepted: RecognitionEvent
    claimed: RecognitionEvent
    beside: RecognitionEvent


@pytest.fixture
def stored(db: None) -> Everything:
    fakes.activated_pack()
    ada, bob = fakes.person("Ada Lovelace", fakes.probe()), fakes.person("Bob", fakes.like_probe(0.2, axis=3))
    merged = fakes.person("Ada Lovelace senior", fakes.like_probe(0.9))
    Person.objects.filter(pk=ada.pk).update(external_id="ADA-4711", notes="secret notes")
    SampleImage.objects.filter(sample__person=ada).delete()
    SampleImage.objects.create(sample=ada.samples.get(), jpeg=b"her picture")
    ada.refresh_from_db()
    ada.groups.add(PersonGroup.objects.create(name="staff"))
    DenyListEntry.objects.create(person=ada, reason="her reason")
    door = fakes.checkpoint("door")
    ClaimLockout.objects.create(checkpoint=door, person=ada, failures=1)
    fakes.waiting_photo(ada, fakes.user(), data=b"her picture", file_name="Ada Lovelace.jpg")
    batch = ImportBatch.objects.create(file_name="Ada Lovelace.zip", expires_at=fakes.NOW)
    for name, number in (("Ada Lovelace", None), ("A. L.", "ADA-4711"), ("Bob", None), ("Ada", "another")):
        person = {"name": name, "external_id": number}
        ImportItem.objects.create(batch=batch, path=f"{name}.jpg", person=person, data=b"a picture")
    consent = LegalBasis(
        person=ada, kind="consent", text_version="1", how="oral", document="her document", given_at=fakes.NOW
    )
    legal.record_basis(basis=consent, actor=None, now=fakes.NOW)
    merging.merge(keep=ada, gone=merged, actor=None)
    LogEntry.objects.create(
        user=fakes.user(),
        content_type=ContentType.objects.get_for_model(Person),
        object_id=str(ada.pk),
        object_repr="Ada Lovelace",
        action_flag=CHANGE,
        change_message="log of her",
    )
    accepted = fakes.event(person=ada, best_person=ada, best_sample=ada.samples.first(), runner_up=bob)
    claimed = fakes.event(claimed_id="ADA-4711", claimed_person=merged, decision="reject_no_match")
    beside = fakes.event(person=bob, best_person=bob, runner_up=ada)
    for event, probe in ((accepted, b"her probe"), (claimed, b"her probe"), (beside, b"his probe")):
        EventCrop.objects.create(event=event, jpeg=probe)
    return Everything(ada, bob, merged, accepted, claimed, beside)


def erased(person: Person, reason: ErasureReason = ErasureReason.REQUESTED) -> ErasureRequest:
    return erasure.request(person=person, reason=reason, actor=None, now=fakes.NOW)


def tables_with(text: str) -> list[str]:
    """The tables of which any row holds a text, as it is or as the bytes of a picture."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            name = connection.ops.quote_name(table)
            cursor.execute(
                f"SELECT count(*) FROM {name} AS r WHERE r::text LIKE %s OR r::text LIKE %s",  # noqa: S608  # a table's own name
                [f"%{text}%", f"%{text.encode().hex()}%"],
            )
            if cursor.fetchone()[0]:
                found.append(table)
    return found


def test_nothing_that_leads_to_the_person_is_left_in_any_table(stored: Everything) -> None:
    assert not [secret for secret in SECRETS if not tables_with(secret)], "each is stored before"
    vector = ",".join(f"{value:g}" for value in np.asarray(FaceTemplate.objects.earliest("pk").embedding))
    assert tables_with(vector) == ["recognition_facetemplate"]
    erased(stored.ada)
    assert {secret: tables_with(secret) for secret in SECRETS} == {secret: [] for secret in SECRETS}
    assert tables_with(vector) == []
    assert list(Person.objects.all()) == [stored.bob]
    assert FaceSample.objects.get().person == stored.bob


def test_events_stay_with_a_tombstone_and_only_their_own_pictures_go(stored: Everything) -> None:
    certificate = erased(stored.ada).certificate
    assert certificate is not None
    assert set(certificate.events.all()) == {stored.accepted, stored.claimed, stored.beside}
    assert list(EventCrop.objects.values_list("event", flat=True)) == [stored.beside.pk]
    row = RecognitionEvent.objects.get(pk=stored.claimed.pk)
    assert (row.claimed_id, row.claimed_person, row.decision) == ("", None, "reject_no_match")
    beside = RecognitionEvent.objects.get(pk=stored.beside.pk)
    assert (beside.person, beside.runner_up) == (stored.bob, None)


def test_the_certificate_counts_what_went_and_is_signed(stored: Everything) -> None:
    number = stored.ada.pk
    asked = erased(stored.ada)
    certificate = asked.certificate
    assert certificate is not None
    document = erasure_certificates.document(certificate)
    assert document["deleted"] == {
        "people": 2,
        "samples": 2,
        "sample_images": 2,
        "templates": 2,
        "event_crops": 2,
        "unknown_faces": 0,
        "waiting_photos": 1,
        "import_files": 2,
        "video_appearances": 0,
        "films": 0,
        "legal_bases": 1,
        "legal_holds": 0,
        "deny_list_entries": 1,
        "lockouts": 1,
        "moves": 1,
        "classifier_parts": 0,
    }
    assert document["emptied"] == {"claimed_ids": 1, "admin_log_entries": 1, "upload_names": 1}
    assert document["kept"] == {"events": 3}
    assert (document["certificate"], document["person"], document["reason"]) == (certificate.pk, number, "requested")
    assert len(document["sha256"]["templates"]) == 2
    assert document["legal_bases"][0]["text_version"] == "1"
    assert erasure_certificates.is_genuine(document)
    assert not erasure_certificates.is_genuine({**document, "reason": "mistake"})
    assert not erasure_certificates.is_genuine({})
    entry = AuditEntry.objects.get(action=AuditAction.PERSON_ERASED)
    assert entry.subject == f"person:{number}"
    assert (asked.state, asked.person) == ("done", None)


def test_the_database_keeps_a_certificate_as_it_is(stored: Everything) -> None:
    erased(stored.ada)
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        ErasureCertificate.objects.update(reason="mistake")
    with pytest.raises(IntegrityError, match="never removed"), transaction.atomic():
        ErasureCertificate.objects.all()._raw_delete("default")


def test_a_person_of_whom_nothing_is_stored_is_erased_too(db: None) -> None:
    certificate = erased(fakes.person("New")).certificate
    assert certificate is not None
    assert certificate.contents["deleted"]["people"] == 1
    assert sum(certificate.contents["deleted"].values()) == 1


def test_who_was_erased_is_not_erased_again(stored: Everything) -> None:
    again = Person.objects.get(pk=stored.ada.pk)
    erased(stored.ada)
    with pytest.raises(Person.DoesNotExist):
        erased(again)


def test_the_files_of_an_import_go_under_the_name_of_then(db: None) -> None:
    fakes.activated_pack()
    ada, bob = fakes.person("Ada", fakes.probe()), fakes.person("Bob", fakes.like_probe(0.2, axis=3))
    batch = ImportBatch.objects.create(file_name="all.zip", expires_at=fakes.NOW)

    def file(path: str, name: str, **more: object) -> ImportItem:
        person = {"name": name, "external_id": None}
        return ImportItem.objects.create(batch=batch, path=path, person=person, **more)

    first, moved = ada.samples.get(), bob.samples.get()
    file("made.jpg", "Ada Byron", sample=first)
    file("refused.jpg", "Ada Byron", state="refused")
    file("waits.jpg", "Ada Byron", data=b"a picture")
    file("known.jpg", "A.", image_sha256=first.image_sha256)
    file("moved.jpg", "Bob", sample=moved)
    file("his.jpg", "Bob", data=b"a picture")
    FaceSample.objects.filter(pk=moved.pk).update(person=ada)
    erased(ada)
    assert [item.path for item in ImportItem.objects.all()] == ["his.jpg"]


def test_a_picture_goes_of_who_was_claimed_and_could_not_be_found(db: None) -> None:
    ada = fakes.person("Ada")
    Person.objects.filter(pk=ada.pk).update(external_id="7", is_active=False)
    ours = fakes.event(claimed_id="7", decision="reject_no_match")
    other = fakes.event(claimed_id="8", decision="reject_no_match")
    for event in (ours, other):
        EventCrop.objects.create(event=event, jpeg=b"a probe")
    certificate = erased(ada).certificate
    assert certificate is not None
    assert certificate.contents["deleted"]["event_crops"] == 1
    assert list(EventCrop.objects.values_list("event", flat=True)) == [other.pk]
    assert set(RecognitionEvent.objects.values_list("claimed_id", flat=True)) == {"", "8"}


def test_what_was_claimed_of_others_stays(db: None) -> None:
    fakes.activated_pack()
    ada = fakes.person("Ada", fakes.probe())
    event = fakes.event(claimed_id="8", best_person=ada, decision="reject_no_match")
    erased(ada)
    event.refresh_from_db()
    assert (event.claimed_id, event.best_person) == ("8", None)


class TestHold:
    @pytest.mark.parametrize("who", ["ada", "merged"])
    def test_an_erasure_waits_for_it_and_runs_when_it_is_lifted(self, stored: Everything, who: str) -> None:
        hold = legal.place_hold(person=getattr(stored, who), reason="a lawsuit", actor=None)
        asked = erased(stored.ada, ErasureReason.WITHDRAWN)
        assert (asked.state, asked.certificate) == ("waiting_for_hold", None)
        assert SampleImage.objects.filter(sample__person=stored.ada).exists()
        assert not Person.objects.get(pk=stored.ada.pk).is_active
        assert erased(stored.ada) == asked
        later = fakes.NOW + dt.timedelta(days=3)
        done = legal.lift_hold(hold=hold, actor=None, now=later)
        assert done == asked
        asked.refresh_from_db()
        assert (asked.state, asked.reason) == ("done", "withdrawn")
        assert asked.certificate is not None
        assert asked.certificate.made_at == later
        assert not Person.objects.filter(name__startswith="Ada").exists()

    def test_what_is_kept_of_somebody_else_is_not_erased_with_whom_it_shows_too(self) -> None:
        held, other = fakes.person("held"), fakes.person("other")
        event = fakes.event(decision="reject_no_match", kind="verification", claimed_person=held, best_person=other)
        EventCrop.objects.create(event=event, jpeg=b"evidence")
        hold = legal.place_hold(person=held, reason="a lawsuit", actor=None)
        asked = erasure.request(person=other, reason=ErasureReason.REQUESTED, actor=None, now=fakes.NOW)
        assert asked.state == "waiting_for_hold"
        assert EventCrop.objects.filter(event=event).exists()
        legal.lift_hold(hold=hold, actor=None, now=fakes.NOW)
        assert not Person.objects.filter(pk=other.pk).exists()
        assert not EventCrop.objects.filter(event=event).exists()

    def test_a_hold_on_an_event_keeps_who_was_nearly_as_close(self) -> None:
        other = fakes.person("other")
        hold = retention.place_hold(event=fakes.event(runner_up=other), reason="a lawsuit", actor=None)
        asked = erasure.request(person=other, reason=ErasureReason.REQUESTED, actor=None, now=fakes.NOW)
        assert asked.state == "waiting_for_hold"
        (done,) = retention.lift_hold(hold=hold, actor=None, now=fakes.NOW)
        assert done.state == "done"

    def test_another_hold_still_keeps(self, stored: Everything) -> None:
        first = legal.place_hold(person=stored.ada, reason="a lawsuit", actor=None)
        legal.place_hold(person=stored.ada, reason="another", actor=None)
        asked = erased(stored.ada)
        waited = legal.lift_hold(hold=first, actor=None, now=fakes.NOW)
        assert waited == asked
        assert waited is not None
        assert waited.state == "waiting_for_hold"

    def test_of_two_that_waited_and_were_merged_neither_waits_for_ever(self, stored: Everything) -> None:
        eve = fakes.person("Eve")
        holds = [legal.place_hold(person=person, reason="a lawsuit", actor=None) for person in (stored.bob, eve)]
        erased(stored.bob)
        erased(eve)
        merging.merge(keep=stored.bob, gone=eve, actor=None)
        for hold in holds:
            legal.lift_hold(hold=hold, actor=None, now=fakes.NOW)
        assert ErasureRequest.objects.get().state == "done"
        assert not Person.objects.filter(pk__in=[stored.bob.pk, eve.pk]).exists()

    def test_keeps_samples_and_photos_from_every_other_way_out(self, stored: Everything) -> None:
        hold = legal.place_hold(person=stored.merged, reason="a lawsuit", actor=None)
        sample, *_ = stored.ada.samples.order_by("pk")
        ways = (
            lambda: people.delete_sample(sample=sample, actor=None),
            lambda: people.set_keeps_photos(person=stored.ada, keeps=False, actor=None),
            lambda: merging.split(person=stored.ada, samples=[sample.pk], name="Away", actor=None),
        )
        for way in ways:
            with pytest.raises((holds.DataHeld, merging.MoveRefused), match="It must be lifted first"):
                way()
        legal.lift_hold(hold=hold, actor=None, now=fakes.NOW)
        people.delete_sample(sample=sample, actor=None)
        assert not FaceSample.objects.filter(pk=sample.pk).exists()

    def test_the_database_keeps_who_is_held(self, stored: Everything) -> None:
        legal.place_hold(person=stored.ada, reason="a lawsuit", actor=None)
        with pytest.raises(IntegrityError), transaction.atomic():
            stored.ada.delete()
