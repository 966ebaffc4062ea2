from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from recognition.admin import person_history, person_samples
from recognition.models import (
    AuditAction,
    DenyListEntry,
    FaceSample,
    ModelPack,
    Person,
    PersonMove,
    RecognitionEvent,
    SampleImage,
    WaitingPhoto,
)
from recognition.services import audit, doubts, merging, people
from tests import fakes

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(db: None) -> Person:
    fakes.activated_pack()
    return fakes.person("Ada", fakes.probe(), fakes.like_probe(0.9))


@pytest.fixture
def bob(ada: Person) -> Person:
    return fakes.person("Bob", fakes.like_probe(0.7, axis=3))


@pytest.fixture
def enroller(client: Client) -> Client:
    client.force_login(fakes.in_role("enroller"))
    return client


def address(name: str, *numbers: int) -> str:
    return reverse(f"admin:recognition_person_{name}", args=numbers)


def text_at(client: Client, where: str) -> str:
    return client.get(where).content.decode()


def seen(person: Person) -> RecognitionEvent:
    pack = ModelPack.objects.get()
    now = timezone.now()
    return RecognitionEvent.objects.create(
        decision="accept", person=person, policy=pack.policies.get(), pack=pack, started_at=now, decided_at=now
    )


class TestGlance:
    def test_somebody_new_was_never_recognised_and_has_no_view(self, enroller: Client, ada: Person) -> None:
        page = text_at(enroller, address("change", fakes.person("New").pk))
        assert "never recognised" in page
        assert page.count("is-missing") == 8

    def test_the_last_event_counts_also_of_who_was_merged(self, enroller: Client, ada: Person, bob: Person) -> None:
        event = seen(bob)
        assert "never recognised" in text_at(enroller, address("change", ada.pk))
        merging.merge(keep=ada, gone=bob, actor=None)
        page = text_at(enroller, address("change", ada.pk))
        assert "never recognised" not in page
        enroller.force_login(User.objects.create_superuser("chief"))
        event_page = reverse("admin:recognition_recognitionevent_change", args=[event.pk])
        assert f'href="{event_page}"' in text_at(enroller, address("change", ada.pk))

    def test_history_is_for_who_may_read_the_audit_trail(self, client: Client, enroller: Client, ada: Person) -> None:
        people.set_pin(person=ada, pin="1234", actor=None)
        assert "PIN set" not in text_at(enroller, address("change", ada.pk))
        client.force_login(fakes.in_role("auditor"))
        assert "PIN set" in text_at(client, address("change", ada.pk))


