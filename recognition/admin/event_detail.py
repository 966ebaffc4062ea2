"""One recognition event as an auditor reads it: stored codes and numbers turned into sentences when shown."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext, gettext_lazy, ngettext

from recognition import wording
from recognition.decision.policy import QualityFault, SampleReason
from recognition.decision.verdict import Decision
from recognition.models import Person, RecognitionEvent
from recognition.models.events import DECISION_LABELS

DIGITS = 3
"""Digits of a similarity that are shown; more only where two numbers would look the same."""

STORED_DIGITS = 4

STEPS = {
    "waited": gettext_lazy("waiting"),
    "decode": gettext_lazy("decoding"),
    "detect": gettext_lazy("detecting"),
    "embed": gettext_lazy("embedding"),
    "search": gettext_lazy("searching"),
    "worker": gettext_lazy("in the worker"),
}
"""The steps of `services.frames.FrameTimings`, in their order, in words."""


@dataclasses.dataclass(frozen=True, slots=True)
class VoteRow:
    """One vote as a row of the table.

    Args:
        seconds: since the face was first seen.
        code: of its decision.
        decision: in words.
        person: the closest one's name; empty when there was none, or the person was erased.
        similarity: to that person; None when nobody was enrolled.
        margin: to the next person; None with fewer than two.
        face_size_px: of the face that voted.
        sharpness: of the face that voted.
    """

    seconds: float
    code: str
    decision: str
    person: str
    similarity: float | None
    margin: float | None
    face_size_px: float
    sharpness: float


@dataclasses.dataclass(frozen=True, slots=True)
class EventDetail:
    """What the page shows beside the event's own fields.

    Args:
        sentences: why it was decided so, with the numbers behind it.
        votes: oldest first.
        duration_s: from first sight to decision.
        timings_ms: name of each step with what it took, of the frame that decided.
        runtime: what ran the networks.
    """

    sentences: tuple[str, ...]
    votes: tuple[VoteRow, ...]
    duration_s: float
    timings_ms: tuple[tuple[str, float], ...]
    runtime: str


def detail(event: RecognitionEvent) -> EventDetail:
    """Reads an event's codes and numbers, and makes what the page shows of them."""
    return EventDetail(
        sentences=(*_reasons(event), *_votes_sentence(event)),
        votes=_rows(event),
        duration_s=(event.decided_at - event.started_at).total_seconds(),
        timings_ms=tuple((str(text), event.timings[name]) for name, text in STEPS.items() if name in event.timings),
        runtime=event.timings.get("runtime", ""),
    )


def _reasons(event: RecognitionEvent) -> list[str]:
    match event.decision:
        case Decision.ACCEPT:
            return [_similarity_reaches(event), _margin_suffices(event)]
        case Decision.REJECT_NO_MATCH:
            return [_similarity_is_below(event)]
        case Decision.REJECT_AMBIGUOUS:
            return [_similarity_reaches(event), _margin_is_below(event)]
        case Decision.NO_DECISION_TIMEOUT:
            return [gettext("The face left, or the time was up, before enough votes agreed."), *_faults(event)]
        case Decision.NO_DECISION_QUALITY:
            return [gettext("No view of the face was good enough to be compared."), *_faults(event)]
        case _:
            return _faults(event)


def _similarity_reaches(event: RecognitionEvent) -> str:
    numbers = _compared(event.similarity, event.thresholds["identification_threshold"])
    return gettext("The similarity %(has)s reaches the threshold %(needs)s.") % numbers


def _similarity_is_below(event: RecognitionEvent) -> str:
    if event.similarity is None:
        return gettext("Nobody was enrolled to compare with.")
    numbers = _compared(event.similarity, event.thresholds["identification_threshold"])
    return gettext("The similarity %(has)s is below the threshold %(needs)s.") % numbers


def _margin_suffices(event: RecognitionEvent) -> str:
    if event.margin is None:
        return gettext("There was no second person to be taken for.")
    numbers = _compared(event.margin, event.thresholds["margin"])
    return gettext("The margin %(has)s to the next person reaches the %(needs)s that is required.") % numbers


def _margin_is_below(event: RecognitionEvent) -> str:
    numbers = _compared(event.margin, event.thresholds["margin"])
    return gettext("The margin %(has)s to the next person is below the %(needs)s that is required.") % numbers


def _faults(event: RecognitionEvent) -> list[str]:
    return [
        wording.fault_sentence(QualityFault(SampleReason(fault["reason"]), fault["measured"], fault["required"]))
        for fault in event.reasons
    ]


def _votes_sentence(event: RecognitionEvent) -> tuple[str, ...]:
    if not event.votes:
        return ()
    count = len(event.votes)
    text = ngettext(
        "%(count)d vote was cast; %(needed)d of the last %(of)d had to agree.",
        "%(count)d votes were cast; %(needed)d of the last %(of)d had to agree.",
        count,
    )
    numbers = {"count": count, "needed": event.thresholds["votes_needed"], "of": event.thresholds["votes_of"]}
    return (text % numbers,)


def _rows(event: RecognitionEvent) -> tuple[VoteRow, ...]:
    numbers = {vote["best_person"] for vote in event.votes if vote["best_person"] is not None}
    names = dict(Person.objects.filter(pk__in=numbers).values_list("pk", "name"))
    return tuple(_row(vote, names) for vote in event.votes)


def _row(vote: Mapping[str, Any], names: Mapping[int, str]) -> VoteRow:
    return VoteRow(
        seconds=vote["at_ms"] / 1000,
        code=vote["decision"],
        decision=str(DECISION_LABELS[Decision(vote["decision"])]),
        person=names.get(vote["best_person"], ""),
        similarity=vote["similarity"],
        margin=vote["margin"],
        face_size_px=vote["quality"]["face_size_px"],
        sharpness=vote["quality"]["sharpness"],
    )


def _compared(has: float | None, needs: float) -> dict[str, str]:
    """Two numbers as text that tells them apart: 0.4738 is not said to be below 0.474 as "0.474"."""
    value = 0.0 if has is None else has
    digits = DIGITS if round(value, DIGITS) != round(needs, DIGITS) or value == needs else STORED_DIGITS
    return {"has": f"{value:.{digits}f}", "needs": f"{needs:.{digits}f}"}
