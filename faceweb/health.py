"""Whether this process lives, and whether it can work: asked by containers and load balancers, open to everybody."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from faceweb import readiness


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer `ok` as long as the process answers at all; to start it again would mend nothing else."""
    return HttpResponse("ok", content_type="text/plain")


@login_not_required
@require_safe
@never_cache
async def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when a camera session would work, else 503; each part says `ok` or what is wrong with it."""
    findings = await readiness.look()
    is_ready = not any(finding.fault for finding in findings)
    return JsonResponse(
        {"ready": is_ready, "parts": {finding.part: finding.fault or "ok" for finding in findings}},
        status=HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE,
    )