class TestMerge:
    def test_finds_the_other_by_part_of_the_name_or_by_id(self, enroller: Client, ada: Person, bob: Person) -> None:
        Person.objects.filter(pk=bob.pk).update(external_id="B-7")
        for query in ("bo", "B-7"):
            page = text_at(enroller, f"{address('merge', ada.pk)}?q={query}")
            assert f'href="?other={bob.pk}"' in page
        assert "Nobody else is called zzz" in text_at(enroller, f"{address('merge', ada.pk)}?q=zzz")

    def test_shows_both_and_merges_into_the_chosen_one(self, enroller: Client, ada: Person, bob: Person) -> None:
        where = f"{address('merge', ada.pk)}?other={bob.pk}"
        assert "Who stays?" in text_at(enroller, where)
        response = enroller.post(where, {"other": bob.pk, "keep": bob.pk}, follow=True)
        assert response.redirect_chain == [(address("change", bob.pk), 302)]
        page = response.content.decode()
        assert "Ada is merged into Bob" in page
        assert address("undo", bob.pk, PersonMove.objects.get().pk) in page
        assert bob.samples.count() == 3

    @pytest.mark.parametrize("other", ["x", "0", "99999"])
    def test_says_so_where_there_is_no_other(self, enroller: Client, ada: Person, other: str) -> None:
        assert "no longer enrolled" in text_at(enroller, f"{address('merge', ada.pk)}?other={other}")

    def test_is_not_with_oneself(self, enroller: Client, ada: Person) -> None:
        where = f"{address('merge', ada.pk)}?other={ada.pk}"
        assert "That is the same person" in text_at(enroller, where)
        page = enroller.post(where, {"other": ada.pk}, follow=True).content.decode()
        assert "That is one person already" in page

    def test_who_was_merged_is_listed_no_more_and_their_page_leads_on(
        self, enroller: Client, ada: Person, bob: Person
    ) -> None:
        merging.merge(keep=ada, gone=bob, actor=None)
        listed = enroller.get(reverse("admin:recognition_person_changelist")).context["cl"].queryset
        assert list(listed) == [ada]
        response = enroller.get(address("change", bob.pk), follow=True)
        assert response.redirect_chain == [(address("change", ada.pk), 302)]

    @pytest.mark.parametrize(
        "name", ["change", "delete", "history", "enrol", "guided", "pin", "merge", "split", "photos"]
    )
    def test_no_page_of_who_was_merged_opens(self, name: str, client: Client, ada: Person, bob: Person) -> None:
        merging.merge(keep=ada, gone=bob, actor=None)
        client.force_login(User.objects.create_superuser("chief"))
        response = client.get(address(name, bob.pk), follow=True)
        assert response.redirect_chain == [(address("change", ada.pk), 302)]
        assert "That row was merged into this person." in response.content.decode()

    @pytest.mark.parametrize(
        ("name", "fields"),
        [
            ("pin", {"pin": "1234", "again": "1234"}),
            ("photos", {"keep": "0"}),
            ("deny", {"reason": "a test"}),
            ("readmit", {}),
            ("set_inactive", {}),
            ("enrol", {}),
            ("split", {"name": "Eve"}),
            ("merge", {"other": "1"}),
        ],
    )
    def test_nothing_is_done_to_who_was_merged(
        self, name: str, fields: dict[str, str], client: Client, ada: Person, bob: Person
    ) -> None:
        merging.merge(keep=ada, gone=bob, actor=None)
        client.force_login(User.objects.create_superuser("chief"))
        before = (*Person.objects.order_by("pk").values(),)
        page = client.post(address(name, bob.pk), fields, follow=True).content.decode()
        assert "That row was merged into this person. Nothing was changed." in page
        assert (*Person.objects.order_by("pk").values(),) == before
        assert not DenyListEntry.objects.exists()

    def test_a_photo_that_waits_is_chosen_from_for_whom_they_are_now(
        self, enroller: Client, ada: Person, bob: Person
    ) -> None:
        photo = fakes.waiting_photo(bob, fakes.user())
        merging.merge(keep=ada, gone=bob, actor=None)
        choose = address("choose", bob.pk, photo.pk)
        assert choose in text_at(enroller, address("enrol", ada.pk))
        assert "Click the face of Ada" in text_at(enroller, choose)
        assert enroller.post(choose, {"discard": "1"})["Location"] == address("enrol", ada.pk)

    def test_is_undone_by_its_button_once(self, enroller: Client, ada: Person, bob: Person) -> None:
        move = merging.merge(keep=ada, gone=bob, actor=None)
        undo = address("undo", ada.pk, move.pk)
        page = enroller.post(undo, follow=True).content.decode()
        assert "It is undone. 1 sample went back." in page
        assert "That was undone already." in enroller.post(undo, follow=True).content.decode()
        assert bob.samples.count() == 1


class TestSplit:
    def test_makes_a_person_of_the_ticked_samples(self, enroller: Client, ada: Person) -> None:
        sample = ada.samples.latest("pk")
        page = enroller.post(address("split", ada.pk), {"samples": [sample.pk], "name": "Eve"}, follow=True)
        assert "Eve is a person of their own now" in page.content.decode()
        sample.refresh_from_db()
        assert sample.person.name == "Eve"

    def test_keeps_what_was_typed_where_it_is_refused(self, enroller: Client, ada: Person) -> None:
        page = enroller.post(address("split", ada.pk), {"name": "Eve"}).content.decode()
        assert "Choose some of the samples" in page
        assert 'value="Eve"' in page

    def test_gives_the_new_person_an_id_of_their_own(self, enroller: Client, ada: Person, bob: Person) -> None:
        Person.objects.filter(pk=bob.pk).update(external_id="B-7")
        sample = ada.samples.latest("pk")
        fields = {"samples": [sample.pk], "name": "Eve", "external_id": "B-7"}
        page = enroller.post(address("split", ada.pk), fields).content.decode()
        assert "Somebody has the external id B-7 already." in page
        assert 'value="B-7"' in page
        assert f'value="{sample.pk}" checked' in page
        enroller.post(address("split", ada.pk), {**fields, "external_id": " E-1 "})
        assert Person.objects.get(name="Eve").external_id == "E-1"

    def test_says_so_where_there_is_nothing_to_split(self, enroller: Client, bob: Person) -> None:
        assert "nothing to split" in text_at(enroller, address("split", bob.pk))


