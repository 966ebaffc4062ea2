"""One event beside what it was compared with, to be judged; wholly by keyboard where somebody likes that."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from recognition.admin import event_detail, quality_table
from recognition.admin.base import NOTHING, actor_of, back, require
from recognition.decision.reviews import ReviewVerdict
from recognition.models import FaceSample, RecognitionEvent, ReviewBatch, ReviewItem, Verdict
from recognition.models.reviews import VERDICT_LABELS
from recognition.selectors import reviews as reviews_read
from recognition.services import reviews

JUDGE, SET_ASIDE = "recognition.add_verdict", "recognition.set_aside_false_match"

_COMPARED = ("UnifiedQualityScore", "Sharpness", "LuminanceMean", "HeadPoseYaw", "HeadPosePitch", "HeadSize")
"""What of the quality helps to see why two faces are alike or not; the event's page has all of it."""


@dataclasses.dataclass(frozen=True, slots=True)
class OfferedVerdict:
    """A verdict as a button.

    Args:
        code: of it.
        label: in words.
        key: that gives it.
        is_given: whether the user has said so.
    """

    code: str
    label: str
    key: str
    is_given: bool


@dataclasses.dataclass(frozen=True, slots=True)
class ScoreRow:
    """A quality score of both faces.

    Args:
        name: in words.
        probe: of the face that was seen; a dash without one.
        sample: of the face that it was compared with; a dash likewise.
    """

    name: str
    probe: str
    sample: str


def addresses(owner: ModelAdmin[ReviewBatch]) -> list[URLPattern]:
    """The pages on which events are judged."""

    def item(request: HttpRequest, batch_id: int, position: int) -> HttpResponse:
        require(request, JUDGE)
        found = get_object_or_404(ReviewItem.objects.select_related("batch"), batch=batch_id, position=position)
        return _answered(request, found) if request.method == "POST" else _shown(owner, request, found)

    view = owner.admin_site.admin_view
    return [
        path("<int:batch_id>/<int:position>/", view(never_cache(item)), name="recognition_reviewbatch_item"),
        path(
            "verdicts/<int:verdict_id>/set-aside/",
            view(require_POST(_set_aside)),
            name="recognition_reviewbatch_set_aside",
        ),
    ]


def offered(event: RecognitionEvent, given: Verdict | None) -> list[OfferedVerdict]:
    """The verdicts that make sense of an event, each with its key."""
    return [
        OfferedVerdict(code.value, str(VERDICT_LABELS[code]), str(number), given is not None and given.code == code)
        for number, code in enumerate(reviews.fitting(event), 1)
    ]


def give(request: HttpRequest, event: RecognitionEvent, item: ReviewItem | None) -> Verdict | None:
    """Keeps the verdict that a form sends; None where it sends none that fits, which is told."""
    try:
        code = ReviewVerdict(request.POST.get("verdict", ""))
        return reviews.give(
            event=event,
            code=code,
            note=request.POST.get("note", ""),
            actor=actor_of(request),
            now=timezone.now(),
            item=item,
        )
    except ValueError:
        messages.error(request, gettext("Choose a verdict."))
    except reviews.VerdictRefused as refused:
        messages.error(request, str(refused))
    return None


def own_verdict(event: RecognitionEvent, user: User) -> Verdict | None:
    """What the user says of an event so far."""
    return reviews_read.standing_verdicts().filter(event=event, by=user).first()


def sample_to_set_aside(request: HttpRequest, verdict: Verdict | None) -> FaceSample | None:
    """The sample that a false match came from, where the user said so and may set it aside; else None."""
    if verdict is None or verdict.code != ReviewVerdict.FALSE_MATCH or not actor_of(request).has_perm(SET_ASIDE):
        return None
    return verdict.event.best_sample


def _answered(request: HttpRequest, item: ReviewItem) -> HttpResponse:
    verdict = give(request, item.event, item)
    sample = sample_to_set_aside(request, verdict)
    if verdict is None or (sample is not None and sample.status == FaceSample.Status.ACTIVE):
        return HttpResponseRedirect(_address(item))
    return HttpResponseRedirect(reverse("admin:recognition_reviewbatch_next", args=[item.batch_id]))


def _shown(owner: ModelAdmin[ReviewBatch], request: HttpRequest, item: ReviewItem) -> HttpResponse:
    event = RecognitionEvent.objects.select_related(
        "best_person", "best_sample", "runner_up", "checkpoint", "claimed_person", "policy"
    ).get(pk=item.event_id)
    user = actor_of(request)
    given = own_verdict(event, user)
    progress = reviews_read.progress(item.batch, user)
    waits = reviews_read.queue(user, batch=item.batch).filter(pk=item.pk).exists()
    total = progress.done + progress.left
    number = progress.done + 1 if waits else progress.done
    place = gettext("%(number)d of %(total)d") % {"number": number, "total": total}
    best, runner_up = event.best_sample, _photo_of_runner_up(event)
    context: dict[str, Any] = {
        **owner.admin_site.each_context(request),
        "opts": ReviewBatch._meta,
        "original": item.batch,
        "title": gettext("Review %(number)d: %(place)s") % {"number": item.batch_id, "place": place},
        "item": item,
        "event": event,
        "detail": event_detail.detail(event),
        "scores": _scores(event, best),
        "runner_up_sample": runner_up,
        "runner_up_similarity": event.similarity - event.margin
        if event.similarity is not None and event.margin is not None
        else None,
        "verdicts": offered(event, given),
        "given": given,
        "progress": progress,
        "total": total,
        "place": place,
        "waits": waits,
        "sample_to_set_aside": sample_to_set_aside(request, given),
        "here": _address(item),
    }
    return TemplateResponse(request, "admin/recognition/reviewbatch/item.html", context)


def _set_aside(request: HttpRequest, verdict_id: int) -> HttpResponse:
    require(request, SET_ASIDE)
    verdict = get_object_or_404(Verdict, pk=verdict_id, by=actor_of(request))
    try:
        reviews.set_sample_aside(verdict=verdict, actor=actor_of(request))
    except reviews.VerdictRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, gettext("The sample is set aside. Whoever enrols people can put it back."))
    return back(request, reverse("admin:recognition_recognitionevent_change", args=[verdict.event_id]))


def _photo_of_runner_up(event: RecognitionEvent) -> int | None:
    """A photo of the next person: which of theirs was the next closest is not kept."""
    if event.runner_up is None:
        return None
    samples = event.runner_up.samples.filter(status=FaceSample.Status.ACTIVE)
    return samples.order_by("pk").values_list("pk", flat=True).first()


def _scores(event: RecognitionEvent, sample: FaceSample | None) -> list[ScoreRow]:
    probe = event.quality.get("scores", {})
    other = sample.quality.get("scores", {}) if sample is not None else {}
    return [
        ScoreRow(str(quality_table.SCORES[code]), str(probe.get(code, NOTHING)), str(other.get(code, NOTHING)))
        for code in _COMPARED
        if code in probe or code in other
    ]


def _address(item: ReviewItem) -> str:
    return reverse("admin:recognition_reviewbatch_item", args=[item.batch_id, item.position])
