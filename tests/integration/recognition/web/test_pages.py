"""The pages: who may open them, and what their headers promise."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import html

from recognition.models import FaceSample, Person, SampleImage
from tests import fakes

pytestmark = pytest.mark.django_db

JPEG = b"\xff\xd8\xff\xe0 as much of a JPEG as a view looks at"


def client_of(*permissions: str) -> Client:
    """A browser of a user who was given these permissions and no other."""
    user = User.objects.create_user("guard", password="a quiet night")
    for permission in permissions:
        app_label, codename = permission.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app_label, codename=codename))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def sample() -> FaceSample:
    person = Person.objects.create(name="Ada Lovelace")
    sample = FaceSample.objects.create(
        person=person, source=FaceSample.Source.UPLOAD, quality={}, image_sha256="0" * 64
    )
    SampleImage.objects.create(sample=sample, jpeg=JPEG)
    return sample


ADDRESSES = [
    ("/live/", "recognition.use_live"),
    ("/search/", "recognition.search_gallery"),
    ("/samples/1/image/", "recognition.view_facesample"),
    ("/events/1/crop/", "recognition.view_recognitionevent"),
]


@pytest.mark.parametrize(("address", "permission"), ADDRESSES)
def test_sends_strangers_to_the_login(address: str, permission: str) -> None:
    response = Client().get(address)
    assert response.status_code == 302
    assert response["Location"] == f"/accounts/login/?next={address}"


@pytest.mark.parametrize(("address", "permission"), ADDRESSES)
def test_names_the_permission_that_is_missing(address: str, permission: str) -> None:
    others = [other for _, other in ADDRESSES if other != permission]
    response = client_of(*others).get(address)
    assert response.status_code == 403
    label = Permission.objects.get(codename=permission.split(".")[1]).name
    shown = response.content.decode()
    assert html.escape(label) in shown
    assert permission in shown


@pytest.mark.parametrize(("address", "permission"), ADDRESSES[:2])
def test_opens_with_the_permission_alone(address: str, permission: str) -> None:
    assert client_of(permission).get(address).status_code == 200


@pytest.mark.parametrize("address", ["/live/", "/search/", "/accounts/login/", "/nothing/"])
def test_pages_carry_no_inline_script_or_style(address: str) -> None:
    client = Client() if "login" in address else client_of("recognition.use_live", "recognition.search_gallery")
    response = client.get(address)
    shown = response.content.decode()
    assert re.search(r"<style|\sstyle=|\son\w+=|javascript:", shown) is None
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", shown))
    policy = response["Content-Security-Policy"]
    assert "script-src 'self';" in policy + ";"
    assert "style-src 'self';" in policy + ";"
    assert "unsafe" not in policy


@pytest.mark.parametrize("address", ["/live/", "/search/"])
def test_pages_are_not_kept_by_the_browser(address: str) -> None:
    response = client_of("recognition.use_live", "recognition.search_gallery").get(address)
    assert "no-store" in response["Cache-Control"]


def test_offers_only_pages_that_the_user_may_open() -> None:
    shown = client_of("recognition.use_live").get("/live/").content.decode()
    assert 'href="/search/"' not in shown
    assert 'href="/admin/"' not in shown


def test_logs_out_by_post_only() -> None:
    client = client_of("recognition.use_live")
    assert client.get("/accounts/logout/").status_code == 405
    client.post("/accounts/logout/")
    assert client.get("/").status_code == 302


def test_logs_in_and_goes_where_the_user_wanted() -> None:
    client_of("recognition.search_gallery")
    response = Client().post(
        "/accounts/login/?next=/search/", {"username": "guard", "password": "a quiet night", "next": "/search/"}
    )
    assert response["Location"] == "/search/"


@pytest.mark.parametrize(
    ("roles", "page"),
    [
        (("operator",), "/live/"),
        (("enroller", "operator"), "/live/"),
        (("enroller",), "/"),
        (("auditor",), "/"),
        (("administrator",), "/"),
        ((), "/"),
    ],
)
def test_logs_in_and_goes_where_the_role_works(roles: tuple[str, ...], page: str) -> None:
    sent = {"username": fakes.in_role(*roles).username, "password": "known to everybody"}
    response = Client().post("/accounts/login/", sent)
    assert response["Location"] == page


@pytest.mark.parametrize(("permissions", "page"), [(["recognition.search_gallery"], "/search/"), ([], "/live/")])
def test_logs_in_and_goes_to_a_page_that_may_be_opened(permissions: list[str], page: str) -> None:
    client_of(*permissions)
    response = Client().post("/accounts/login/", {"username": "guard", "password": "a quiet night"})
    assert response["Location"] == page


def test_serves_a_sample_as_a_picture_that_nobody_keeps(sample: FaceSample) -> None:
    response = client_of("recognition.view_facesample").get(f"/samples/{sample.pk}/image/")
    assert response.content == JPEG
    assert response["Content-Type"] == "image/jpeg"
    assert response["Cache-Control"] == "no-store"
    assert response["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("address", ["/samples/999999/image/", "/events/999999/crop/"])
def test_a_picture_that_is_not_there_is_not_found(address: str) -> None:
    client = client_of("recognition.view_facesample", "recognition.view_recognitionevent")
    response = client.get(address)
    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()


def test_the_live_page_shows_event_pictures_only_to_those_who_may_see_them() -> None:
    assert "data-crop-url" not in client_of("recognition.use_live").get("/live/").content.decode()
