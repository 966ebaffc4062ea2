"""What is said of a video, in pages and tables."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext, ngettext

from recognition.decision import appearances
from recognition.decision.appearances import Appearance
from recognition.decision.verdict import Decision
from recognition.import_wording import spreadsheet_cell

COLUMNS = ("kind", "person", "name", "first_s", "last_s", "appearances", "similarity", "decision", "face")
"""Of the table of a video. "face" numbers those that nobody was recognised by, as page and command do."""


def clock(at_s: float) -> str:
    """A time in a video, as players show it, to a tenth of a second."""
    tenths = round(at_s * 10)
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{tenths // 10:02d}.{tenths % 10}"
    return f"{hours}:{minutes:02d}:{seconds}" if hours else f"{minutes}:{seconds}"


def span(first_s: float, last_s: float) -> str:
    """From when to when; one time where both are shown alike."""
    first, last = clock(first_s), clock(last_s)
    return first if first == last else gettext("%(first)s to %(last)s") % {"first": first, "last": last}


def rows(seen: Sequence[Appearance]) -> Iterator[tuple[object, ...]]:
    """The table of a video: the people in it, then every appearance."""
    numbers = itertools.count(1)
    for person in appearances.people(seen):
        name = spreadsheet_cell(person.person_name)
        figures = (
            f"{person.first_s:.3f}",
            f"{person.last_s:.3f}",
            len(person.appearances),
            f"{person.similarity:.4f}",
        )
        yield "person", person.person_id, name, *figures, Decision.ACCEPT.value, ""
    for each in seen:
        similarity = "" if each.similarity is None else f"{each.similarity:.4f}"
        figures = (f"{each.first_s:.3f}", f"{each.last_s:.3f}", 1, similarity)
        decision = each.decision.value if each.decision else ""
        number = next(numbers) if each.person_id is None else ""
        yield "appearance", each.person_id or "", spreadsheet_cell(each.person_name), *figures, decision, number


def progress(*, done: int, total: int, passed: dt.timedelta) -> str:
    """How far a video is, in a sentence.

    Args:
        done: frames that were dealt with.
        total: frames in all; 0 where the file does not say.
        passed: since it was begun.
    """
    if not total or not done:
        return gettext("%(done)d frames were watched.") % {"done": done}
    left_s = passed.total_seconds() * (total - done) / done
    share = {"percent": 100 * done // total}
    if left_s < 60:
        return gettext("%(percent)d %% is watched, less than a minute is left.") % share
    minutes = round(left_s / 60)
    text = ngettext(
        "%(percent)d %% is watched, about %(count)d minute is left.",
        "%(percent)d %% is watched, about %(count)d minutes are left.",
        minutes,
    )
    return text % {**share, "count": minutes}


def watched(result: Mapping[str, int]) -> str:
    """What was found in a video, in a sentence."""
    people = ngettext("%(count)d person was recognised", "%(count)d people were recognised", result["people"])
    stored = ngettext("%(count)d event was stored.", "%(count)d events were stored.", result["events"])
    parts = {"people": people % {"count": result["people"]}, "stored": stored % {"count": result["events"]}}
    return gettext("%(people)s, %(stored)s") % parts


def compared(check: Mapping[str, Any]) -> str:
    """What a comparison of a person with a video said, in a sentence.

    Args:
        check: the fields of a `VideoComparison`.
    """
    if check["best"] is None:
        return gettext(
            "Not compared: no face of the video was good enough, or this person has no sample of the active pack."
        )
    said = {
        Decision.ACCEPT: gettext("Yes"),
        Decision.REJECT_NO_MATCH: gettext("No"),
        None: gettext("Not decided, as the pack has no measured thresholds"),
    }[check["decision"]]
    frames = ngettext("%(count)d frame", "%(count)d frames", check["frames"])
    numbers = {
        "said": said,
        "mean": f"{check['mean']:.3f}",
        "best": f"{check['best']:.3f}",
        "threshold": gettext("none") if check["threshold"] is None else f"{check['threshold']:.3f}",
        "frames": frames % {"count": check["frames"]},
        "when": span(check["first_s"], check["last_s"]),
    }
    text = gettext(
        "%(said)s: mean similarity %(mean)s over %(frames)s, best %(best)s, threshold %(threshold)s; %(when)s."
    )
    return text % numbers
