from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from recognition.models import FaceSample, ModelPack, Person, PersonMove, RecognitionEvent, SampleImage, WaitingPhoto
from recognition.services import merging, people
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
        assert enroller.get(address("merge", bob.pk)).status_code == 404

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

    def test_are_kept_again(self, enroller: Client, ada: Person) -> None:
        people.set_keeps_photos(person=ada, keeps=False, actor=None)
        page = enroller.post(address("photos", ada.pk), {"keep": "1"}, follow=True).content.decode()
        assert "Photos that come from now on are kept." in page
        ada.refresh_from_db()
        assert ada.keeps_photos
