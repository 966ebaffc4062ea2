"""Error rates in words: a share with the counts behind it, and how sure it is."""

from __future__ import annotations

import math

from django.utils.formats import number_format
from django.utils.translation import gettext

from recognition.evaluation.intervals import Interval
from recognition.evaluation.targets import Rate

_DIGITS = 2
"""Digits of a rate that are shown beyond the first one that is not 0."""

_MOST_DECIMALS = 6


def percent(share: float) -> str:
    """A rate of errors as a percentage; a similarity is never shown so."""
    value = 100.0 * share
    if value <= 0.0:
        return "0 %"
    decimals = min(_MOST_DECIMALS, max(0, _DIGITS - math.floor(math.log10(value))))
    return f"{number_format(round(value, decimals), decimal_pos=decimals if value < 100.0 else 0)} %"


def count(number: int) -> str:
    """A whole number with its thousands set apart."""
    return number_format(number, force_grouping=True)


def counted(rate: Rate) -> str:
    """How many of how many."""
    return gettext("%(errors)s of %(trials)s") % {"errors": count(rate.errors), "trials": count(rate.trials)}


def interval(found: Interval | None) -> str:
    """Between which rates the true one lies, with a confidence of 95 %; empty where nothing was counted."""
    if found is None:
        return ""
    return gettext("%(low)s to %(high)s") % {"low": percent(found.low), "high": percent(found.high)}


def target(share: float) -> str:
    """A wanted rate, as it is written in tables: 0.1 % and 1 in 10,000."""
    return percent_plain(share) if share >= 1e-3 else gettext("1 in %(count)s") % {"count": count(round(1 / share))}


def percent_plain(share: float) -> str:
    """A round percentage without the digits that it does not need."""
    return f"{number_format(f'{100.0 * share:.6f}'.rstrip('0').rstrip('.'))} %"
