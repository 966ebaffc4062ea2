"""Choices of several rows as boxes to tick."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import ManyToManyField, QuerySet
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest
from django.utils.text import capfirst
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

MEANT_TO_BE_GIVEN = ("recognition", "auth")
"""Apps whose permissions anybody needs; those of sessions and content types are Django's own affair."""


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
            widget=UnfoldAdminCheckboxSelectMultipleWidget,
            label=capfirst(db_field.verbose_name),
            help_text=db_field.help_text,
        )
