"""Classifiers: how they stand, what they are worth beside the other strategies, and the button that trains them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, gettext_lazy

from recognition import classifier_wording
from recognition.admin import job_detail, rates, threshold_rows
from recognition.admin.base import ReadOnlyAdmin, actor_of, require
from recognition.admin.threshold_rows import RateCell
from recognition.decision.matching import Strategy
from recognition.evaluation.targets import Rate
from recognition.models import Job, ThresholdPolicy, TrainedClassifier
from recognition.selectors import classifiers as read
from recognition.selectors import jobs as jobs_read
from recognition.selectors import packs
from recognition.selectors.classifiers import Standing, State
from recognition.selectors.packs import NoActivePack
from recognition.services import classifiers
from recognition.services.jobs import JobRefused

LIST = "admin:recognition_trainedclassifier_changelist"
TRAIN = "recognition.train_classifiers"

_STATES = {
    State.MISSING: gettext_lazy("none"),
    State.DAMAGED: gettext_lazy("damaged"),
    State.OUTDATED: gettext_lazy("gallery changed since"),
    State.FRESH: gettext_lazy("fresh"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class StandingRow:
    """A kind of classifier on the page.

    Args:
        standing: how it stands.
        name: of the kind.
        state: in a few words.
        note: what that means and what to do; empty where nothing is.
    """

    standing: Standing
    name: str
    state: str
    note: str


@dataclasses.dataclass(frozen=True, slots=True)
class ComparedRow:
    """A strategy in the table.

    Args:
        name: of the strategy.
        rates: samples whose own person is the closest, samples that are not named as their own person, and other
            people who are named.
    """

    name: str
    rates: tuple[RateCell, RateCell, RateCell]


@admin.register(TrainedClassifier)
class TrainedClassifierAdmin(ReadOnlyAdmin):
    """One page of all classifiers with the pack in use."""

    fields = ("kind", "pack", "people", "samples", "others", "policy_version", "trained_at", "trained_by")

    def get_urls(self) -> list[URLPattern]:
        """What trains them, beside the usual pages."""
        view = self.admin_site.admin_view(self._train)
        return [path("train/", view, name="recognition_trainedclassifier_train"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """How each kind stands, and the newest comparison."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "opts": TrainedClassifier._meta,
            "title": gettext("Classifiers"),
            **_job_context(request),
            **_context(request),
        }
        return TemplateResponse(request, "admin/recognition/trainedclassifier/list.html", context)

    def _train(self, request: HttpRequest) -> HttpResponse:
        require(request, TRAIN)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            classifiers.ask_for_training(actor=actor_of(request))
        except JobRefused as refused:
            messages.error(request, str(refused))
        return HttpResponseRedirect(reverse(LIST))


def _context(request: HttpRequest) -> dict[str, Any]:
    try:
        pack = packs.active()
    except NoActivePack:
        return {"pack": None}
    context = {"pack": pack, "rows": [_row(each) for each in read.standings(pack)]}
    done = read.newest_comparison(pack.id)
    return context if done is None else {**context, "done": done, **_compared(done.result)}


def _job_context(request: HttpRequest) -> dict[str, Any]:
    newest = read.newest_job()
    is_open = newest is not None and newest.is_open
    user = actor_of(request)
    return {
        "job": newest,
        "percent": 100 * newest.done // newest.total if newest is not None and newest.total else None,
        "job_sentence": job_detail.sentence(newest) if newest is not None else "",
        "ended_otherwise": newest is not None and newest.state in (Job.State.FAILED, Job.State.CANCELLED),
        "nobody_works": is_open and not jobs_read.is_anybody_working(),
        "may_train": user.has_perm(TRAIN),
        "may_cancel": is_open and user.has_perm("recognition.cancel_job"),
        "may_see_job": user.has_perm("recognition.view_job"),
    }


def _row(standing: Standing) -> StandingRow:
    name = TrainedClassifier.Kind(standing.strategy.value).label
    return StandingRow(standing, str(name), str(_STATES[standing.state]), classifier_wording.note(standing))


def _compared(result: Mapping[str, Any]) -> dict[str, Any]:
    table = [_compared_row(strategy, result["table"][strategy.value]) for strategy in Strategy]
    return {
        "table": table,
        "learned": classifier_wording.learned(result),
        "threshold": threshold_rows.similarity(result["threshold"]),
        "margin": result["margin"],
        "version": result["policy"],
    }


def _compared_row(strategy: Strategy, counted: Mapping[str, int]) -> ComparedRow:
    return ComparedRow(
        name=str(ThresholdPolicy.Strategy(strategy.value).label),
        rates=(
            _hits(counted["first"], counted["mated"]),
            threshold_rows.cell(Rate(counted["missed"], counted["mated"])),
            threshold_rows.cell(Rate(counted["named"], counted["non_mated"])),
        ),
    )


def _hits(hits: int, trials: int) -> RateCell:
    """A share of what went right, with the interval of what did not."""
    wrong = Rate(trials - hits, trials).interval
    if wrong is None:
        return RateCell("", "", "")
    numbers = {"low": rates.percent(1 - wrong.high), "high": rates.percent(1 - wrong.low)}
    return RateCell(
        rates.percent(hits / trials), rates.counted(Rate(hits, trials)), gettext("%(low)s to %(high)s") % numbers
    )
