from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from recognition.models import (
    AuditEntry,
    ErasureCertificate,
    ErasureReason,
    ErasureRequest,
    LegalBasis,
    LegalHold,
    Person,
)
from recognition.services import erasure, erasure_certificates, legal
from tests import fakes

pytestmark = pytest.mark.django_db

CONSENT = {"kind": "consent", "text_version": "2026-1", "how": "oral", "given_at": "2026-03-01T12:00:00"}


@pytest.fixture
def ada(db: None) -> Person:
    fakes.activated_pack()
    return fakes.person("Ada Lovelace", fakes.probe())


def as_role(client: Client, name: str) -> Client:
    client.force_login(fakes.in_role(name))
    return client


def address(name: str, *numbers: int) -> str:
    return reverse(f"admin:recognition_person_{name}", args=numbers)


def posted(client: Client, where: str, **fields: object) -> str:
    return client.post(where, fields, follow=True).content.decode()


class TestBasis:
    def test_is_recorded_and_withdrawn_on_the_page_of_the_person(self, client: Client, ada: Person) -> None:
        as_role(client, "enroller")
        assert "This site does not demand one." in client.get(address("change", ada.pk)).content.decode()
        page = posted(client, address("basis", ada.pk), **CONSENT)
        assert "The legal basis is recorded." in page
        assert "text 2026-1" in page
        basis = LegalBasis.objects.get()
        withdraw = address("withdraw_basis", ada.pk)
        assert "The basis is withdrawn from now on." in posted(client, withdraw, basis=basis.pk)
        assert "withdrawn already" in posted(client, withdraw, basis=basis.pk)
        for wrong in ("", "x", "99999"):
            assert "not there any more" in posted(client, withdraw, basis=wrong)

    @pytest.mark.parametrize("change", [{"kind": "x"}, {"given_at": "yesterday"}, {"text_version": ""}, {"how": "x"}])
    def test_that_is_none_is_refused_with_the_reason(self, client: Client, ada: Person, change: dict[str, str]) -> None:
        assert "Nothing is recorded." in posted(
            as_role(client, "enroller"), address("basis", ada.pk), **CONSENT | change
        )
        assert not LegalBasis.objects.exists()

    def test_people_without_are_listed(self, client: Client, ada: Person) -> None:
        bob = fakes.person("Bob")
        posted(as_role(client, "enroller"), address("basis", bob.pk), **CONSENT)
        listed = client.get(reverse("admin:recognition_person_changelist") + "?basis=missing").context["cl"].queryset
        assert list(listed) == [ada]


class TestBasisOfMany:
    LIST = "admin:recognition_person_changelist"

    def test_is_asked_for_and_recorded_for_each(self, client: Client, ada: Person) -> None:
        bob, _ = fakes.person("Bob"), fakes.person("Eve")
        as_role(client, "enroller")
        chosen = {"action": "record_basis", "_selected_action": [ada.pk, bob.pk]}
        asked = posted(client, reverse(self.LIST), **chosen)
        assert "for each of 2 people" in asked
        assert not LegalBasis.objects.exists()
        page = posted(client, reverse(self.LIST), **chosen, **CONSENT, record="1")
        assert "recorded for 2 people" in page
        assert set(LegalBasis.objects.values_list("person", "text_version")) == {(ada.pk, "2026-1"), (bob.pk, "2026-1")}
        subjects = AuditEntry.objects.filter(action="legal_basis.recorded").values_list("subject", flat=True)
        assert set(subjects) == {f"person:{ada.pk}", f"person:{bob.pk}"}

    def test_reaches_everybody_of_the_list_where_all_are_chosen(self, client: Client, ada: Person) -> None:
        fakes.person("Bob")
        as_role(client, "enroller")
        chosen = {"action": "record_basis", "_selected_action": [ada.pk], "select_across": "1"}
        asked = posted(client, reverse(self.LIST), **chosen)
        assert 'name="select_across" value="1"' in asked
        posted(client, reverse(self.LIST), **chosen, **CONSENT, record="1")
        assert LegalBasis.objects.count() == 2

    @pytest.mark.parametrize("change", [{"kind": "x"}, {"given_at": "3000-01-01T00:00:00"}, {"text_version": ""}])
    def test_that_is_none_is_asked_for_again(self, client: Client, ada: Person, change: dict[str, str]) -> None:
        chosen = {"action": "record_basis", "_selected_action": [ada.pk], "record": "1"}
        page = posted(as_role(client, "enroller"), reverse(self.LIST), **chosen, **CONSENT | change)
        assert "Record it" in page
        assert "errorlist" in page or "faceweb-error" in page
        assert not LegalBasis.objects.exists()

    def test_is_not_for_others(self, client: Client, ada: Person) -> None:
        chosen = {"action": "record_basis", "_selected_action": [ada.pk], "record": "1"}
        posted(as_role(client, "administrator"), reverse(self.LIST), **chosen, **CONSENT)
        assert not LegalBasis.objects.exists()


