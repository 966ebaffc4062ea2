"""How a classifier stands, in words: for the pages and for the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext, ngettext

from recognition.selectors.classifiers import Standing, State


def note(standing: Standing) -> str:
    """What the state of a classifier means, and what to do; empty where nothing is."""
    match standing.state:
        case State.FRESH:
            return ""
        case State.OUTDATED if standing.is_needed:
            return gettext(
                "The gallery changed since it was trained. Whoever came since is not accepted until it is trained "
                "again; where a jobs process runs, that begins by itself within five minutes."
            )
        case State.OUTDATED:
            return gettext(
                "The gallery changed since it was trained. No policy asks it, so it is not trained again by itself."
            )
        case State.DAMAGED if standing.is_needed:
            return gettext("What is stored is damaged, and a policy asks it: nobody is accepted there. Train it.")
        case State.DAMAGED:
            return gettext("What is stored is damaged. Train it before a policy asks it.")
        case State.MISSING if standing.is_needed:
            return gettext("It is not there, and a policy asks it: nobody is accepted there. Train it.")
        case _:
            return gettext("It was never trained with this model pack.")


def learned(result: Mapping[str, Any]) -> str:
    """What classifiers learned, in a sentence."""
    people = ngettext("%(count)d person", "%(count)d people", result["people"]) % {"count": result["people"]}
    samples = ngettext("%(count)d sample", "%(count)d samples", result["samples"]) % {"count": result["samples"]}
    numbers = {"people": people, "samples": samples, "seen": result["seen"], "made_up": result["made_up"]}
    return (
        gettext("Learned: %(people)s with %(samples)s; as other people %(seen)d faces seen and %(made_up)d made up.")
        % numbers
    )
