"""Django's own users and groups in the look of this admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import ManyToManyField, QuerySet
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest
from django.utils.text import capfirst
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultiple

MEANT_TO_BE_GIVEN = ("recognition", "auth")
"""Apps whose permissions anybody needs; those of sessions and content types are Django's own affair."""

admin.site.unregister(User)
admin.site.unregister(Group)


class PermissionField(ModelMultipleChoiceField):  # type: ignore[type-arg]  # generic only for type checkers
    """Permissions under the names that the 403 page shows."""

    def label_from_instance(self, obj: Permission) -> str:
        """The sentence alone: app and table say nothing to those who give permissions."""
        return obj.name


class WithCheckboxes:
    """Groups and permissions to tick.

    Django's two lists with arrows beside each other are wider than a phone, and their filters have no accessible name.
    """

    filter_horizontal: Any = ()

    def formfield_for_manytomany(
        self, db_field: ManyToManyField[Any, Any], request: HttpRequest | None = None, **kwargs: Any
    ) -> ModelMultipleChoiceField[Any]:
        """A check box for each choice."""
        choices: QuerySet[Any] = db_field.remote_field.model._default_manager.all()
        kind: type[ModelMultipleChoiceField[Any]] = ModelMultipleChoiceField
        if choices.model is Permission:
            kind = PermissionField
            choices = choices.filter(content_type__app_label__in=MEANT_TO_BE_GIVEN).order_by("-content_type", "name")
        return kind(
            queryset=choices,
            required=False,
            widget=UnfoldAdminCheckboxSelectMultiple,
            label=capfirst(db_field.verbose_name),
            help_text=db_field.help_text,
        )


@admin.register(User)
class UserAdmin(WithCheckboxes, DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    """Who may log in."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(WithCheckboxes, DjangoGroupAdmin, ModelAdmin):
    """Permissions by role."""
