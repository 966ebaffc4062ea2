"""What the admin pages share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib.admin import ModelAdmin as DjangoModelAdmin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.widgets import INPUT_CLASSES

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


def require(request: HttpRequest, permission: str) -> None:
    """Lets only users with a permission on.

    Raises:
        PermissionDenied: for others.
    """
    if not actor_of(request).has_perm(permission):
        raise PermissionDenied


Act = Callable[[HttpRequest, Any], HttpResponseBase]


def button(owner: DjangoModelAdmin[Any], name: str, permission: str, act: Act) -> URLPattern:
    """The address behind a button of a row's page: takes POST from those who may, and nothing else.

    Args:
        owner: whose rows.
        name: ends the address and its name.
        permission: as `has_perm` takes it.
        act: does it and answers; gets the row.
    """

    def view(request: HttpRequest, number: int) -> HttpResponseBase:
        require(request, permission)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        return act(request, get_object_or_404(owner.model, pk=number))

    route = f"<int:number>/{name}/"
    full_name = f"recognition_{owner.model._meta.model_name}_{name.replace('-', '_')}"
    return path(route, owner.admin_site.admin_view(view), name=full_name)


def back(request: HttpRequest, default: str) -> HttpResponse:
    """Leads to the page that the request names in `next`; to `default` where it names none of ours."""
    wanted = request.POST.get("next") or request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(wanted if is_ours else default)


class MomentInput(forms.DateTimeInput):
    """Day and time in one field of the browser's own: works by keyboard, on phones, and without a script."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(attrs={"class": " ".join(INPUT_CLASSES), "step": "1"}, format="%Y-%m-%dT%H:%M:%S")


class ReadOnlyAdmin(ModelAdmin):
    """Rows that the product writes and people only look at."""

    actions: Any = None

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Nobody adds such a row by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody changes such a row."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody removes such a row."""
        return False
