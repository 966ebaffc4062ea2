"""Thresholds as measured on the site's own gallery: what each would cost, and whether those in force still suit it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext

from recognition.admin import job_detail, threshold_charts, threshold_rows
from recognition.admin.base import actor_of
from recognition.admin.findings import Finding, FoundPerson
from recognition.admin.operating_points import operating_points
from recognition.evaluation import targets
from recognition.evaluation.gallery_scores import Tally
from recognition.models import Job, ModelPack
from recognition.selectors import jobs as jobs_read
from recognition.selectors import packs, thresholds
from recognition.selectors.thresholds import Measurement
from recognition.services import jobs

VIEW = "recognition.view_thresholdpolicy"
MEASURE = ("recognition.add_thresholdpolicy", "recognition.add_job")
SEE_PEOPLE = "recognition.view_person"

LEAST_PEOPLE = 2
"""People without whom there is nobody to be taken for."""


def addresses(owner: ModelAdmin[Any]) -> list[URLPattern]:
    """The page, its files, and its button."""
    view, page = owner.admin_site.admin_view, _Page(owner)
    return [
        path("measured/", view(page.show), name="recognition_thresholdpolicy_measured"),
        path("measured/<slug:table>.csv", view(page.save), name="recognition_thresholdpolicy_measured_file"),
        path("measure/", view(page.measure), name="recognition_thresholdpolicy_measure"),
    ]


class _Page:
    def __init__(self, owner: ModelAdmin[Any]) -> None:
        self._owner = owner

    def show(self, request: HttpRequest) -> HttpResponse:
        _require(request, VIEW)
        context = {**self._owner.admin_site.each_context(request), "title": gettext("Thresholds of this gallery")}
        return TemplateResponse(
            request, "admin/recognition/thresholdpolicy/measured_page.html", {**context, **_context(request)}
        )

    def save(self, request: HttpRequest, table: str) -> HttpResponse:
        _require(request, VIEW)
        found = thresholds.latest()
        if table not in threshold_charts.FILES or found is None:
            raise Http404
        return threshold_charts.file(table, found.tally)

    def measure(self, request: HttpRequest) -> HttpResponse:
        _require(request, VIEW, *MEASURE)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            jobs.request(kind=Job.Kind.THRESHOLDS, parameters={}, actor=actor_of(request))
        except jobs.JobRefused as refused:
            self._owner.message_user(request, str(refused), messages.ERROR)
        return HttpResponseRedirect(reverse("admin:recognition_thresholdpolicy_measured"))


def _require(request: HttpRequest, *permissions: str) -> None:
    if not actor_of(request).has_perms(permissions):
        raise PermissionDenied


def _context(request: HttpRequest) -> dict[str, Any]:
    user = actor_of(request)
    pack = ModelPack.objects.filter(is_active=True).first()
    newest = thresholds.newest_job()
    is_open = newest is not None and newest.is_open
    state = packs.gallery_state(pack.pk) if pack else None
    people = state.people if state else 0
    context: dict[str, Any] = {
        "pack": pack,
        "people": people,
        "samples": state.templates if state else 0,
        "has_too_few": people < LEAST_PEOPLE,
        "job": newest,
        "job_sentence": job_detail.sentence(newest) if newest is not None else "",
        "ended_otherwise": newest is not None and newest.state in (Job.State.FAILED, Job.State.CANCELLED),
        "nobody_works": is_open and not jobs_read.is_anybody_working(),
        "may_measure": user.has_perms(MEASURE),
        "may_propose": user.has_perm("recognition.add_thresholdpolicy"),
        "published": operating_points(pack) if pack and pack.decides else (),
    }
    found = thresholds.latest()
    if pack is None or not pack.decides:
        return context
    held = thresholds.holding(pack, found)
    context["holding"] = [threshold_rows.holding(each) for each in held]
    if found is None or found.job.result["pack"] != pack.pk:
        return context
    in_force = held[0].policy if held else None
    drawn = (
        (gettext("Claims"), in_force.verification_threshold) if in_force else None,
        (gettext("Searches"), in_force.identification_threshold) if in_force else None,
    )
    return {**context, **_measured(request, found, pack, [each for each in drawn if each is not None])}


def _measured(
    request: HttpRequest, found: Measurement, pack: ModelPack, in_force: list[tuple[str, float]]
) -> dict[str, Any]:
    tally = found.tally
    return {
        "found": found,
        "summary": job_detail.compared(found.job.result),
        "strategy_differs": _strategy_differs(),
        "similarities": threshold_charts.similarities(tally, in_force),
        "similarity_rows": threshold_charts.similarity_rows(tally),
        "trade_off": threshold_charts.trade_off(tally),
        "trade_off_rows": threshold_charts.trade_off_rows(tally),
        "claims": threshold_rows.claims(targets.verification(tally), pack),
        "searches": threshold_rows.searches(targets.identification(tally), pack, found.samples),
        "mated": int(tally.mated.sum()),
        "non_mated": int(tally.non_mated.sum()),
        "pairs": _pairs(tally) if actor_of(request).has_perm(SEE_PEOPLE) else None,
    }


def _pairs(tally: Tally) -> tuple[Finding, ...]:
    names = jobs_read.names(person for pair in tally.pairs for person in pair.people)
    return tuple(
        Finding(
            tuple(
                FoundPerson(person, names.get(person, ""), sample)
                for person, sample in zip(pair.people, pair.samples, strict=True)
            ),
            threshold_rows.similarity(pair.similarity),
        )
        for pair in tally.pairs
    )


def _strategy_differs() -> bool:
    policy = packs.active().policy
    return policy is not None and policy.strategy in ("k_nearest", "centroid")
