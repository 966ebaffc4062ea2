"""How well searches find whom they should, in a sentence."""

from __future__ import annotations

from django.utils.translation import gettext

from recognition.selectors.search_recall import Recall


def recall(measured: Recall) -> str:
    """What the self-test of searches found, and what to do where that is too little."""
    if not measured.probes:
        return gettext("Searches compare every template, so none is missed.")
    found = gettext("Self-test of searches: for %(found)d of %(probes)d probes the nearest sample was found.") % {
        "found": measured.found,
        "probes": measured.probes,
    }
    if not measured.is_low:
        return found
    advice = gettext(
        "That is too few: people may be missed. Set FACEWEB_EXACT_SEARCH_MAX_ROWS above the number of templates and "
        "restart, so that every template is compared; searches take longer then."
    )
    return f"{found} {advice}"
