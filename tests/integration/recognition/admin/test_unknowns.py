"""The pages of unknown people: who is shown, what is asked for, and what is said of it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from recognition.models import FaceSample, Job, ModelPack, Person, UnknownCluster, UnknownFace, UnknownMove
from recognition.selectors import packs
from recognition.services import analysis, unknowns
from tests import fakes

pytestmark = pytest.mark.django_db

LIST = "/admin/recognition/unknowncluster/"


@pytest.fixture(autouse=True)
def pack(monkeypatch: pytest.MonkeyPatch) -> ModelPack:
    face = fakes.embedded(where=fakes.box(x=43, y=43))
    monkeypatch.setattr(analysis, "_analysers", [fakes.FakeAnalyser({b"a crop": (face,)})])
    return fakes.activated_pack()


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(fakes.in_role("enroller"))
    return client


def grouped(*axes: int) -> list[UnknownCluster]:
    """The groups of faces that were seen, in the order of their first face."""
    events = [fakes.unknown_face(axis) for axis in axes]
    unknowns.group(pack=packs.active(), threshold=0.5)
    found = [UnknownFace.objects.get(pk=event.pk).cluster for event in events]
    return list(dict.fromkeys(each for each in found if each is not None))


def said(client: Client, where: str) -> str:
    response = client.get(where)
    assert response.status_code == 200
    return response.content.decode()


def done(client: Client, cluster: UnknownCluster, act: str, **fields: object) -> str:
    """The page that a button leads to."""
    address = reverse(f"admin:recognition_unknowncluster_{act}", args=[cluster.pk])
    response = client.post(address, fields, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def test_before_anything_was_grouped_the_page_says_what_it_is_for(staff: Client) -> None:
    shown = said(staff, LIST)
    assert "Nothing is grouped yet. Vectors of strangers are made only when somebody asks for it" in shown
    assert "Group the faces now" in shown


def test_faces_of_videos_are_not_said_to_be_of_the_live_page(staff: Client) -> None:
    fakes.unknown_face(1, reasons=fakes.FROM_VIDEO)
    fakes.unknown_face(1)
    unknowns.group(pack=packs.active(), threshold=0.5)
    cluster = UnknownCluster.objects.get()
    for address in (LIST, reverse("admin:recognition_unknowncluster_change", args=[cluster.pk])):
        assert "live page, video" in said(staff, address)


def test_the_job_is_asked_for_once(staff: Client) -> None:
    address = reverse("admin:recognition_unknowncluster_group")
    assert "Faces are being grouped." in staff.post(address, follow=True).content.decode()
    assert "Such a job waits or runs already" in staff.post(address, follow=True).content.decode()
    job = Job.objects.get()
    assert job.kind == Job.Kind.UNKNOWNS
    assert "Unknown people: who they are" in said(staff, reverse("admin:recognition_job_change", args=[job.pk]))


def test_those_who_only_look_are_told_so(client: Client) -> None:
    client.force_login(fakes.in_role("auditor"))
    assert "You may not ask for it; an enroller may." in said(client, LIST)
    (cluster,) = grouped(1, 1)
    shown = said(client, f"{LIST}{cluster.pk}/change/")
    assert "To decide on them is for enrollers." in shown
    for hidden in ("Somebody new", ": split", "Not a person of interest</button>", 'type="checkbox"'):
        assert hidden not in shown


def test_each_state_has_a_list_of_its_own(staff: Client) -> None:
    one, other = grouped(1, 1, 2)
    assert "Seen 2 times" in said(staff, LIST)
    assert "put here too" in done(staff, other, "ignore")
    assert f"Unknown person {other.pk}" not in said(staff, LIST)
    assert f"Unknown person {other.pk}" in said(staff, f"{LIST}?state=ignored")
    assert "Nobody is here." in said(staff, f"{LIST}?state=assigned")
    assert f"Unknown person {one.pk}" in said(staff, f"{LIST}?state=nonsense&page=99")


def test_somebody_is_made_and_it_is_undone(staff: Client) -> None:
    (cluster,) = grouped(1)
    shown = done(staff, cluster, "create", name="Grace")
    assert "Grace is a person now. 1 face is enrolled." in shown
    assert "made a person" in shown
    move = UnknownMove.objects.get()
    assert "It is undone." in done(staff, cluster, "undo", move=move.pk)
    assert not Person.objects.exists()
    assert "undone already" in done(staff, cluster, "undo", move=move.pk)


def test_a_face_that_is_set_aside_is_not_called_enrolled(staff: Client) -> None:
    (cluster,) = grouped(1, 1)
    assert "1 face is enrolled" in done(staff, cluster, "create", name="Grace")
    sample = FaceSample.objects.get()
    link = f'<a class="faceweb-link" href="/admin/recognition/person/{sample.person_id}/change/">Grace</a>'
    address = f"{LIST}{cluster.pk}/change/"
    assert f"enrolled: {link}" in said(staff, address)
    FaceSample.objects.update(status=FaceSample.Status.SET_ASIDE)
    shown = said(staff, address)
    assert f"set aside: {link}" in shown
    assert "enrolled: " not in shown


def test_who_it_may_be_is_shown_with_the_similarity(staff: Client) -> None:
    fakes.person("Bo", fakes.like_probe(0.8, axis=1))
    (cluster,) = grouped(1, 1)
    shown = said(staff, f"{LIST}{cluster.pk}/change/")
    assert "a search names somebody from 0.500" in shown
    assert "This is Bo" in shown
    assert "similarity 0.600" in shown
    assert "Perhaps the same person" not in shown
    done(staff, cluster, "split", faces=[UnknownFace.objects.earliest("pk").pk])
    assert "Perhaps the same person" in said(staff, f"{LIST}{cluster.pk}/change/")


def test_people_are_found_and_assigned(staff: Client) -> None:
    ada = fakes.person("Ada")
    (cluster,) = grouped(1)
    assert "This is Ada" in said(staff, f"{LIST}{cluster.pk}/change/?q=ad")
    assert "Nobody is called “zz”." in said(staff, f"{LIST}{cluster.pk}/change/?q=zz")
    assert "Choose one of the people" in done(staff, cluster, "assign", person="nobody")
    assert "This is Ada. 1 face is enrolled." in done(staff, cluster, "assign", person=ada.pk)


def test_why_no_face_is_enrolled_is_said(staff: Client) -> None:
    ada = fakes.person("Ada")
    blurred = fakes.quality(sharpness=1.0).as_json()
    UnknownFace.objects.all().delete()
    event = fakes.unknown_face(1, quality=blurred)
    unknowns.group(pack=packs.active(), threshold=0.5)
    cluster = UnknownFace.objects.get(pk=event.pk).cluster
    assert cluster is not None
    shown = done(staff, cluster, "create", name="Grace")
    assert "None of the faces can be enrolled: The face is blurred" in shown
    shown = done(staff, cluster, "assign", person=ada.pk)
    assert "This is Ada. 0 faces are enrolled. The face is blurred" in shown


def test_without_a_worker_nothing_is_changed_and_the_reason_is_said(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analysis, "_analysers", [])
    (cluster,) = grouped(1)
    assert "No recognition worker is running." in done(staff, cluster, "create", name="Grace")
    assert not Person.objects.exists()


def test_split_and_merge(staff: Client) -> None:
    (cluster,) = grouped(1, 1)
    first = UnknownFace.objects.earliest("pk").pk
    assert "some of the faces, and not all" in done(staff, cluster, "split")
    assert "an unknown person of their own now" in done(staff, cluster, "split", faces=[first])
    both = list(UnknownCluster.objects.values_list("pk", flat=True))
    address = reverse("admin:recognition_unknowncluster_merge")
    assert "two or more" in staff.post(address, {"clusters": both[:1]}, follow=True).content.decode()
    assert "They are one now." in staff.post(address, {"clusters": both}, follow=True).content.decode()
    assert "No face is left here" in said(staff, f"{LIST}{both[1]}/change/")


def test_numbers_that_are_none_are_refused(staff: Client) -> None:
    (cluster,) = grouped(1)
    for number in ("x", "9" * 30, "-1"):
        address = reverse("admin:recognition_unknowncluster_undo", args=[cluster.pk])
        assert staff.post(address, {"move": number}).status_code == 404
        assert "some of the faces" in done(staff, cluster, "split", faces=[number])


def test_a_role_of_ones_own_may_group_and_not_enrol(client: Client) -> None:
    account = fakes.user("view_unknowncluster", "change_unknowncluster")
    account.is_staff = True
    account.save()
    client.force_login(account)
    (cluster,) = grouped(1)
    assert "Somebody new" not in said(client, f"{LIST}{cluster.pk}/change/")
    for act in ("assign", "create"):
        address = reverse(f"admin:recognition_unknowncluster_{act}", args=[cluster.pk])
        assert client.post(address, {"name": "Grace"}).status_code == 403


def test_the_picture_of_any_other_event_is_not_shown(staff: Client) -> None:
    other = fakes.unknown_event()
    grouped(1)
    face = UnknownFace.objects.get().pk
    picture = staff.get(reverse("unknown-face", args=[face]))
    assert (picture.content, picture.headers["Cache-Control"]) == (b"a crop", "no-store")
    assert staff.get(reverse("unknown-face", args=[other.pk])).status_code == 404
