"""The admin's first page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext

from recognition.selectors import overview


def with_overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Adds what `templates/admin/index.html` shows; Unfold calls it for each request of the page."""
    return {**context, "title": gettext("Overview"), "overview": overview.read(now=timezone.now())}
