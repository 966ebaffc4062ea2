"""Error rates as measured by what reviewers said of real transactions."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from recognition.admin import charts, csv_files, rates
from recognition.admin.base import actor_of
from recognition.admin.charts import Bars, Chart
from recognition.admin.threshold_rows import RateCell
from recognition.evaluation.intervals import Method
from recognition.evaluation.measured_rates import Measured, RateName
from recognition.models import EventPlace, ReviewBatch
from recognition.selectors import error_rates, reviews
from recognition.selectors.error_rates import LOOKED_BACK, VIDEO, Dimension, DrawThinned, ErrorRates, GroupRates
from recognition.selectors.reviews import Remains

NEEDED = "recognition.view_verdict"

_EVERYTHING = "all"

_MEANINGS = {
    RateName.FMR: gettext_lazy("Claims of somebody else that matched the claimed person"),
    RateName.FNMR: gettext_lazy("Claims of the right person that did not match"),
    RateName.FPIR: gettext_lazy("Searches for a stranger that named somebody"),
    RateName.FNIR: gettext_lazy("Searches for an enrolled person that did not name them"),
    RateName.FAR: gettext_lazy("Transactions of people who had to be refused that were accepted"),
    RateName.FRR: gettext_lazy(
        "Transactions of people who had to be accepted that were not, those without a decision included"
    ),
    RateName.FTA: gettext_lazy("Transactions in which no face could be compared; of all there were"),
}

_MEANINGS_OF_DECIDED = {
    **_MEANINGS,
    RateName.FAR: gettext_lazy("Accepts and refusals of people who had to be refused that were accepts"),
    RateName.FRR: gettext_lazy("Accepts and refusals of people who had to be accepted that were refusals"),
}

_METHODS = {
    Method.CLOPPER_PEARSON: "Clopper-Pearson",
    Method.KORN_GRAUBARD: "Korn-Graubard",
    Method.RULE_OF_THREE: gettext_lazy("rule of three"),
}

_DIMENSIONS = {
    Dimension.CHECKPOINT: gettext_lazy("By checkpoint"),
    Dimension.HOUR: gettext_lazy("By hour of the day"),
    Dimension.POLICY: gettext_lazy("By policy version"),
    Dimension.QUALITY: gettext_lazy("By quality of the face"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class RateRow:
    """One rate of all transactions.

    Args:
        name: its abbreviation.
        meaning: what it is the share of.
        cell: the rate.
        method: how its interval was made; empty where nothing was counted.
    """

    name: str
    meaning: str
    cell: RateCell
    method: str


@dataclasses.dataclass(frozen=True, slots=True)
class GroupRow:
    """The rates of one group.

    Args:
        label: of the group.
        judged: how many of its transactions were judged.
        cells: its rates, in the order of `RateName`; those that are not known for it are empty.
    """

    label: str
    judged: int
    cells: tuple[RateCell, ...]


def addresses(owner: ModelAdmin[Any]) -> list[URLPattern]:
    """The page and its file."""
    view, page = owner.admin_site.admin_view, _Page(owner)
    return [
        path("error-rates/", view(page.show), name="recognition_thresholdpolicy_error_rates"),
        path("error-rates/rates.csv", view(page.save), name="recognition_thresholdpolicy_error_rates_file"),
    ]


class _Page:
    def __init__(self, owner: ModelAdmin[Any]) -> None:
        self._owner = owner

    def show(self, request: HttpRequest) -> HttpResponse:
        _require(request)
        context = {**self._owner.admin_site.each_context(request), "title": gettext("Error rates")}
        template = "admin/recognition/thresholdpolicy/error_rates.html"
        return TemplateResponse(request, template, {**context, **_context(request)})

    def save(self, request: HttpRequest) -> HttpResponse:
        _require(request)
        batch, _ = _asked(request)
        found = None if _is_open(request, batch) else _measured(batch, tuple(Dimension))
        if not found or isinstance(found, Remains):
            page = reverse("admin:recognition_thresholdpolicy_error_rates")
            return HttpResponseRedirect(f"{page}?batch={_chosen(batch)}")  # which says why there is no file
        return csv_files.response("faceweb-error-rates", _HEADER, _lines(found))


def _require(request: HttpRequest) -> None:
    if not actor_of(request).has_perm(NEEDED):
        raise PermissionDenied


def _is_open(request: HttpRequest, batch: ReviewBatch | None) -> bool:
    """Whether something of the draw waits for the user, who is to judge it without knowing what others said."""
    return reviews.waiting_for(actor_of(request), batch=batch).exists()


def _measured(batch: ReviewBatch | None, dimensions: Sequence[Dimension]) -> tuple[ErrorRates, ...] | Remains:
    """The rates; where there are none because retention removed events of the draw, what it left."""
    try:
        return error_rates.error_rates(batch, dimensions, now=timezone.now())
    except DrawThinned as thinned:
        return thinned.remains


def _chosen(batch: ReviewBatch | None) -> str:
    return _EVERYTHING if batch is None else str(batch.pk)


def _asked(request: HttpRequest) -> tuple[ReviewBatch | None, Dimension]:
    """The draw and the dimension that the address names; the newest draw and checkpoints where it names none."""
    wanted, by = request.GET.get("batch", ""), request.GET.get("by") or Dimension.CHECKPOINT
    if by not in set(Dimension):
        raise Http404
    if wanted == _EVERYTHING:
        return None, Dimension(by)
    drawn = error_rates.batches(actor_of(request))
    if not wanted:
        return (drawn[0] if drawn else None), Dimension(by)
    batch = next((each for each in drawn if str(each.pk) == wanted), None)
    if batch is None:
        raise Http404
    return batch, Dimension(by)


def _context(request: HttpRequest) -> dict[str, Any]:
    batch, dimension = _asked(request)
    batches = error_rates.batches(actor_of(request))
    if not batches and not error_rates.has_verdicts():
        return {}
    choice: dict[str, Any] = {
        "batch": batch,
        "batches": batches,
        "chosen": _chosen(batch),
        "dimensions": [(code.value, text, code is dimension) for code, text in _DIMENSIONS.items()],
        "is_open": _is_open(request, batch),
    }
    if choice["is_open"]:
        return choice
    measured = _measured(batch, (dimension,))
    if isinstance(measured, Remains):
        return {**choice, "remains": measured}
    (found,) = measured
    return {
        **choice,
        "found": found,
        "days": LOOKED_BACK.days,
        "dimension_label": _DIMENSIONS[dimension],
        "names": [name.value for name in RateName],
        "rows": tuple(_rows(found)),
        "groups": tuple(_group(each, dimension) for each in found.groups),
        "chart": _chart(found),
    }


def _rows(found: ErrorRates) -> Iterator[RateRow]:
    meanings = _MEANINGS if found.counts_all else _MEANINGS_OF_DECIDED
    for rate in found.rates:
        method = str(_METHODS[rate.interval.method]) if rate.interval else ""
        yield RateRow(rate.name.value, str(meanings[rate.name]), _cell(rate), method)


def _group(found: GroupRates, dimension: Dimension) -> GroupRow:
    by_name = {rate.name: rate for rate in found.rates}
    nothing = RateCell("", "", "")
    cells = tuple(_cell(by_name[name]) if name in by_name else nothing for name in RateName)
    return GroupRow(_label(found, dimension), found.judged, cells)


def _label(found: GroupRates, dimension: Dimension) -> str:
    match dimension:
        case Dimension.CHECKPOINT:
            return str(EventPlace(found.label, is_video=found.key == VIDEO))
        case Dimension.HOUR:
            return f"{int(found.key):02d}:00"
        case Dimension.POLICY:
            return gettext("version %(version)s") % {"version": found.key}
        case _ if found.key:
            numbers = {"tenth": found.key, "lowest": found.label}
            return gettext("tenth %(tenth)s, from score %(lowest)s") % numbers
        case _:
            return gettext("not scored")


def _cell(rate: Measured) -> RateCell:
    if rate.share is None:
        return RateCell("", "", "")
    counted = gettext("%(errors)s of %(trials)s") % {
        "errors": rates.count(rate.errors),
        "trials": rates.count(rate.trials),
    }
    return RateCell(rates.percent(rate.share), counted, rates.interval(rate.interval))


def _chart(found: ErrorRates) -> Chart:
    shown = {RateName.FAR: charts.SECOND, RateName.FRR: charts.FIRST}
    by_name = [{rate.name: rate.share for rate in group.rates} for group in found.groups]
    return charts.bars(
        [_label(group, found.dimension) for group in found.groups],
        *(
            Bars(name.value, [_hundred(rates_of.get(name)) for rates_of in by_name], colour)
            for name, colour in shown.items()
        ),
        unit=gettext("% of transactions"),
        summary=gettext(
            "Two bars for each group: how many of the transactions that had to be refused were accepted (FAR), and of "
            "those that had to be accepted were not (FRR). The table below has the numbers."
        ),
    )


def _hundred(share: float | None) -> float | None:
    return None if share is None else 100.0 * share


_HEADER = ("by", "group", "label", "rate", "errors", "trials", "share", "low", "high", "method")


def _lines(found: Sequence[ErrorRates]) -> Iterator[tuple[object, ...]]:
    for rate in found[0].rates:
        yield "all", "", "", *_numbers(rate)
    for each in found:
        for group in each.groups:
            for rate in group.rates:
                yield each.dimension.value, group.key, group.label, *_numbers(rate)


def _numbers(rate: Measured) -> tuple[object, ...]:
    sure = rate.interval
    ends = (sure.low, sure.high, sure.method.value) if sure else (None, None, None)
    return rate.name.value, rate.errors, rate.trials, rate.share, *ends
