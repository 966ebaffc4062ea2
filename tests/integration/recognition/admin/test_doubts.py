from __future__ import annotations

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from recognition.models import DistinctPair, FaceSample, Person
from recognition.services import analysis
from tests import faces, fakes

PHOTO = faces.jpeg(np.zeros((480, 640, 3), np.uint8))

pytestmark = pytest.mark.django_db


@pytest.fixture
def bob(monkeypatch: pytest.MonkeyPatch) -> Person:
    fakes.activated_pack()
    monkeypatch.setattr(analysis, "_analysers", [fakes.FakeAnalyser({PHOTO: (fakes.embedded(),)})])
    return fakes.person("Bob")


@pytest.fixture
def ada(bob: Person) -> Person:
    return fakes.person("Ada", fakes.probe())


@pytest.fixture
def enroller(client: Client) -> Client:
    client.force_login(fakes.in_role("enroller"))
    return client


def uploaded(enroller: Client, bob: Person) -> str:
    file = SimpleUploadedFile("bob.jpg", PHOTO, "image/jpeg")
    return enroller.post(reverse("admin:recognition_person_enrol", args=[bob.pk]), {"photos": file}).content.decode()


def sample_page(sample: FaceSample) -> str:
    return reverse("admin:recognition_facesample_change", args=[sample.pk])


def test_the_upload_says_that_it_is_set_aside_with_numbers_and_where_to_decide(
    enroller: Client, bob: Person, ada: Person
) -> None:
    page = uploaded(enroller, bob)
    assert "The face is like Ada, more than like Bob: similarity 1.000, doubtful from 0.500." in page
    assert 'class="is-set-aside"' in page
    assert f'href="{sample_page(bob.samples.get())}"' in page


def test_the_samples_page_shows_both_and_the_answers(enroller: Client, bob: Person, ada: Person) -> None:
    uploaded(enroller, bob)
    sample = bob.samples.get()
    page = enroller.get(sample_page(sample)).content.decode()
    assert "Set aside: is this right?" in page
    for shown in (sample, ada.samples.get()):
        assert reverse("sample-image", args=[shown.pk]) in page
    assert "Really two people" in page
    assert "Use it anyway" in page


def test_really_two_people_is_remembered_and_the_sample_is_searched(enroller: Client, bob: Person, ada: Person) -> None:
    uploaded(enroller, bob)
    sample = bob.samples.get()
    address = reverse("admin:recognition_facesample_tell_apart", args=[sample.pk])
    page = enroller.post(address, {"other": ada.pk}, follow=True).content.decode()
    assert "Bob and Ada are remembered as two people. 1 sample is searched again." in page
    assert "What was answered" in page
    assert DistinctPair.objects.count() == 1
    sample.refresh_from_db()
    assert sample.status == "active"


@pytest.mark.parametrize("other", ["", "x", "0", "99999"])
def test_nobody_is_told_apart_from_nobody(enroller: Client, bob: Person, ada: Person, other: str) -> None:
    uploaded(enroller, bob)
    address = reverse("admin:recognition_facesample_tell_apart", args=[bob.samples.get().pk])
    assert "no longer enrolled" in enroller.post(address, {"other": other}, follow=True).content.decode()
    assert not DistinctPair.objects.exists()


def test_it_is_used_anyway(enroller: Client, bob: Person, ada: Person) -> None:
    uploaded(enroller, bob)
    sample = bob.samples.get()
    address = reverse("admin:recognition_facesample_use_anyway", args=[sample.pk])
    assert "searched from now on" in enroller.post(address, follow=True).content.decode()
    sample.refresh_from_db()
    assert sample.status == "active"


def test_a_doubt_about_somebody_who_is_gone_is_still_readable(enroller: Client, bob: Person, ada: Person) -> None:
    uploaded(enroller, bob)
    ada.delete()
    page = enroller.get(sample_page(bob.samples.get())).content.decode()
    assert "The face is like somebody else, more than like Bob" in page
    assert "Really two people" not in page


def test_who_may_not_see_people_reads_no_name(client: Client, enroller: Client, bob: Person, ada: Person) -> None:
    uploaded(enroller, bob)
    client.force_login(user := fakes.user("view_facesample"))
    user.is_staff = True
    user.save()
    page = client.get(sample_page(bob.samples.get())).content.decode()
    assert "The face is like somebody else" in page
    assert "Ada" not in page


def test_the_list_finds_them_by_their_doubt(enroller: Client, bob: Person, ada: Person) -> None:
    uploaded(enroller, bob)
    address = reverse("admin:recognition_facesample_changelist")
    assert enroller.get(address, {"doubt": "identity_conflict"}).context["cl"].result_count == 1
    assert enroller.get(address, {"doubt": "own_outlier"}).context["cl"].result_count == 0


def test_the_overview_counts_them(enroller: Client, bob: Person, ada: Person) -> None:
    assert "is doubtful" not in enroller.get(reverse("admin:index")).content.decode()
    uploaded(enroller, bob)
    assert "1 face sample is doubtful and set aside" in enroller.get(reverse("admin:index")).content.decode()


def test_a_pair_told_apart_is_listed_and_forgotten(enroller: Client, bob: Person, ada: Person) -> None:
    pair = DistinctPair.objects.create(first=bob, second=ada)
    address = reverse("admin:recognition_distinctpair_changelist")
    assert "Bob · Ada" in enroller.get(address).content.decode()
    enroller.post(address, {"action": "take_for_one_again", "_selected_action": [pair.pk]})
    assert not DistinctPair.objects.exists()
