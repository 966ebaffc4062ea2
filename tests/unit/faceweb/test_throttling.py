"""After five wrong passwords a name cannot log in from that address; elsewhere, and other names, still can."""

from __future__ import annotations

import datetime as dt
import logging

import pytest
from axes.models import AccessAttempt, AccessLog
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import Settings

from faceweb import throttling

pytestmark = pytest.mark.django_db

LOGIN = "/accounts/login/"
PAGES = [LOGIN, "/admin/login/"]
HERE, ELSEWHERE = "192.0.2.1", "192.0.2.2"
RIGHT, WRONG = "a quiet night", "a loud night"
LIMIT = 5


@pytest.fixture(autouse=True)
def guard() -> User:
    return User.objects.create_user("guard", password=RIGHT, is_staff=True)


def log_in(
    password: str, *, name: str = "guard", page: str = LOGIN, address: str = HERE, **headers: str
) -> HttpResponse:
    return Client().post(page, {"username": name, "password": password}, REMOTE_ADDR=address, **headers)  # type: ignore[arg-type,return-value]  # headers in WSGI's spelling


def fail(times: int, **how: str) -> HttpResponse:
    for _ in range(times):
        response = log_in(WRONG, **how)
    return response


@pytest.mark.parametrize("page", PAGES)
def test_the_fifth_wrong_password_is_answered_in_words(page: str) -> None:
    assert fail(LIMIT - 1, page=page).status_code == 200
    response = fail(1, page=page)
    shown = response.content.decode()
    assert response.status_code == 403
    assert "Too many wrong passwords" in shown
    assert "15 minutes" in shown


@pytest.mark.parametrize("page", PAGES)
def test_then_the_right_password_is_refused_too_on_either_page(page: str) -> None:
    fail(LIMIT, page=page)
    assert [log_in(RIGHT, page=each).status_code for each in PAGES] == [403, 403]


def test_before_that_the_right_password_begins_the_count_anew() -> None:
    fail(LIMIT - 1)
    assert log_in(RIGHT).status_code == 302
    assert fail(LIMIT - 1).status_code == 200


def test_from_another_address_the_same_name_still_logs_in() -> None:
    fail(LIMIT)
    assert log_in(RIGHT, address=ELSEWHERE).status_code == 302
    assert log_in(RIGHT).status_code == 403


def test_from_the_same_address_another_name_still_logs_in() -> None:
    User.objects.create_user("colleague", password=RIGHT)
    fail(LIMIT)
    assert log_in(RIGHT, name="colleague").status_code == 302


def test_a_name_that_nobody_has_is_answered_alike() -> None:
    known, unknown = fail(LIMIT), fail(LIMIT, name="nobody")
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)


def test_another_browser_does_not_begin_the_count_anew() -> None:
    for number in range(LIMIT):
        response = log_in(WRONG, HTTP_USER_AGENT=f"browser {number}")
    assert response.status_code == 403


def test_after_a_quarter_of_an_hour_the_name_logs_in_again_whatever_was_tried_meanwhile() -> None:
    fail(LIMIT)
    AccessAttempt.objects.update(attempt_time=timezone.now() - dt.timedelta(minutes=14, seconds=50))
    assert log_in(RIGHT).status_code == 403
    assert fail(1).status_code == 403
    AccessAttempt.objects.update(attempt_time=timezone.now() - dt.timedelta(minutes=15, seconds=1))
    assert log_in(RIGHT).status_code == 302


def test_keeps_neither_passwords_nor_successful_log_ins_and_forgets_what_counts_no_more() -> None:
    fail(1)
    attempt = AccessAttempt.objects.get()
    assert WRONG not in f"{attempt.post_data}{attempt.get_data}"
    AccessAttempt.objects.update(attempt_time=timezone.now() - dt.timedelta(minutes=16))
    log_in(RIGHT, address=ELSEWHERE)
    assert not AccessAttempt.objects.exists()
    assert not AccessLog.objects.exists()


def test_names_and_addresses_stay_out_of_the_logs(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="axes"):
        fail(LIMIT)
    assert "Locking out" in caplog.text
    assert "guard" not in caplog.text
    assert HERE not in caplog.text


class TestClientAddress:
    @staticmethod
    def address(remote: str | None, forwarded: str | None = None) -> str | None:
        request = RequestFactory().get("/")
        request.META.pop("REMOTE_ADDR")
        if remote is not None:
            request.META["REMOTE_ADDR"] = remote
        if forwarded is not None:
            request.META["HTTP_X_FORWARDED_FOR"] = forwarded
        return throttling.client_address(request)

    def test_is_nothing_where_the_connection_has_none(self) -> None:
        assert self.address(None) is None
        assert self.address("") is None

    def test_is_that_of_the_connection_whatever_the_client_says(self) -> None:
        assert self.address(HERE, ELSEWHERE) == HERE

    @pytest.mark.parametrize(
        ("forwarded", "expected"),
        [
            (ELSEWHERE, ELSEWHERE),
            (f"203.0.113.9, {ELSEWHERE}", ELSEWHERE),
            (f"invented,,{ELSEWHERE} ", ELSEWHERE),
            (f"{ELSEWHERE}, unknown", HERE),
            ("", HERE),
            (None, HERE),
        ],
    )
    def test_behind_a_trusted_proxy_is_the_one_that_the_proxy_added(
        self, settings: Settings, forwarded: str | None, expected: str
    ) -> None:
        settings.FACEWEB_TRUST_PROXY = True
        assert self.address(HERE, forwarded) == expected

    @pytest.mark.parametrize(
        ("remote", "expected"),
        [
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:2::9", "2001:db8:1:2::"),
            ("2001:db8:1:3::9", "2001:db8:1:3::"),
            ("::ffff:192.0.2.1", HERE),
            ("fe80::1%eth0", "fe80::"),
        ],
    )
    def test_of_ipv6_is_its_network(self, remote: str, expected: str) -> None:
        assert self.address(remote) == expected
