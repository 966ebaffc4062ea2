"""What the admin pages share."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

THUMBNAIL_PX = 56

NOTHING = "-"
"""Shown where a row has no value."""


def actor_of(request: HttpRequest) -> User:
    """The logged-in user; admin pages are reached by no one else."""
    if not isinstance(request.user, User):
        raise TypeError("expected a logged-in user")
    return request.user


def thumbnail(url_name: str, number: int | None, *, alt: str, side_px: int = THUMBNAIL_PX) -> str | SafeString:
    """A small picture from one of the permission-checked image views; a dash without one."""
    if number is None:
        return NOTHING
    return format_html(
        '<img src="{}" alt="{}" width="{}" height="{}" loading="lazy" class="faceweb-thumbnail">',
        reverse(url_name, args=[number]),
        alt,
        side_px,
        side_px,
    )


class ReadOnlyAdmin(ModelAdmin):
    """Rows that the product writes and people only look at."""

    actions = None

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Nobody adds such a row by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody changes such a row."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody removes such a row."""
        return False
