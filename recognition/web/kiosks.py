"""The pages of a checkpoint: its full-screen view, and the pairing of a device with it."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from recognition.models import KioskDevice
from recognition.selectors import access, checkpoints
from recognition.services import kiosks
from recognition.web.forms import PairingForm

COOKIE_AGE_S = 400 * 86_400
"""The longest that browsers keep a cookie; every visit begins it anew, and a removal ends it at once."""


@require_GET
@never_cache
@login_not_required
def checkpoint(request: HttpRequest, slug: str) -> HttpResponse:
    """The view of one checkpoint, for its own kiosks and for users who may open it."""
    device = _device(request)
    is_own = device is not None and device.checkpoint.slug == slug
    if not is_own and not request.user.has_perm(access.USE_CHECKPOINT):
        # The same answer for an address that no checkpoint has: nobody learns here which ones exist.
        context = {"device": device, "path": request.path}
        return render(request, "recognition/checkpoint_closed.html", context, status=HTTPStatus.FORBIDDEN)
    found = checkpoints.by_slug(slug)
    if found is None:
        raise Http404
    response = render(request, "recognition/checkpoint.html", {"checkpoint": found})
    if is_own:
        _remember(request, response, request.COOKIES[access.KIOSK_COOKIE])
    return response


@require_http_methods(["GET", "POST"])
@never_cache
@login_not_required
def pair(request: HttpRequest) -> HttpResponse:
    """Pairs this device with the checkpoint that a code was made for.

    Needs no log-in: whoever has the code was given it by somebody who may pair. It has 40 bits and lives
    for ten minutes, so asking the server for all of them is hopeless, and a wrong one costs it one look
    into an index. Whoever is logged in here is logged out by it: the device reaches its checkpoint and
    nothing else from then on.
    """
    device = _device(request)
    if request.method == "GET":
        return render(request, "recognition/pair.html", {"form": PairingForm(), "device": device})
    form = PairingForm(request.POST)
    if form.is_valid():
        values = form.cleaned_data
        try:
            paired = kiosks.pair(code=values["code"], label=values["label"], now=timezone.now(), replaces=device)
        except kiosks.CodeRefused as refused:
            form.add_error("code", str(refused))
        else:
            logout(request)
            response = redirect("checkpoint", slug=paired.checkpoint.slug)
            _remember(request, response, paired.token)
            return response
    context = {"form": form, "device": device}
    return render(request, "recognition/pair.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _device(request: HttpRequest) -> KioskDevice | None:
    token = request.COOKIES.get(access.KIOSK_COOKIE)
    return kiosks.device_of(token) if token else None


def _remember(request: HttpRequest, response: HttpResponse, token: str) -> None:
    response.set_cookie(
        access.KIOSK_COOKIE,
        token,
        max_age=COOKIE_AGE_S,
        secure=request.is_secure(),
        httponly=True,
        samesite="Strict",
    )
