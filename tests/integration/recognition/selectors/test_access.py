from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from recognition.selectors import access
from recognition.selectors.access import Access
from tests import fakes

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> User:
    return fakes.user("use_live")


@pytest.fixture
def browser(operator: User, client: Client) -> Client:
    client.force_login(operator)
    return client


def checked(user: User, browser: Client) -> Access:
    return access.check(user_id=user.pk, session_key=browser.session.session_key, permission=access.USE_LIVE)


@pytest.mark.parametrize(("user_id", "session_key"), [(None, None), (None, "some"), (1, None), (1, "no such session")])
def test_nobody_without_a_session_is_let_in(user_id: int | None, session_key: str | None) -> None:
    said = access.check(user_id=user_id, session_key=session_key, permission=access.USE_LIVE)
    assert said is Access.NOT_AUTHENTICATED


def test_the_operator_is_let_in(operator: User, browser: Client) -> None:
    assert checked(operator, browser) is Access.ALLOWED


def test_a_group_may_give_the_permission(browser: Client, operator: User) -> None:
    operator.user_permissions.clear()
    assert checked(operator, browser) is Access.NOT_PERMITTED
    group = Group.objects.create(name="guards")
    group.permissions.add(Permission.objects.get(codename="use_live"))
    operator.groups.add(group)
    assert checked(operator, browser) is Access.ALLOWED


def test_a_superuser_needs_no_permission(client: Client) -> None:
    root = User.objects.create_superuser("root")
    client.force_login(root)
    assert checked(root, client) is Access.ALLOWED


def test_a_session_belongs_to_the_user_who_logged_in(browser: Client) -> None:
    assert checked(fakes.user("use_live"), browser) is Access.NOT_AUTHENTICATED


def test_a_user_who_is_deleted_while_the_permission_is_read_is_to_log_in(
    operator: User, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deleted(user: User, permission: str) -> bool:
        User.objects.filter(pk=user.pk).delete()
        return False

    monkeypatch.setattr(User, "has_perm", deleted)
    assert checked(operator, browser) is Access.NOT_AUTHENTICATED


def test_a_deactivated_user_is_not_let_in(operator: User, browser: Client) -> None:
    User.objects.filter(pk=operator.pk).update(is_active=False)
    assert checked(operator, browser) is Access.NOT_AUTHENTICATED


def test_a_session_ends_at_logout(operator: User, browser: Client) -> None:
    key = browser.session.session_key
    browser.logout()
    said = access.check(user_id=operator.pk, session_key=key, permission=access.USE_LIVE)
    assert said is Access.NOT_AUTHENTICATED


def test_a_session_ends_when_the_password_changes(operator: User, browser: Client) -> None:
    operator.set_password("a new one")
    operator.save()
    assert checked(operator, browser) is Access.NOT_AUTHENTICATED
