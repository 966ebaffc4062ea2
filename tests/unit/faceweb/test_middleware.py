from __future__ import annotations

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def directives(client: Client, path: str) -> dict[str, list[str]]:
    policy = client.get(path).headers["Content-Security-Policy"]
    return {name: values for name, *values in (part.split() for part in policy.split(";"))}


def test_our_own_pages_allow_no_inline_script_style_or_frame(client: Client) -> None:
    policy = directives(client, "/accounts/login/")
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == ["'self'"]
    assert policy["style-src"] == ["'self'"]
    assert policy["connect-src"] == ["'self'"]
    assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == ["'none'"]
    assert not any("unsafe" in value for values in policy.values() for value in values)


def test_only_the_admin_allows_what_its_look_needs(client: Client) -> None:
    policy = directives(client, "/admin/login/")
    assert policy["script-src"] == ["'self'", "'unsafe-eval'"]
    assert policy["style-src"] == ["'self'", "'unsafe-inline'"]
    assert policy["frame-ancestors"] == ["'none'"]


def test_the_dashboard_is_a_page_of_the_admin_and_the_live_page_is_not(admin_client: Client) -> None:
    assert "'unsafe-eval'" in directives(admin_client, "/")["script-src"]
    assert directives(admin_client, "/live/")["script-src"] == ["'self'"]


def test_an_address_that_only_resembles_the_admins_stays_strict(client: Client) -> None:
    assert directives(client, "/administration/")["script-src"] == ["'self'"]