class TestPhotos:
    def test_are_deleted_and_no_more_are_kept(self, enroller: Client, ada: Person) -> None:
        for sample in ada.samples.all():
            SampleImage.objects.get_or_create(sample=sample, defaults={"jpeg": b"a crop"})
        fakes.waiting_photo(ada, fakes.user())
        page = enroller.post(address("photos", ada.pk), {"keep": "0"}, follow=True).content.decode()
        assert "2 photos are removed" in page
        assert not SampleImage.objects.exists()
        assert not WaitingPhoto.objects.exists()
        assert FaceSample.objects.count() == 2
        drawn = enroller.get(reverse("sample-image", args=[ada.samples.earliest("pk").pk]))
        assert drawn["Content-Type"] == "image/svg+xml"
        assert "no-store" in drawn["Cache-Control"]

    def test_the_question_says_how_many_go(self, enroller: Client, ada: Person) -> None:
        assert "2 photos are deleted and cannot be brought back." in text_at(enroller, address("change", ada.pk))
        fakes.waiting_photo(ada, fakes.user())
        assert "1 upload that waits for a choice goes too." in text_at(enroller, address("change", ada.pk))
        SampleImage.objects.all().delete()
        assert "There is no photo to delete." in text_at(enroller, address("change", ada.pk))

    def test_of_a_row_that_was_merged_are_counted_and_deleted_too(
        self, enroller: Client, ada: Person, bob: Person
    ) -> None:
        FaceSample.objects.filter(person=bob).update(image_sha256=ada.samples.latest("pk").image_sha256)
        merging.merge(keep=ada, gone=bob, actor=None)
        assert bob.samples.count() == 1  # a file that both have stays behind
        assert "3 photos are deleted" in text_at(enroller, address("change", ada.pk))
        page = enroller.post(address("photos", ada.pk), {"keep": "0"}, follow=True).content.decode()
        assert "3 photos are removed" in page
        assert not SampleImage.objects.exists()

    def test_are_kept_again(self, enroller: Client, ada: Person) -> None:
        people.set_keeps_photos(person=ada, keeps=False, actor=None)
        page = enroller.post(address("photos", ada.pk), {"keep": "1"}, follow=True).content.decode()
        assert "Photos that come from now on are kept." in page
        ada.refresh_from_db()
        assert ada.keeps_photos


