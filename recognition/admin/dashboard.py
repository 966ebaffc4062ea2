"""The first page: what is decided, what waits for somebody, and whether everything runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, gettext_lazy, ngettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from recognition import sealing_wording
from recognition.admin import charts, csv_files, rates
from recognition.admin.base import actor_of
from recognition.admin.charts import Bars, Chart
from recognition.decision.retention import RetentionClass
from recognition.selectors import activity, anchoring, overview, reviews, system
from recognition.selectors.activity import Period, Tally
from recognition.selectors.system import Part, State
from recognition.services import analysis

SEE_EVENTS = "recognition.view_recognitionevent"
GIVE_VERDICTS = "recognition.add_verdict"
SEE_SYSTEM = "recognition.view_job"

_PERIODS = {
    Period.DAY: gettext_lazy("24 hours"),
    Period.WEEK: gettext_lazy("7 days"),
    Period.MONTH: gettext_lazy("30 days"),
}

_OUTCOMES = {
    RetentionClass.ACCEPTED: gettext_lazy("accepted"),
    RetentionClass.UNKNOWN: gettext_lazy("unknown"),
    RetentionClass.REFUSED: gettext_lazy("refused"),
    RetentionClass.NO_DECISION: gettext_lazy("no decision"),
}

_COLOURS = {
    RetentionClass.ACCEPTED: charts.FIRST,
    RetentionClass.UNKNOWN: charts.SECOND,
    RetentionClass.REFUSED: charts.FOURTH,
    RetentionClass.NO_DECISION: charts.THIRD,
}


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One row of a table of decisions.

    Args:
        name: of the hour, the day or the checkpoint.
        counts: of each outcome, in their order.
        total: of all.
        not_acquired: the failure to acquire with its counts; empty without any transaction, and where retention removed
            some.
    """

    name: str
    counts: tuple[int, ...]
    total: int
    not_acquired: str


@require_GET
@never_cache
def decisions_file(request: HttpRequest) -> HttpResponse:
    """The decisions over time as a file."""
    if not (request.user.is_staff and actor_of(request).has_perm(SEE_EVENTS)):
        raise PermissionDenied
    found = activity.read(period=_period(request), now=timezone.now())
    header = ["from", *(outcome.value for outcome in _OUTCOMES), "not_acquired"]
    rows = (
        (start.isoformat(), *(tally.by_outcome[outcome] for outcome in _OUTCOMES), tally.not_acquired)
        for start, tally in found.over_time
    )
    return csv_files.response(f"decisions-{found.period.value}-days", header, rows)


def with_dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Adds what `templates/admin/index.html` shows; Unfold calls it for each request of the page."""
    now, user = timezone.now(), actor_of(request)
    shown = {**context, "title": gettext("Dashboard"), "overview": overview.read(now=now)}
    if user.has_perm(GIVE_VERDICTS):
        shown["open_reviews"] = reviews.queue(user).count()
    if user.has_perm(SEE_SYSTEM):
        parts, anchored = system.look(now=now, recognises=analysis.is_up()), anchoring.read(now=now)
        shown["parts"] = [
            *((each.is_well, _said(each)) for each in parts),
            (anchored.is_well, sealing_wording.anchoring(anchored)),
        ]
    if user.has_perm(SEE_EVENTS):
        shown |= _decisions(request)
    return shown


def _period(request: HttpRequest) -> Period:
    days = request.GET.get("days", "")
    return next((period for period in Period if days == str(period.value)), Period.DAY)


def _decisions(request: HttpRequest) -> Mapping[str, Any]:
    found = activity.read(period=_period(request), now=timezone.now())
    named = [(_when(start, found.period), tally) for start, tally in found.over_time]
    return {
        "periods": [(period.value, label, period is found.period) for period, label in _PERIODS.items()],
        "days": found.period.value,
        "outcomes": list(_OUTCOMES.values()),
        "decisions": _row("", found.total, found.is_whole),
        "is_whole": found.is_whole,
        "chart": _chart(named, found.total) if found.total.total else None,
        "over_time": [_row(name, tally, found.is_whole) for name, tally in named],
        "by_checkpoint": [_row(str(place), tally, found.is_whole) for place, tally in found.by_checkpoint],
    }


def _when(start: Any, period: Period) -> str:
    return date_format(timezone.localtime(start), "TIME_FORMAT" if period is Period.DAY else "SHORT_DATE_FORMAT")


def _row(name: str, tally: Tally, is_whole: bool) -> Row:
    share = tally.failure_to_acquire
    not_acquired = ""
    if is_whole and share is not None:
        numbers = {"share": rates.percent(share), "count": tally.not_acquired, "of": tally.attempts}
        not_acquired = gettext("%(share)s (%(count)d of %(of)d)") % numbers
    return Row(name, tuple(tally.by_outcome[outcome] for outcome in _OUTCOMES), tally.total, not_acquired)


def _chart(named: list[tuple[str, Tally]], total: Tally) -> Chart:
    bars = [
        Bars(str(_OUTCOMES[outcome]), [tally.by_outcome[outcome] for _, tally in named], _COLOURS[outcome])
        for outcome in _OUTCOMES
    ]
    counts = ", ".join(f"{label} {total.by_outcome[outcome]}" for outcome, label in _OUTCOMES.items())
    summary = gettext("Decisions over time: %(counts)s. The table below has the numbers.") % {"counts": counts}
    names = [name for name, _ in named]
    return charts.bars(names, *bars, unit=gettext("Transactions"), summary=summary, is_stacked=True)


def _said(state: State) -> str:
    """How a part of the system is, and what to do where it is not well."""
    numbers = {"count": state.number, "free": filesizeformat(state.number)}
    return str(_PARTS[state.part, state.is_well] % numbers)


_PARTS = {
    (Part.RECOGNITION, True): gettext_lazy("Recognition answers."),
    (Part.RECOGNITION, False): gettext_lazy(
        "Nothing recognises faces now: no worker answers. faceweb doctor says why."
    ),
    (Part.THRESHOLDS, True): gettext_lazy("A threshold policy is in force."),
    (Part.THRESHOLDS, False): gettext_lazy(
        "No thresholds are in force: similarities are shown, and nothing is decided."
    ),
    (Part.CLASSIFIERS, True): gettext_lazy("Every classifier that a policy asks can be asked."),
    (Part.CLASSIFIERS, False): gettext_lazy(
        "A policy asks a classifier that is missing or damaged, so nobody is accepted there. See Classifiers."
    ),
    (Part.JOBS, True): gettext_lazy("Long work is taken."),
    (Part.JOBS, False): gettext_lazy("No process takes jobs, so imports and checks do not begin. Start faceweb jobs."),
    (Part.DISK, True): gettext_lazy("%(free)s are free where the state directory lies."),
    (Part.DISK, False): gettext_lazy("Only %(free)s are free where the state directory lies. Make room."),
    (Part.WEBHOOKS, True): gettext_lazy("No call of a door was late in the last 24 hours."),
    (Part.WEBHOOKS, False): ngettext_lazy(
        "%(count)d call of a door was too late in the last 24 hours.",
        "%(count)d calls of a door were too late in the last 24 hours.",
        "count",
    ),
    (Part.FAILED_JOBS, True): gettext_lazy("No job failed by a fault of the installation in the last 24 hours."),
    (Part.FAILED_JOBS, False): ngettext_lazy(
        "%(count)d job failed in the last 24 hours.", "%(count)d jobs failed in the last 24 hours.", "count"
    ),
}
