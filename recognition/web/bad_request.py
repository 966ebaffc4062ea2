"""What a request is told that Django does not even hand to a view."""

from __future__ import annotations

from http import HTTPStatus

from django.conf import settings
from django.core.exceptions import TooManyFilesSent
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page, or for a script the sentence, of a request that cannot be read."""
    sentence = _sentence(exception)
    if request.headers.get("Accept") == "application/json":
        return JsonResponse({"errors": [sentence]}, status=HTTPStatus.BAD_REQUEST)
    return render(request, "400.html", {"sentence": sentence}, status=HTTPStatus.BAD_REQUEST)


def _sentence(exception: Exception) -> str:
    if isinstance(exception, TooManyFilesSent):
        return gettext(
            "More than %(most)s files came at once, and none was used. Pack them into a ZIP archive; with JavaScript "
            "the page does so by itself."
        ) % {"most": settings.DATA_UPLOAD_MAX_NUMBER_FILES}
    return gettext("The browser sent something that cannot be read. Go back and try again.")
