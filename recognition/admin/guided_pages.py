"""Guided enrolment: the page with the camera, and what it asks for each picture."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache

from recognition import guided_wording, wording
from recognition.admin import doubts, enrolment_pages, merged
from recognition.admin.base import actor_of
from recognition.decision.coverage import Pose
from recognition.decision.guidance import Advice
from recognition.models import FaceSample, Person
from recognition.selectors import guided as selectors
from recognition.selectors import legal
from recognition.services import guided
from recognition.vision.errors import InvalidArray
from recognition.vision.images import STILL_LIMITS
from recognition.vision.types import BoundingBox

_POSES = [(pose.value, pose.value) for pose in Pose]


class BoxField(forms.Field):
    """A box as four numbers with commas between them; nothing is no box."""

    def to_python(self, value: Any) -> BoundingBox | None:
        """Raises ValidationError for anything else."""
        if not value:
            return None
        try:
            return BoundingBox(*(float(number) for number in str(value).split(",")))
        except (ValueError, TypeError, InvalidArray) as error:
            raise forms.ValidationError(gettext("Four numbers are needed.")) from error


class LookForm(forms.Form):
    """One picture of the camera, what is wanted of it, and where the face was in the picture before."""

    frame = forms.FileField()
    pose = forms.ChoiceField(choices=_POSES)
    before = BoxField(required=False)


class PoseForm(forms.Form):
    """A pose."""

    pose = forms.ChoiceField(choices=_POSES)


def addresses(owner: ModelAdmin[Any]) -> list[URLPattern]:
    """The addresses of the page and of what it asks."""
    pages = _Pages(owner)
    views = {"": merged.leading_on(pages.show), "frame/": pages.look, "retake/": pages.retake}
    names = {"": "guided", "frame/": "guided_frame", "retake/": "guided_retake"}
    return [
        path(
            f"<int:person_id>/guided/{end}",
            owner.admin_site.admin_view(never_cache(view)),
            name=f"recognition_person_{names[end]}",
        )
        for end, view in views.items()
    ]


def may_retake(request: HttpRequest, person: Person) -> bool:
    """Whether the user may replace a sample of somebody; a legal hold keeps those that are there."""
    may_delete = enrolment_pages.may_enrol(request) and actor_of(request).has_perm("recognition.delete_facesample")
    return may_delete and not legal.is_held(legal.rows_of(person))


class _Pages:
    def __init__(self, owner: ModelAdmin[Any]) -> None:
        self._owner = owner

    def show(self, request: HttpRequest, person_id: int) -> HttpResponse:
        """The page; its script does the rest."""
        if not enrolment_pages.may_enrol(request):
            raise PermissionDenied
        person = merged.standing(person_id)
        context = {
            **self._owner.admin_site.each_context(request),
            "opts": Person._meta,
            "original": person,
            "title": gettext("Enrol %(name)s by camera") % {"name": person.name},
            "person": person,
            "slots": _slots(person, request),
            "may_retake": may_retake(request, person),
        }
        return TemplateResponse(request, "admin/recognition/person/guided.html", context)

    def look(self, request: HttpRequest, person_id: int) -> HttpResponse:
        """Judges one picture, and enrols it when it is good."""
        person = _person(request, person_id)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        form = LookForm(request.POST, request.FILES)
        if not form.is_valid():
            return JsonResponse({"errors": form.errors}, status=HTTPStatus.BAD_REQUEST)
        try:
            seen = guided.look(
                person=person,
                # One byte more than allowed is enough to be refused; the rest is never read.
                data=form.cleaned_data["frame"].read(STILL_LIMITS.max_bytes + 1),
                wanted=Pose(form.cleaned_data["pose"]),
                before=form.cleaned_data["before"],
                actor=actor_of(request),
            )
        except enrolment_pages.NOT_NOW as error:
            return JsonResponse({"sentence": str(error)}, status=HTTPStatus.SERVICE_UNAVAILABLE)
        box = seen.box
        return JsonResponse(
            {
                "advice": seen.advice,
                "sentence": guided_wording.advice_sentence(seen.advice),
                "box": f"{box.x_min},{box.y_min},{box.x_max},{box.y_max}" if box else "",
                "slots": _slots(person, request) if seen.advice is Advice.TAKE else None,
            }
        )

    def retake(self, request: HttpRequest, person_id: int) -> HttpResponse:
        """Deletes the sample of a pose, which is wanted again then."""
        person = _person(request, person_id)
        if not may_retake(request, person):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        form = PoseForm(request.POST)
        if not form.is_valid():
            return JsonResponse({"errors": form.errors}, status=HTTPStatus.BAD_REQUEST)
        guided.retake(person=person, pose=Pose(form.cleaned_data["pose"]), actor=actor_of(request))
        return JsonResponse({"slots": _slots(person, request)})


def _person(request: HttpRequest, person_id: int) -> Person:
    """Whom it is about, for somebody who may enrol; a row that was merged into another is nobody."""
    if not enrolment_pages.may_enrol(request):
        raise PermissionDenied
    return get_object_or_404(Person, pk=person_id, merged_into=None)


def _slots(person: Person, request: HttpRequest) -> list[dict[str, Any]]:
    """The poses as the page shows them, in the order in which they are asked for."""
    may_see = actor_of(request).has_perm("recognition.view_facesample")
    return [
        _slot(person, pose, sample, request, may_see=may_see)
        for pose, sample in selectors.samples_by_pose(person).items()
    ]


def _slot(
    person: Person, pose: Pose, sample: FaceSample | None, request: HttpRequest, *, may_see: bool
) -> dict[str, Any]:
    slot = {
        "pose": pose,
        "label": wording.pose_label(pose).capitalize(),
        "instruction": guided_wording.instruction(pose),
    }
    if sample is None:
        return {**slot, "state": "empty", "picture": "", "reasons": [], "decide": ""}
    is_aside = sample.status == FaceSample.Status.SET_ASIDE
    found = doubts.shown(person, doubts.of_sample(sample), request) if is_aside else ()
    page = reverse("admin:recognition_facesample_change", args=[sample.pk])
    return {
        **slot,
        "state": "set_aside" if is_aside else "taken",
        "picture": reverse("sample-image", args=[sample.pk]) if may_see else "",
        "reasons": [doubt.sentence for doubt in found],
        "decide": page if is_aside and may_see else "",
    }
