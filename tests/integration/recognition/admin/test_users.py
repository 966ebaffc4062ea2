"""An administrator gives others roles, and cannot rise above the roles; superusers can do everything."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.http import HttpResponse
from django.test import Client

from recognition.models import AuditAction, AuditEntry
from tests import fakes

pytestmark = pytest.mark.django_db

USERS = "/admin/auth/user/"
GROUPS = "/admin/auth/group/"
PASSWORD = "a quiet night 42"


@pytest.fixture
def administrator() -> User:
    return fakes.in_role("administrator")


@pytest.fixture
def client(administrator: User) -> Client:
    client = Client()
    client.force_login(administrator)
    return client


@pytest.fixture
def chief() -> User:
    return User.objects.create_superuser("chief", password=PASSWORD)


@pytest.fixture
def chiefs(chief: User) -> Client:
    client = Client()
    client.force_login(chief)
    return client


def save(client: Client, user: User, **values: Any) -> HttpResponse:
    sent = {"username": user.username, "first_name": "", "last_name": "", "email": "", "is_active": "on", **values}
    # Superusers have these two as pairs of fields.
    sent |= {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    return client.post(f"{USERS}{user.pk}/change/", sent)  # type: ignore[return-value]


def role(name: str) -> Group:
    return Group.objects.get(name=name)


def add_user(client: Client, name: str) -> User:
    sent = {"username": name, "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    assert client.post(f"{USERS}add/", sent).status_code == 302
    return User.objects.get(username=name)


class TestAnAdministrator:
    def test_makes_accounts_that_may_enter_the_admin_and_gives_them_roles(self, client: Client) -> None:
        made = add_user(client, "guard")
        assert (made.is_staff, made.is_superuser) == (True, False)
        save(client, made, first_name="Grace", groups=[role("operator").pk, role("auditor").pk])
        made.refresh_from_db()
        assert made.first_name == "Grace"
        assert set(made.groups.values_list("name", flat=True)) == {"operator", "auditor"}
        assert made.has_perm("recognition.use_live")

    def test_deactivates_accounts_and_sets_passwords_within_the_roles(self, client: Client) -> None:
        guard = fakes.in_role("operator")
        sent = {"usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
        assert client.post(f"{USERS}{guard.pk}/password/", sent).status_code == 302
        save(client, guard, is_active="")
        guard.refresh_from_db()
        assert guard.check_password(PASSWORD)
        assert not guard.is_active

    def test_makes_nobody_a_superuser_and_gives_no_single_permission(self, client: Client) -> None:
        guard = fakes.in_role("operator")
        permission = Permission.objects.get(codename="delete_user")
        response = save(client, guard, is_superuser="on", is_staff="on", user_permissions=[permission.pk])
        assert response.status_code == 302
        guard.refresh_from_db()
        assert not guard.is_superuser
        assert not guard.user_permissions.exists()
        shown = client.get(f"{USERS}{guard.pk}/change/").content.decode()
        assert 'name="is_superuser"' not in shown
        assert 'name="user_permissions"' not in shown

    def test_renames_nobody(self, client: Client) -> None:
        guard = fakes.in_role("operator")
        save(client, guard, username="somebody-else")
        assert User.objects.filter(pk=guard.pk, username=guard.username).exists()

    def test_changes_neither_their_own_roles_nor_whether_they_are_active(
        self, client: Client, administrator: User
    ) -> None:
        save(client, administrator, first_name="Ada", is_active="", groups=[role("operator").pk])
        administrator.refresh_from_db()
        assert (administrator.first_name, administrator.is_active) == ("Ada", True)
        assert list(administrator.groups.all()) == [role("administrator")]

    def test_sees_superusers_and_changes_nothing_about_them(self, client: Client, chief: User) -> None:
        assert client.get(f"{USERS}{chief.pk}/change/").status_code == 200
        assert save(client, chief, first_name="Mallory").status_code == 403
        sent = {"usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
        assert client.post(f"{USERS}{chief.pk}/password/", sent).status_code == 403
        chief.refresh_from_db()
        assert chief.first_name == ""

    def test_does_not_take_over_an_account_with_permissions_of_its_own(self, client: Client) -> None:
        special = fakes.user("view_facesample")
        sent = {"usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
        assert client.post(f"{USERS}{special.pk}/password/", sent).status_code == 403
        assert save(client, special, groups=[role("operator").pk]).status_code == 403

    def test_deletes_no_account(self, client: Client, chief: User) -> None:
        for user in (chief, fakes.in_role("operator")):
            assert client.post(f"{USERS}{user.pk}/delete/", {"post": "yes"}).status_code == 403

    def test_looks_at_roles_and_does_not_change_them(self, client: Client) -> None:
        operator = role("operator")
        assert client.get(GROUPS).status_code == 200
        assert client.get(f"{GROUPS}{operator.pk}/change/").status_code == 200
        assert client.post(f"{GROUPS}{operator.pk}/change/", {"name": "operator"}).status_code == 403
        assert client.post(f"{GROUPS}add/", {"name": "mine"}).status_code == 403
        assert client.post(f"{GROUPS}{operator.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_user_changing_group_of_their_own_making_does_not_help(chief: User) -> None:
    """Even with every permission on users and groups, only superusers pass these limits."""
    strong = User.objects.create_user("strong", password=PASSWORD, is_staff=True)
    group = Group.objects.create(name="strong")
    group.permissions.set(Permission.objects.filter(content_type__app_label="auth"))
    strong.groups.add(group)
    client = Client()
    client.force_login(strong)
    assert client.post(f"{USERS}{chief.pk}/delete/", {"post": "yes"}).status_code == 403
    client.post(USERS, {"action": "delete_selected", "_selected_action": [chief.pk], "post": "yes"})
    assert User.objects.filter(pk=chief.pk).exists()
    assert client.post(f"{GROUPS}{group.pk}/change/", {"name": "strong"}).status_code == 403


def test_a_superuser_changes_everything(chiefs: Client) -> None:
    made = add_user(chiefs, "guard")
    permission = Permission.objects.get(codename="delete_user")
    save(chiefs, made, username="warden", is_superuser="on", is_staff="on", user_permissions=[permission.pk])
    made.refresh_from_db()
    assert (made.username, made.is_superuser) == ("warden", True)
    assert list(made.user_permissions.all()) == [permission]
    assert chiefs.post(f"{GROUPS}add/", {"name": "night shift"}).status_code == 302
    shown = chiefs.get(USERS).content.decode()
    assert "superuser" in shown


class TestTheAuditTrail:
    def test_a_new_account_and_its_roles_are_recorded_without_names(self, client: Client, administrator: User) -> None:
        made = add_user(client, "guard")
        created = entry(AuditAction.USER_CREATED, administrator)
        assert created.subject == f"user:{made.pk}"
        assert created.details["after"] == {
            "is_active": True,
            "is_staff": True,
            "is_superuser": False,
            "roles": [],
            "permissions": [],
        }
        save(client, made, first_name="Grace", groups=[role("operator").pk])
        changed = entry(AuditAction.USER_CHANGED, administrator).details
        assert (changed["before"], changed["after"]) == ({"roles": []}, {"roles": ["operator"]})
        assert "first_name" in changed["fields"]
        assert not any(text in str(AuditEntry.objects.values_list("details")) for text in ("Grace", "guard", PASSWORD))

    def test_flags_and_single_permissions_are_recorded(self, chiefs: Client, chief: User) -> None:
        guard = fakes.in_role("operator")
        permission = Permission.objects.get(codename="delete_user")
        save(chiefs, guard, is_active="", is_superuser="on", groups=[], user_permissions=[permission.pk])
        details = entry(AuditAction.USER_CHANGED, chief).details
        assert details["after"]["is_superuser"] is True
        assert details["after"]["permissions"] == ["auth.delete_user"]
        assert (details["before"]["is_active"], details["after"]["is_active"]) == (True, False)

    def test_a_password_is_recorded_where_one_was_set(self, client: Client, administrator: User) -> None:
        guard = fakes.in_role("operator")
        refused = {"usable_password": "true", "password1": PASSWORD, "password2": "another"}
        assert client.post(f"{USERS}{guard.pk}/password/", refused).status_code == 200
        assert not AuditEntry.objects.filter(action=AuditAction.USER_PASSWORD_SET).exists()
        client.post(f"{USERS}{guard.pk}/password/", {**refused, "password2": PASSWORD})
        set_to = entry(AuditAction.USER_PASSWORD_SET, administrator)
        assert (set_to.subject, set_to.details) == (f"user:{guard.pk}", {"usable": True})

    def test_that_somebody_changed_their_own_password_is_recorded(self, chiefs: Client, chief: User) -> None:
        new = "another quiet night 42"
        sent = {"old_password": "wrong", "new_password1": new, "new_password2": new}
        assert chiefs.post("/admin/password_change/", sent).status_code == 200
        assert not AuditEntry.objects.filter(action=AuditAction.USER_PASSWORD_SET).exists()
        response = chiefs.post("/admin/password_change/", {**sent, "old_password": PASSWORD})
        assert response["Location"] == "/admin/password_change/done/"
        assert chiefs.get(GROUPS).status_code == 200  # still logged in
        set_to = entry(AuditAction.USER_PASSWORD_SET, chief)
        assert (set_to.subject, set_to.details) == (f"user:{chief.pk}", {"usable": True})

    def test_deleted_accounts_are_recorded(self, chiefs: Client, chief: User) -> None:
        one, other = fakes.in_role("operator"), fakes.in_role("auditor")
        chiefs.post(f"{USERS}{one.pk}/delete/", {"post": "yes"})
        assert entry(AuditAction.USER_DELETED, chief).details["before"]["roles"] == ["operator"]
        chiefs.post(USERS, {"action": "delete_selected", "_selected_action": [other.pk], "post": "yes"})
        subjects = AuditEntry.objects.filter(action=AuditAction.USER_DELETED).values_list("subject", flat=True)
        assert set(subjects) == {f"user:{one.pk}", f"user:{other.pk}"}

    def test_roles_are_recorded(self, chiefs: Client, chief: User) -> None:
        permission = Permission.objects.get(codename="view_user")
        chiefs.post(f"{GROUPS}add/", {"name": "night shift"})
        made = role("night shift")
        chiefs.post(f"{GROUPS}{made.pk}/change/", {"name": "night shift", "permissions": [permission.pk]})
        saved = AuditEntry.objects.filter(action=AuditAction.ROLE_SAVED, actor=chief).order_by("pk")
        assert [each.details for each in saved] == [
            {"before": {}, "after": {"name": "night shift", "permissions": []}},
            {"before": {"permissions": []}, "after": {"permissions": ["auth.view_user"]}},
        ]
        chief.groups.add(made)
        chiefs.post(f"{GROUPS}{made.pk}/delete/", {"post": "yes"})
        deleted = entry(AuditAction.ROLE_DELETED, chief)
        assert (deleted.subject, deleted.details["users"]) == (f"group:{made.pk}", [chief.pk])


def entry(action: AuditAction, actor: User) -> AuditEntry:
    return AuditEntry.objects.get(action=action, actor=actor)
