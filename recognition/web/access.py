"""Who may open a page. That a visitor is logged in is seen to by Django's LoginRequiredMiddleware."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

View = Callable[..., HttpResponse]


def needs(permission: str, *, page: str | Promise) -> Callable[[View], View]:
    """Refuses users without a permission, in words that the 403 page shows.

    Django's own `permission_required` raises without a word, and the user cannot ask for what has no name.

    Args:
        permission: As `has_perm` takes it.
        page: What the page is called in the sentence, as in "the live page".
    """

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.has_perm(permission):
                raise PermissionDenied(
                    _("To open %(page)s you need the permission “%(label)s” (%(permission)s).")
                    % {"page": page, "label": _label(permission), "permission": permission}
                )
            return view(request, *args, **kwargs)

        return checked

    return decorate


def _label(permission: str) -> str:
    """The permission as administrators find it in the admin, where its code is not shown."""
    app_label, codename = permission.split(".")
    return Permission.objects.get(content_type__app_label=app_label, codename=codename).name
