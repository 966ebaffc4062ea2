"""Capture of a data set: the page with the camera, and what it asks for each picture. Nothing is stored."""

from __future__ import annotations

import base64
from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.cache import never_cache
from unfold.widgets import INPUT_CLASSES

from recognition import guided_wording
from recognition.admin import enrolment_pages
from recognition.importing import labelled
from recognition.importing.entries import LONGEST_NAME
from recognition.services import dataset_capture
from recognition.vision.images import STILL_LIMITS


class LabelForm(forms.Form):
    """Whom the pictures show."""

    label = forms.CharField(
        label=gettext_lazy("Who sits before the camera"),
        max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs={"class": " ".join(INPUT_CLASSES), "autocomplete": "off"}),
    )


class PictureForm(LabelForm):
    """One picture of the camera."""

    frame = forms.FileField()


def addresses(owner: ModelAdmin[Any]) -> list[URLPattern]:
    """The addresses of the page and of what it asks."""
    pages = _Pages(owner)
    views = {"": ("capture", pages.show), "frame/": ("capture_frame", pages.look)}
    return [
        path(f"capture/{end}", owner.admin_site.admin_view(never_cache(view)), name=f"recognition_person_{name}")
        for end, (name, view) in views.items()
    ]


class _Pages:
    def __init__(self, owner: ModelAdmin[Any]) -> None:
        self._owner = owner

    def show(self, request: HttpRequest) -> HttpResponse:
        """The page; its script does the rest, and makes the archive."""
        if not enrolment_pages.may_enrol(request):
            raise PermissionDenied
        context = {
            **self._owner.admin_site.each_context(request),
            "opts": self._owner.opts,
            "title": gettext("Data set by camera"),
            "form": LabelForm(),
        }
        return TemplateResponse(request, "admin/recognition/person/capture.html", context)

    def look(self, request: HttpRequest) -> HttpResponse:
        """Judges one picture; of a good one it gives the aligned face, and the folder that it belongs into."""
        if not enrolment_pages.may_enrol(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        form = PictureForm(request.POST, request.FILES)
        if not form.is_valid():
            return JsonResponse({"errors": form.errors}, status=HTTPStatus.BAD_REQUEST)
        try:
            # One byte more than allowed is enough to be refused; the rest is never read.
            seen = dataset_capture.look(data=form.cleaned_data["frame"].read(STILL_LIMITS.max_bytes + 1))
        except enrolment_pages.NOT_NOW as error:
            return JsonResponse({"sentence": str(error)}, status=HTTPStatus.SERVICE_UNAVAILABLE)
        return JsonResponse(
            {
                "advice": seen.advice,
                "sentence": guided_wording.advice_sentence(seen.advice),
                "folder": labelled.folder_name(form.cleaned_data["label"]),
                "aligned": base64.b64encode(seen.aligned_jpeg).decode(),
            }
        )
