"""The Content-Security-Policy: strict on our own pages, looser where the admin's look needs it."""

from __future__ import annotations

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse


class ContentSecurityPolicyMiddleware(CSPMiddleware):
    """Chooses between `CONTENT_SECURITY_POLICY` and, in the admin, `ADMIN_CONTENT_SECURITY_POLICY`."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        """Return what the header is made of."""
        parts = super().get_policy_parts(request, response, report_only)
        # The dashboard is a page of the admin at another address.
        is_admin = request.path.startswith(reverse("admin:index")) or request.path == reverse("home")
        if not report_only and parts.config is None and is_admin:
            parts.config = settings.ADMIN_CONTENT_SECURITY_POLICY["DIRECTIVES"]
        return parts
