from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

pytestmark = pytest.mark.django_db


def test_everything_else_asks_for_a_login(client: Client) -> None:
    response = client.get("/")
    assert response.status_code == 302
    assert response.headers["Location"] == "/accounts/login/?next=/"


def test_the_texts_of_the_scripts_and_the_language_choice_are_open_to_all(client: Client) -> None:
    assert client.get("/i18n/catalog.js").headers["Content-Type"].startswith("text/javascript")
    assert client.post("/i18n/setlang/", {"language": "en", "next": "/healthz"}).headers["Location"] == "/healthz"


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(client: Client) -> None:
    User.objects.create_user("somebody", password="a password")
    response = client.post("/accounts/login/", {"username": "somebody", "password": "a password"})
    cookie = response.cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_logging_out_leads_to_the_login_page(client: Client) -> None:
    client.force_login(User.objects.create_user("somebody"))
    assert client.post("/accounts/logout/").headers["Location"] == "/accounts/login/"