class TestSamples:
    def test_are_photos_with_quality_status_and_what_can_be_done(self, enroller: Client, ada: Person) -> None:
        first, second = ada.samples.order_by("pk")
        doubt = {"reason": "duplicate_sample", "similarity": 0.95, "limit": 0.93, "sample": first.pk, "person": ada.pk}
        FaceSample.objects.filter(pk=second.pk).update(status="set_aside", doubts=[doubt])
        quality = {**first.quality, "scores": {"UnifiedQualityScore": 74}}
        FaceSample.objects.filter(pk=first.pk).update(quality=quality)
        page = text_at(enroller, address("change", ada.pk))
        assert "Quality 74 of 100 · front, normal light" in page
        assert "Set aside: nearly the same picture again" in page
        for name, sample in (("set_aside", first), ("use_anyway", second), ("delete", first), ("delete", second)):
            assert reverse(f"admin:recognition_facesample_{name}", args=[sample.pk]) in page

    def test_the_searched_ones_come_first_then_the_newest(self, ada: Person) -> None:
        first, second = ada.samples.order_by("pk")
        assert [shown.id for shown in person_samples.of_person(ada)] == [second.pk, first.pk]
        people.set_sample_status(sample=second, status=FaceSample.Status.SET_ASIDE, actor=None)
        found = person_samples.of_person(ada)
        assert [(shown.id, shown.number, shown.is_searched) for shown in found] == [
            (first.pk, 1, True),
            (second.pk, 2, False),
        ]

    def test_one_that_was_never_measured_says_so(self, enroller: Client, ada: Person) -> None:
        FaceSample.objects.update(quality={})
        assert "Quality not measured" in text_at(enroller, address("change", ada.pk))

    def test_an_action_and_a_deletion_lead_back_to_the_person(self, enroller: Client, ada: Person) -> None:
        sample = ada.samples.latest("pk")
        page = f"{address('change', ada.pk)}#samples"
        aside = reverse("admin:recognition_facesample_set_aside", args=[sample.pk])
        assert enroller.post(aside, {"next": page})["Location"] == page
        use = reverse("admin:recognition_facesample_use_anyway", args=[sample.pk])
        assert enroller.post(use, {"next": page})["Location"] == page
        delete = reverse("admin:recognition_facesample_delete", args=[sample.pk])
        answer = enroller.post(f"{delete}?next={address('change', ada.pk)}%23samples", {"post": "yes"})
        assert answer["Location"] == page
        assert ada.samples.count() == 1

    def test_who_may_only_look_has_no_buttons(self, client: Client, ada: Person) -> None:
        client.force_login(fakes.in_role("auditor"))
        page = text_at(client, address("change", ada.pk))
        assert "faceweb-sample" in page
        assert "Set aside photo" not in page
        assert "Delete photo" not in page

    def test_somebody_whose_photos_are_all_set_aside_cannot_be_recognised(self, enroller: Client, ada: Person) -> None:
        FaceSample.objects.update(status="set_aside")
        assert "Every photo is set aside" in text_at(enroller, address("change", ada.pk))

    def test_many_are_folded(self, enroller: Client, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(person_samples, "SHOWN_AT_ONCE", 1)
        page = text_at(enroller, address("change", ada.pk))
        assert "Show all (2)" in page
        assert page.count('class="faceweb-sample"') == 2


class TestHistory:
    @pytest.fixture
    def auditor(self, client: Client) -> Client:
        client.force_login(fakes.in_role("auditor"))
        return client

    def test_comes_in_pages(self, auditor: Client, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(person_history, "ENTRIES_A_PAGE", 2)
        for _ in range(3):
            people.set_pin(person=ada, pin="1234", actor=None)
        page = text_at(auditor, address("change", ada.pk))
        assert "Page 1 of 2" in page
        assert '<details id="history">' in page
        older = text_at(auditor, f"{address('change', ada.pk)}?history=2")
        assert "Page 2 of 2" in older
        assert '<details id="history" open>' in older
        for odd in ("0", "99", "x", ""):
            assert auditor.get(f"{address('change', ada.pk)}?history={odd}").status_code == 200

    def test_leads_to_sample_event_and_the_other_person(self, ada: Person, bob: Person) -> None:
        chief = User.objects.create_superuser("chief")
        sample, event = ada.samples.latest("pk"), seen(ada)
        audit.record(
            action=AuditAction.SAMPLE_ADDED, actor=None, subject=sample, details={"person": ada.pk, "event": event.pk}
        )
        merging.merge(keep=ada, gone=bob, actor=chief)
        merged, added = person_history.read(ada, number=None, reader=chief).entries
        assert merged.ways == (person_history.Way("Bob", address("change", bob.pk)),)
        assert [way.address for way in added.ways] == [
            reverse("admin:recognition_facesample_change", args=[sample.pk]),
            reverse("admin:recognition_recognitionevent_change", args=[event.pk]),
        ]

    def test_leads_to_nothing_that_is_gone_or_that_the_reader_may_not_see(self, ada: Person) -> None:
        sample, event = ada.samples.latest("pk"), seen(ada)
        audit.record(
            action=AuditAction.SAMPLE_ADDED, actor=None, subject=sample, details={"person": ada.pk, "event": event.pk}
        )
        reader = fakes.user("view_person", "view_auditentry", "view_recognitionevent")
        (entry,) = person_history.read(ada, number=None, reader=reader).entries
        assert [way.label for way in entry.ways] == [f"event {event.pk}"]
        people.delete_sample(sample=sample, actor=None)
        RecognitionEvent.objects.all().delete()
        deleted, added = person_history.read(ada, number=None, reader=reader).entries
        assert (deleted.entry.action, deleted.ways, added.ways) == ("sample.deleted", (), ())

    def test_tells_of_the_pair_that_was_told_apart(self, ada: Person, bob: Person) -> None:
        doubts.tell_apart(person=ada, other=bob, actor=None)
        for person, other in ((ada, bob), (bob, ada)):
            (entry,) = person_history.read(person, number=None, reader=fakes.user()).entries
            assert [way.label for way in entry.ways] == [other.name]


def test_pairs_of_who_was_merged_are_listed_once(enroller: Client, ada: Person, bob: Person) -> None:
    eve = fakes.person("Eve")
    doubts.tell_apart(person=bob, other=eve, actor=None)
    merging.merge(keep=ada, gone=bob, actor=None)
    listed = enroller.get(reverse("admin:recognition_distinctpair_changelist")).context["cl"].queryset
    assert [(pair.first, pair.second) for pair in listed] == [(ada, eve)]
