"""Django's own users and groups in the look of this admin.

Whoever may change users could make themselves anything. So those who are no superusers change less: names, whether an
account is active, and roles; and neither their own roles nor any account that may do more than roles allow.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from recognition.admin.base import NOTHING, actor_of
from recognition.admin.checkboxes import WithCheckboxes

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(WithCheckboxes, DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    """Who may log in, and in which roles."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "first_name", "last_name", "roles", "is_active", "last_login")
    fieldsets_of_roles = (
        (None, {"fields": ("username", "password")}),
        (gettext_lazy("Personal info"), {"fields": ("first_name", "last_name", "email")}),
        (gettext_lazy("Roles"), {"fields": ("is_active", "groups")}),
        (gettext_lazy("Important dates"), {"fields": ("last_login", "date_joined")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Users with their roles."""
        shown: QuerySet[User] = super().get_queryset(request)
        return shown.prefetch_related("groups")

    @display(description=gettext_lazy("roles"))
    def roles(self, user: User) -> str:
        """What the user may do, in a word or two."""
        names = [str(group) for group in user.groups.all()]
        if user.is_superuser:
            names.insert(0, gettext("superuser"))
        return ", ".join(names) or NOTHING

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Everything for superusers, roles for everybody else."""
        if obj is None or _is_superuser(request):
            return super().get_fieldsets(request, obj)
        return self.fieldsets_of_roles

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """The name to log in with is in audits and lockouts; one's own roles are for others to give."""
        readonly = ("last_login", "date_joined")
        if obj is None or _is_superuser(request):
            return readonly
        own = ("is_active", "groups") if obj.pk == request.user.pk else ()
        return (*readonly, "username", *own)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Also asked before a password is set: whoever sets it could log in as that user."""
        return bool(super().has_change_permission(request, obj)) and _within_roles(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """The same rule as for changing."""
        return bool(super().has_delete_permission(request, obj)) and _within_roles(request, obj)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """An account made here may enter the admin, where it finds only what its roles allow."""
        if not change:
            obj.is_staff = True
        super().save_model(request, obj, form, change)


@admin.register(Group)
class GroupAdmin(WithCheckboxes, DjangoGroupAdmin, ModelAdmin):
    """Permissions by role; superusers alone change what a role may do."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """For superusers."""
        return _is_superuser(request) and bool(super().has_add_permission(request))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """For superusers."""
        return _is_superuser(request) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """For superusers."""
        return _is_superuser(request) and bool(super().has_delete_permission(request, obj))


def _is_superuser(request: HttpRequest) -> bool:
    return actor_of(request).is_superuser


def _within_roles(request: HttpRequest, user: Model | None) -> bool:
    """Whether a user may do no more than roles allow, so that whoever gives roles may change them."""
    if not isinstance(user, User) or _is_superuser(request):
        return True
    return not user.is_superuser and not user.user_permissions.exists()
