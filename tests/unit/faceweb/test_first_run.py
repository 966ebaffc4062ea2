from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError

from faceweb import first_run
from recognition.models import AuditAction, AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_chosen_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FACEWEB_ADMIN_PASSWORD", raising=False)


def test_an_empty_installation_gets_an_admin_whose_password_is_said_once() -> None:
    said: list[str] = []
    first_run.ensure_admin(say=said.append)
    password = said[0].split("password ")[1].split()[0]
    user = User.objects.get(username="admin")
    assert user.check_password(password)
    assert user.is_superuser
    entry = AuditEntry.objects.get(action=AuditAction.USER_CREATED, subject=f"user:{user.pk}")
    assert (entry.actor, entry.details["after"]["is_superuser"]) == (None, True)
    assert len(password) >= 16

    first_run.ensure_admin(say=said.append)
    assert password not in said[1]
    assert "faceweb changepassword admin" in said[1]


def test_a_chosen_password_is_used_and_not_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEWEB_ADMIN_PASSWORD", "chosen-by-the-operator")
    said: list[str] = []
    first_run.ensure_admin(say=said.append)
    assert User.objects.get(username="admin").check_password("chosen-by-the-operator")
    assert "chosen-by-the-operator" not in "".join(said)


def test_an_installation_with_users_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEWEB_ADMIN_PASSWORD", "chosen-by-the-operator")
    User.objects.create_user("somebody")
    first_run.ensure_admin(say=lambda _: None)
    assert not User.objects.filter(username="admin").exists()


def test_of_two_first_starts_at_once_the_later_one_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(*_: object, **__: object) -> None:
        raise IntegrityError

    monkeypatch.setattr(User.objects, "create_superuser", taken)
    said: list[str] = []
    first_run.ensure_admin(say=said.append)
    assert said == ["Another process has just created the first user and printed how to log in."]
