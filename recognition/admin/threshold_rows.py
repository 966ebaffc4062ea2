"""Measured thresholds as the rows of tables that people read."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext

from recognition.admin import rates
from recognition.evaluation import targets
from recognition.evaluation.error_rates import LEAST_FALSE_MATCHES
from recognition.evaluation.targets import Rate, Target
from recognition.models import ModelPack
from recognition.selectors.thresholds import FPIR_KEPT, Holding

MOST_SUITED = 1_000_000
"""A threshold for more samples than this is said to suit "any" gallery: no measurement reaches so far."""


@dataclasses.dataclass(frozen=True, slots=True)
class RateCell:
    """A measured rate.

    Args:
        share: as a percentage; empty where nothing was counted.
        counted: how many of how many.
        interval: between which rates the true one lies, with a confidence of 95 %.
    """

    share: str
    counted: str
    interval: str


@dataclasses.dataclass(frozen=True, slots=True)
class TargetRow:
    """The threshold for a wanted rate.

    Args:
        wanted: the rate.
        threshold: the similarity; empty where there is none.
        wrong: FMR or FPIR as measured there.
        missed: FNMR or FNIR there.
        is_supported: whether enough was compared.
        reason: why not; empty where it was.
        published: the pack's own threshold for that rate, of a search among so many samples; empty without one.
        propose: where a version with that threshold is proposed; empty where too little supports it.
        what_if: where the log is decided anew with it; empty where too little supports it.
    """

    wanted: str
    threshold: str
    wrong: RateCell
    missed: RateCell
    is_supported: bool
    reason: str
    published: str
    propose: str
    what_if: str


@dataclasses.dataclass(frozen=True, slots=True)
class HoldingRow:
    """A version in force.

    Args:
        scope: where it decides.
        version: its number.
        policy_id: primary key.
        identification: threshold of searches.
        verification: threshold of claims.
        rates: FMR, FNMR, FPIR and FNIR of the two as measured; empty without a measurement.
        suits: up to how many samples the search is meant, in words.
        warning: what to do where the gallery has outgrown it; empty where it has not.
    """

    scope: str
    version: int
    policy_id: int
    identification: str
    verification: str
    rates: tuple[RateCell, ...]
    suits: str
    warning: str


def cell(rate: Rate) -> RateCell:
    """A rate in words."""
    share = rate.share
    return RateCell(
        share=rates.percent(share) if share is not None else "",
        counted=rates.counted(rate),
        interval=rates.interval(rate.interval),
    )


def claims(found: Iterable[Target], pack: ModelPack) -> tuple[TargetRow, ...]:
    """Thresholds of claims, beside those that the pack publishes."""
    published = {float(point["fmr"]): float(point["threshold"]) for point in pack.operating_points}
    return tuple(
        _row(
            each,
            "verification_threshold",
            gettext(
                "Too few: there are %(trials)s comparisons of different people, and a rate of %(wanted)s takes "
                "%(needed)s to show %(errors)d errors."
            ),
            similarity(published.get(each.wanted)),
        )
        for each in found
    )


def searches(found: Iterable[Target], pack: ModelPack, samples: int) -> tuple[TargetRow, ...]:
    """Thresholds of searches among so many samples, beside those that the pack publishes for as many."""
    return tuple(
        _row(
            each,
            "identification_threshold",
            gettext(
                "Too few: %(trials)s samples were searched as strangers, and a rate of %(wanted)s takes %(needed)s to "
                "show %(errors)d errors."
            ),
            similarity(_published(pack, each.wanted, samples)),
        )
        for each in found
    )


def _published(pack: ModelPack, fpir: float, samples: int) -> float | None:
    """The lowest threshold of the pack whose false match rate keeps that rate among so many samples."""
    keeping = (
        float(point["threshold"])
        for point in pack.operating_points
        if targets.expected_fpir(float(point["fmr"]), samples) <= fpir
    )
    return min(keeping, default=None)


def holding(held: Holding) -> HoldingRow:
    """A version in force, and whether it still suits the gallery."""
    policy = held.policy
    measured = (*(held.verification or ()), *(held.identification or ()))
    return HoldingRow(
        scope=str(policy.checkpoint) if policy.checkpoint else gettext("everywhere else"),
        version=policy.version,
        policy_id=policy.pk,
        identification=similarity(policy.identification_threshold),
        verification=similarity(policy.verification_threshold),
        rates=tuple(map(cell, measured)),
        suits=_suits(held),
        warning=warning(held) if held.is_outgrown else "",
    )


def warning(held: Holding) -> str:
    """That the gallery has outgrown a threshold, and what to do."""
    return _outgrown(held) % {
        "threshold": similarity(held.policy.identification_threshold),
        "version": held.policy.version,
        "kept": rates.percent_plain(FPIR_KEPT),
        "suits": rates.count(held.suits or 0),
        "samples": rates.count(held.samples),
        "expected": rates.percent(held.fpir or held.expected_fpir or 0.0),
    }


def _outgrown(held: Holding) -> str:
    if held.fpir is not None:
        return gettext(
            "The gallery has outgrown the identification threshold %(threshold)s of version %(version)d: as measured "
            "here, it names %(expected)s of all strangers, which is more than %(kept)s. Propose a higher one."
        )
    if held.is_below_published:
        return gettext(
            "The gallery has outgrown the identification threshold %(threshold)s of version %(version)d: it is lower "
            "than every threshold that the pack publishes, so it keeps wrong names of strangers at %(kept)s up to "
            "%(suits)s samples at most, and %(samples)s are searched, with which about %(expected)s of all strangers "
            "or more are named. Propose a higher one."
        )
    return gettext(
        "The gallery has outgrown the identification threshold %(threshold)s of version %(version)d: it keeps wrong "
        "names of strangers at %(kept)s up to %(suits)s samples, and %(samples)s are searched, with which about "
        "%(expected)s of all strangers are named. Propose a higher one."
    )


def similarity(value: float | None) -> str:
    """A threshold as tables show it; empty for none."""
    return "" if value is None else f"{value:.3f}"


def _suits(held: Holding) -> str:
    if held.fpir is not None:
        return gettext("fewer samples, as measured here") if held.is_outgrown else gettext("this gallery, as measured")
    if held.suits is None:
        return gettext("not known")
    if held.suits > MOST_SUITED and not held.is_below_published:
        return gettext("any gallery")
    if held.is_of_gallery:
        text = gettext("%(samples)s samples, as measured here")
    elif held.is_below_published:
        text = gettext("at most %(samples)s samples, by the pack's numbers")
    else:
        text = gettext("%(samples)s samples, by the pack's numbers")
    return text % {"samples": rates.count(held.suits)}


def _row(found: Target, field: str, too_few: str, published: str) -> TargetRow:
    threshold = similarity(found.threshold)
    values = urlencode({field: threshold})
    is_supported = found.is_supported
    return TargetRow(
        wanted=rates.target(found.wanted),
        threshold=threshold,
        wrong=cell(found.wrong),
        missed=cell(found.missed),
        is_supported=is_supported,
        reason=""
        if is_supported
        else too_few
        % {
            "trials": rates.count(found.wrong.trials),
            "wanted": rates.target(found.wanted),
            "needed": rates.count(found.needed),
            "errors": LEAST_FALSE_MATCHES,
        },
        published=published,
        propose=f"{reverse('admin:recognition_thresholdpolicy_add')}?{values}" if is_supported else "",
        what_if=f"{reverse('admin:recognition_thresholdpolicy_what_if')}?{values}" if is_supported else "",
    )