class TestErasure:
    def test_leads_to_the_certificate_that_is_downloaded(self, client: Client, ada: Person) -> None:
        as_role(client, "administrator")
        page = posted(client, address("erase", ada.pk), reason="requested", understood="on")
        number = ErasureCertificate.objects.get().pk
        assert f"Certificate {number} lists what was deleted." in page
        assert "Ada Lovelace" not in page
        answer = client.get(reverse("admin:recognition_erasurecertificate_json", args=[number]))
        assert answer["Content-Disposition"] == f'attachment; filename="erasure-{number}.json"'
        assert "no-store" in answer["Cache-Control"]
        assert erasure_certificates.is_genuine(answer.json())
        assert client.get(reverse("admin:recognition_erasurecertificate_json", args=[number + 1])).status_code == 404

    def test_is_certified_as_pdf_too(self, client: Client, ada: Person) -> None:
        asked = erasure.request(person=ada, reason=ErasureReason.REQUESTED, actor=None, now=fakes.NOW)
        answer = as_role(client, "auditor").get(
            reverse("admin:recognition_erasurecertificate_pdf", args=[asked.certificate_id])
        )
        assert answer["Content-Type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF-")
        assert len(answer.content) > 1000

    @pytest.mark.parametrize("fields", [{}, {"reason": "requested"}, {"reason": "x", "understood": "on"}])
    def test_is_refused_without_reason_and_confirmation(
        self, client: Client, ada: Person, fields: dict[str, str]
    ) -> None:
        assert "Nothing is erased" in posted(as_role(client, "administrator"), address("erase", ada.pk), **fields)
        assert Person.objects.filter(pk=ada.pk).exists()

    def test_waits_for_a_hold_in_a_queue_that_says_so(self, client: Client, ada: Person) -> None:
        as_role(client, "administrator")
        assert "Give a reason" in posted(client, address("hold", ada.pk))
        assert "The hold is placed" in posted(client, address("hold", ada.pk), reason="a lawsuit")
        page = posted(client, address("erase", ada.pk), reason="requested", understood="on")
        assert "the erasure waits until it is lifted" in page
        queue = client.get(reverse("admin:recognition_erasurerequest_changelist")).content.decode()
        assert "waits for a legal hold" in queue
        assert "a lawsuit" in queue
        lift = address("lift_hold", ada.pk)
        assert "not there any more" in posted(client, lift, hold="x")
        page = posted(client, lift, hold=LegalHold.objects.get().pk)
        assert "The hold is lifted." in page
        assert "What was deleted" in page
        queue = client.get(reverse("admin:recognition_erasurerequest_changelist")).content.decode()
        assert "erased" in queue
        assert not Person.objects.exists()

    def test_keeps_the_samples_and_says_so(self, client: Client, ada: Person) -> None:
        legal.place_hold(person=ada, reason="a lawsuit", actor=None)
        as_role(client, "enroller")
        sample = ada.samples.get()
        page = posted(client, reverse("admin:recognition_facesample_delete", args=[sample.pk]), post="yes")
        assert "It must be lifted first." in page
        fields = {"action": "delete_selected", "_selected_action": [sample.pk], "post": "yes"}
        assert "It must be lifted first." in posted(
            client, reverse("admin:recognition_facesample_changelist"), **fields
        )
        assert "It must be lifted first." in posted(client, address("photos", ada.pk))
        assert client.post(address("guided_retake", ada.pk), {"pose": "front"}).status_code == 403
        assert ada.samples.get() == sample
        assert Person.objects.get().keeps_photos

    def test_deleting_in_the_list_and_on_the_page_erases(self, client: Client, ada: Person) -> None:
        as_role(client, "administrator")
        page = posted(client, address("delete", ada.pk), post="yes")
        assert "Ada Lovelace" not in page
        bob, eve = fakes.person("Bob"), fakes.person("Eve")
        legal.place_hold(person=eve, reason="a lawsuit", actor=None)
        fields = {"action": "delete_selected", "_selected_action": [bob.pk, eve.pk], "post": "yes"}
        posted(client, reverse("admin:recognition_person_changelist"), **fields)
        assert list(Person.objects.all()) == [eve]
        states = ErasureRequest.objects.order_by("pk").values_list("state", "reason")
        assert list(states) == [("done", "deleted"), ("done", "deleted"), ("waiting_for_hold", "deleted")]

    def test_the_event_says_that_somebody_was_erased(self, client: Client, ada: Person) -> None:
        event = fakes.event(
            person=ada,
            best_person=ada,
            similarity=0.9,
            thresholds={"identification_threshold": 0.5, "margin": 0.05, "votes_needed": 3, "votes_of": 5},
        )
        erasure.request(person=ada, reason=ErasureReason.REQUESTED, actor=None, now=fakes.NOW)
        page = as_role(client, "auditor").get(reverse("admin:recognition_recognitionevent_change", args=[event.pk]))
        assert f"certificate {ErasureCertificate.objects.get().pk}" in page.content.decode()
