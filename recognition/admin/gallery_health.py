"""How healthy the gallery is: what the newest check found, what to do about each finding, and a check of now."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import date as formatted
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy, ngettext

from recognition import search_wording, wording
from recognition.admin import job_detail
from recognition.admin.base import actor_of
from recognition.admin.findings import Finding, FoundPerson
from recognition.models import Job
from recognition.selectors import gallery_health, jobs
from recognition.selectors.gallery_health import Fault, FaultKind, GalleryHealth
from recognition.selectors.health import Enrolled

SHOWN_AT_ONCE = 10
"""Findings of a kind that are shown at once; the others are folded below them."""

_KINDS = {
    "confusable": (
        gettext_lazy("People who may be taken for each other"),
        gettext_lazy(
            "Two samples of different people reach %(threshold)s, the threshold of a verification. Either one of "
            "the samples is the other person's, or it is one person under two names, or the two look alike."
        ),
    ),
    "outliers": (
        gettext_lazy("Samples that do not fit their person"),
        gettext_lazy(
            "No other sample of the person reaches %(threshold)s with it. It may show somebody else, or the person "
            "as the camera never sees them."
        ),
    ),
    "duplicates": (
        gettext_lazy("Samples that are there twice"),
        gettext_lazy(
            "Two samples of one person reach %(duplicate_threshold)s: nearly the same picture, of which one is enough. "
            "Another view of the person helps more."
        ),
    ),
    "thin": (
        gettext_lazy("People with too few views"),
        gettext_lazy("Fewer than two samples are searched, or none from the front. Add photos."),
    ),
    "unseen": (
        gettext_lazy("People who were never recognised"),
        gettext_lazy(
            "Enrolled over 30 days ago. They may not come here, or their photos show somebody else or too little."
        ),
    ),
    "stale": (
        gettext_lazy("People who were not recognised for long"),
        gettext_lazy("Not for 180 days. Set those inactive who have left, and add photos of those who look different."),
    ),
}


@dataclasses.dataclass(frozen=True, slots=True)
class HealthSection:
    """Findings of one kind, as the page lists them.

    Args:
        code: of the kind.
        heading: what they are.
        meaning: why it matters, and what to do.
        count: how many are left.
        first: those that are shown at once.
        folded: the others that are listed.
        settled: how many were dealt with since the check.
        left_out: how many more there are.
    """

    code: str
    heading: str
    meaning: str
    count: int
    first: tuple[Finding, ...]
    folded: tuple[Finding, ...]
    settled: int
    left_out: int


def may_see(request: HttpRequest) -> bool:
    """Whether the user may open the page: it tells of people, and of a job."""
    return actor_of(request).has_perms(["recognition.view_person", "recognition.view_job"])


def address(owner: ModelAdmin[Any]) -> URLPattern:
    """The address of the page."""

    def view(request: HttpRequest) -> HttpResponse:
        if not may_see(request):
            raise PermissionDenied
        site = owner.admin_site.each_context(request)
        context = {**site, "title": gettext("Gallery health"), **_context(request)}
        return TemplateResponse(request, "admin/recognition/person/health.html", context)

    return path("health/", owner.admin_site.admin_view(view), name="recognition_person_health")


def _context(request: HttpRequest) -> dict[str, Any]:
    # In this order: a check that ends between the two is shown with what it found, never as if none had been done.
    newest = gallery_health.newest_job()
    health = gallery_health.latest(now=timezone.now())
    is_open = newest is not None and newest.is_open
    return {
        "health": health,
        "sections": _sections(health) if health is not None else (),
        "summary": job_detail.compared(health.job.result) if health is not None else "",
        "recall": search_wording.recall(health.recall) if health is not None and health.recall is not None else "",
        "job": newest,
        "job_sentence": job_detail.sentence(newest) if newest is not None else "",
        "ended_otherwise": newest is not None and newest.state in (Job.State.FAILED, Job.State.CANCELLED),
        "nobody_works": is_open and not jobs.is_anybody_working(),
        "may_request": actor_of(request).has_perm("recognition.add_job"),
    }


def _sections(health: GalleryHealth) -> tuple[HealthSection, ...]:
    names = jobs.names(person for kind in health.kinds for fault in kind.faults for person in fault.people)
    result = health.job.result
    limits = {name: result[name] for name in ("threshold", "duplicate_threshold")}
    return tuple(_section(kind, names, limits) for kind in health.kinds)


def _section(kind: FaultKind, names: Mapping[int, str], limits: Mapping[str, float]) -> HealthSection:
    heading, meaning = _KINDS[kind.code]
    limit = limits["duplicate_threshold" if kind.code == "duplicates" else "threshold"]
    findings = tuple(_finding(kind.code, fault, names, limit) for fault in kind.faults)
    return HealthSection(
        code=kind.code,
        heading=str(heading),
        meaning=str(meaning) % {name: f"{value:.3f}" for name, value in limits.items()},
        count=kind.count,
        first=findings[:SHOWN_AT_ONCE],
        folded=findings[SHOWN_AT_ONCE:],
        settled=kind.settled,
        left_out=kind.left_out,
    )


def _finding(code: str, fault: Fault, names: Mapping[int, str], limit: float) -> Finding:
    people = tuple(
        FoundPerson(person, names.get(person, ""), sample)
        for person, sample in zip(fault.people, fault.samples, strict=True)
    )
    if fault.similarity is not None:
        similarity = wording.compared(fault.similarity, limit)["has"]
        if code == "outliers":
            return Finding(people, note=gettext("similarity to the others: at most %(has)s") % {"has": similarity})
        return Finding(people, similarity)
    return Finding(people, note=_note(code, fault.enrolled) if fault.enrolled is not None else "")


def _note(code: str, enrolled: Enrolled) -> str:
    if code == "stale":
        return gettext("last recognised %(at)s") % {"at": formatted(enrolled.last_seen, "DATE_FORMAT")}
    if code == "unseen":
        return gettext("enrolled %(at)s") % {"at": formatted(enrolled.since, "DATE_FORMAT")}
    if not enrolled.samples:
        return gettext("no photo is searched")
    samples = ngettext("%(count)d sample", "%(count)d samples", enrolled.samples) % {"count": enrolled.samples}
    return gettext("%(samples)s, none from the front") % {"samples": samples} if enrolled.no_front else samples
