"""Enrolment by upload, and choosing the right one of several faces."""

from __future__ import annotations

import dataclasses
from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.cache import never_cache

from recognition import wording
from recognition.admin import doubts, merged
from recognition.admin.base import actor_of
from recognition.decision.verdict import Reason
from recognition.models import FaceSample, Person, WaitingPhoto
from recognition.selectors import legal
from recognition.selectors import people as people_selectors
from recognition.selectors.packs import NoActivePack
from recognition.services import analysis, choosing, enrolment
from recognition.services.enrolment import SampleResult
from recognition.vision import images
from recognition.vision.errors import PackMismatch, TooManyBytes
from recognition.vision.images import STILL_LIMITS

LABEL_SHARE = 0.4
"""Height of a face's number over the shorter side of its box."""


NOT_NOW = (analysis.AnalyserUnavailable, NoActivePack, PackMismatch)
"""Why no photo can be judged just now, whatever it shows; each text says what to do."""


class MultipleFileInput(forms.ClearableFileInput):
    """A file input that takes several files, as Django's documentation has it."""

    allow_multiple_selected = True


class PhotosForm(forms.Form):
    """Photos of one person; each file is judged by itself later."""

    photos = forms.FileField(
        label=gettext_lazy("Photos"),
        widget=MultipleFileInput(attrs={"multiple": True, "accept": "image/*"}),
    )


@dataclasses.dataclass(frozen=True, slots=True)
class ShownFace:
    """A face to choose, in whole pixels of the photo.

    Args:
        number: from left to right, from 1.
        x: left edge.
        y: upper edge.
        width: of its box.
        height: of its box.
        label_px: height of its number.
        reasons: sentences that say why it cannot be enrolled; empty when it can.
    """

    number: int
    x: int
    y: int
    width: int
    height: int
    label_px: int
    reasons: tuple[str, ...]


def addresses(owner: ModelAdmin[Any]) -> list[URLPattern]:
    """The addresses of both pages."""
    pages = _Pages(owner)
    return [
        path(
            "<int:person_id>/enrol/",
            owner.admin_site.admin_view(merged.leading_on(pages.enrol)),
            name="recognition_person_enrol",
        ),
        path(
            "<int:person_id>/enrol/<int:photo_id>/",
            owner.admin_site.admin_view(never_cache(pages.choose)),
            name="recognition_person_choose",
        ),
    ]


def may_enrol(request: HttpRequest) -> bool:
    """Whether the user may add samples."""
    return actor_of(request).has_perm("recognition.add_facesample")


