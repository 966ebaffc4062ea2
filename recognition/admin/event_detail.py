"""One recognition event as an auditor reads it: stored codes and numbers turned into sentences when shown."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext, gettext_lazy, ngettext

from recognition import wording
from recognition.admin.base import NOTHING
from recognition.decision.verdict import Decision, Reason, TransactionReason
from recognition.models import Person, RecognitionEvent
from recognition.models.events import DECISION_LABELS

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
        runner_up: the next person's name; empty like `person`.
        runner_up_similarity: to the next person.
        margin: to the next person; None with fewer than two.
        others: the people after the next one, with their similarities; empty where none were kept.
        counts: whether it counted to the end; not after a change of face.
        face_size_px: of the face that voted.
        sharpness: of the face that voted.
    """

    seconds: float
    code: str
    decision: str
    person: str
    similarity: float | None
    runner_up: str
    runner_up_similarity: float | None
    margin: float | None
    others: str
    counts: bool
    face_size_px: float
    sharpness: float


@dataclasses.dataclass(frozen=True, slots=True)
class EventDetail:
    """What the page shows beside the event's own fields.

    Args:
        sentences: why it was decided so, with the numbers behind it.
        threshold: the similarity from which this kind of transaction accepted.
        votes: oldest first.
        duration_s: from first sight to decision.
        timings_ms: name of each step with what it took, of the frame that decided.
        runtime: what ran the networks.
    """

    sentences: tuple[str, ...]
    threshold: float
    votes: tuple[VoteRow, ...]
    duration_s: float
    timings_ms: tuple[tuple[str, float], ...]
    runtime: str


def detail(event: RecognitionEvent) -> EventDetail:
    """Reads an event's codes and numbers, and makes what the page shows of them."""
    return EventDetail(
        sentences=(*_reasons(event), *_votes_sentence(event)),
        threshold=threshold(event),
        votes=_rows(event),
        duration_s=(event.decided_at - event.started_at).total_seconds(),
        timings_ms=tuple((str(text), event.timings[name]) for name, text in STEPS.items() if name in event.timings),
        runtime=event.timings.get("runtime", ""),
    )


def _reasons(event: RecognitionEvent) -> list[str]:
    stored = [wording.reason_sentence(Reason.from_json(reason)) for reason in event.reasons]
    match event.decision:
        case Decision.ACCEPT if event.kind == RecognitionEvent.Kind.VERIFICATION:
            return [_similarity_reaches(event)]
        case Decision.ACCEPT:
            return [_similarity_reaches(event), _margin_suffices(event)]
        case Decision.REJECT_NO_MATCH:
            return stored or [_no_match(event)]
        case Decision.REJECT_AMBIGUOUS:
            return [_similarity_reaches(event), *(stored or [_margin_is_below(event)])]
        case Decision.NO_DECISION_TIMEOUT:
            return stored or [gettext("The face left, or the time was up, before enough votes agreed.")]
        case Decision.NO_DECISION_QUALITY:
            return [gettext("No view of the face was good enough to be compared."), *stored]
        case _:
            return stored


# Events from before reasons were stored with every refusal have their numbers only.
def _no_match(event: RecognitionEvent) -> str:
    if event.similarity is None:
        return wording.reason_sentence(Reason(TransactionReason.NOBODY_ENROLLED))
    return wording.reason_sentence(Reason(TransactionReason.BELOW_THRESHOLD, event.similarity, threshold(event)))


def _margin_is_below(event: RecognitionEvent) -> str:
    required = event.thresholds["margin"]
    return wording.reason_sentence(Reason(TransactionReason.MARGIN_TOO_SMALL, event.margin, required))


def _similarity_reaches(event: RecognitionEvent) -> str:
    numbers = wording.compared(event.similarity, threshold(event))
    return gettext("The similarity %(has)s reaches the threshold %(needs)s.") % numbers


def _margin_suffices(event: RecognitionEvent) -> str:
    if event.margin is None:
        return gettext("There was no second person to be taken for.")
    numbers = wording.compared(event.margin, event.thresholds["margin"])
    return gettext("The margin %(has)s to the next person reaches the %(needs)s that is required.") % numbers


def threshold(event: RecognitionEvent) -> float:
    """The similarity from which this kind of transaction accepted."""
    is_claim = event.kind == RecognitionEvent.Kind.VERIFICATION
    return float(event.thresholds["verification_threshold" if is_claim else "identification_threshold"])


def _votes_sentence(event: RecognitionEvent) -> tuple[str, ...]:
    if not event.votes:
        return ()
    # Votes of versions before this one all counted.
    count = sum(vote.get("counts", True) for vote in event.votes)
    text = ngettext(
        "%(count)d vote was cast; %(needed)d of the last %(of)d had to agree.",
        "%(count)d votes were cast; %(needed)d of the last %(of)d had to agree.",
        count,
    )
    numbers = {"count": count, "needed": event.thresholds["votes_needed"], "of": event.thresholds["votes_of"]}
    return (text % numbers,)


def _rows(event: RecognitionEvent) -> tuple[VoteRow, ...]:
    numbers = {vote[key] for vote in event.votes for key in ("best_person", "runner_up") if vote[key] is not None}
    numbers |= {other["person"] for vote in event.votes for other in vote.get("others", ())}
    names = dict(Person.objects.filter(pk__in=numbers).values_list("pk", "name"))
    return tuple(_row(vote, names) for vote in event.votes)


def _row(vote: Mapping[str, Any], names: Mapping[int, str]) -> VoteRow:
    return VoteRow(
        seconds=vote["at_ms"] / 1000,
        code=vote["decision"],
        decision=str(DECISION_LABELS[Decision(vote["decision"])]),
        person=names.get(vote["best_person"], ""),
        similarity=vote["similarity"],
        runner_up=names.get(vote["runner_up"], ""),
        runner_up_similarity=vote["runner_up_similarity"],
        margin=vote["margin"],
        others=", ".join(_other(other, names) for other in vote.get("others", ())),
        counts=vote.get("counts", True),
        face_size_px=vote["quality"]["face_size_px"],
        sharpness=vote["quality"]["sharpness"],
    )


def _other(other: Mapping[str, Any], names: Mapping[int, str]) -> str:
    """A further candidate; an erased person has no name any more."""
    similarity = NOTHING if other["similarity"] is None else f"{other['similarity']:.3f}"
    return f"{names.get(other['person'], NOTHING)} {similarity}"