class _Pages:
    def __init__(self, owner: ModelAdmin[Any]) -> None:
        self._owner = owner

    def enrol(self, request: HttpRequest, person_id: int) -> HttpResponse:
        """Adds photos to a person: all at once, or one a request for the page's script."""
        if not may_enrol(request):
            raise PermissionDenied
        is_script = request.headers.get("Accept") == "application/json"
        # A script that is sending photos goes on: they become samples of whom the row is now.
        person = get_object_or_404(Person, pk=person_id) if is_script else merged.standing(person_id)
        files = request.FILES.getlist("photos") if request.method == "POST" else []
        outcomes = [_outcome(person, file, request) for file in files]
        if is_script:
            status = HTTPStatus.OK if outcomes else HTTPStatus.BAD_REQUEST
            return JsonResponse({"results": outcomes}, status=status)
        if len(outcomes) == 1 and outcomes[0]["choose"]:
            return HttpResponseRedirect(outcomes[0]["choose"])
        context = {
            **self._common(request, person),
            "title": gettext("Add photos of %(name)s") % {"name": person.name},
            "form": PhotosForm(),
            "outcomes": outcomes,
            "waiting": people_selectors.waiting_photos(timezone.now()).filter(person__in=legal.rows_of(person)),
            "nothing_chosen": request.method == "POST" and not files,
            "max_bytes": STILL_LIMITS.max_bytes,
            "max_megabytes": STILL_LIMITS.max_bytes // 2**20,
        }
        return TemplateResponse(request, "admin/recognition/person/enrol.html", context)

    def choose(self, request: HttpRequest, person_id: int, photo_id: int) -> HttpResponse:
        """Shows a photo with its faces, and enrols the one that is chosen."""
        if not may_enrol(request):
            raise PermissionDenied
        waiting = people_selectors.waiting_photos(timezone.now()).filter(pk=photo_id, person_id=person_id)
        photo = waiting.select_related("person").first()
        if photo is None:
            return self._gone(request, get_object_or_404(Person, pk=person_id))
        if request.method == "POST":
            done = self._chosen(request, photo)
            if done is not None:
                return done
        person = people_selectors.following_merges(photo.person)
        context = {
            **self._common(request, person),
            "title": gettext("Which face is %(name)s?") % {"name": person.name},
            "photo": photo,
            "faces": shown_faces(photo),
        }
        return TemplateResponse(request, "admin/recognition/person/choose.html", context)

    def _chosen(self, request: HttpRequest, photo: WaitingPhoto) -> HttpResponse | None:
        """The answer to a choice; None where the page is to be shown again."""
        person = people_selectors.following_merges(photo.person)
        back = HttpResponseRedirect(reverse("admin:recognition_person_enrol", args=[person.pk]))
        if "discard" in request.POST:
            choosing.discard(photo=photo)
            messages.success(request, gettext("The photo is removed; nobody was enrolled."))
            return back
        try:
            number = int(request.POST.get("face", ""))
            result = choosing.choose(photo=photo, number=number, actor=actor_of(request))
        except (ValueError, choosing.NoSuchFace):
            messages.error(request, gettext("Choose one of the numbered faces."))
            return None
        except NOT_NOW as error:
            messages.error(request, str(error))
            return None
        if not result.is_stored:
            messages.error(request, " ".join(wording.fault_sentence(fault) for fault in result.faults))
            return None
        if result.doubts:
            found = doubts.shown(person, result.doubts, request)
            messages.warning(request, " ".join([gettext("The face is set aside."), *(each.sentence for each in found)]))
            return HttpResponseRedirect(reverse("admin:recognition_facesample_change", args=[result.sample_id]))
        messages.success(request, gettext("Face %(number)s is enrolled.") % {"number": number})
        return back

    def _gone(self, request: HttpRequest, person: Person) -> HttpResponse:
        text = gettext("The photo does not wait any more: a face was chosen, or its hour is over. Upload it again.")
        messages.warning(request, text)
        return HttpResponseRedirect(reverse("admin:recognition_person_enrol", args=[person.pk]))

    def _common(self, request: HttpRequest, person: Person) -> dict[str, Any]:
        site = self._owner.admin_site.each_context(request)
        return {**site, "opts": Person._meta, "original": person, "person": person}


def shown_faces(photo: WaitingPhoto) -> tuple[ShownFace, ...]:
    """The faces of a photo as its page draws them."""
    return tuple(_shown(number, face) for number, face in enumerate(photo.faces, 1))


def _shown(number: int, face: dict[str, Any]) -> ShownFace:
    x_min, y_min, x_max, y_max = (round(edge) for edge in face["box"])
    return ShownFace(
        number=number,
        x=x_min,
        y=y_min,
        width=x_max - x_min,
        height=y_max - y_min,
        label_px=round(min(x_max - x_min, y_max - y_min) * LABEL_SHARE),
        reasons=tuple(wording.reason_sentence(Reason.from_json(fault)) for fault in face["faults"]),
    )


def _outcome(person: Person, file: UploadedFile[Any], request: HttpRequest) -> dict[str, Any]:
    """What became of one file, as the page and its script show it."""
    outcome: dict[str, Any] = {
        "file": file.name,
        "accepted": False,
        "sample": None,
        "reasons": [],
        "why": [],
        "choose": "",
        "decide": "",
    }
    try:
        images.require_bytes_within(STILL_LIMITS, file.size or 0)
        data = file.read()
        result = enrolment.add_sample(
            person=person, data=data, source=FaceSample.Source.UPLOAD, actor=actor_of(request)
        )
    except TooManyBytes as error:
        result = SampleResult(None, (wording.image_fault(error),))
    except NOT_NOW as error:
        return {**outcome, "reasons": [str(error)]}
    if result.to_choose_from:
        photo = choosing.keep(
            person=person,
            file_name=file.name or "",
            data=data,
            faces=result.to_choose_from,
            actor=actor_of(request),
            now=timezone.now(),
        )
        outcome["choose"] = reverse("admin:recognition_person_choose", args=[person.pk, photo.pk])
    reasons = [wording.fault_sentence(fault) for fault in result.faults]
    if result.doubts:
        reasons = [doubt.sentence for doubt in doubts.shown(person, result.doubts, request)]
        outcome["decide"] = reverse("admin:recognition_facesample_change", args=[result.sample_id])
    why = [Reason.of_fault(fault).as_json() for fault in result.faults] or [
        {"reason": doubt.reason, "measured": doubt.similarity, "required": doubt.limit} for doubt in result.doubts
    ]
    return {**outcome, "accepted": result.accepted, "sample": result.sample_id, "reasons": reasons, "why": why}
