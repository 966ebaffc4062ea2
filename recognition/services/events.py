"""Writes what was decided: one event a transaction."""

from __future__ import annotations

import dataclasses
import datetime as dt

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from recognition.decision.policy import QualityFault
from recognition.decision.verdict import Decision, Vote
from recognition.decision.voting import VoteRecord
from recognition.models import EventCrop, FaceSample, Person, RecognitionEvent
from recognition.selectors.packs import ActivePack
from recognition.services.frames import FrameTimings
from recognition.vision.types import Quality


class NotDecidable(Exception):
    """The pack has no policy, so nothing it says may be recorded as a decision."""


@dataclasses.dataclass(frozen=True, slots=True)
class TransactionRecord:
    """Everything that an event keeps of a transaction.

    Args:
        decision: how it ended.
        leading: the vote that stands for it; None without votes.
        votes: all votes, oldest first.
        faults: gates that its last unusable view did not pass.
        active: the pack and policy that decided.
        quality: of the best vote.
        crop_jpeg: the probe; empty without votes.
        duration_s: from first sight to decision.
        timings: of the frame that decided.
        runtime: what ran the networks.
    """

    decision: Decision
    leading: Vote | None
    votes: tuple[VoteRecord, ...]
    faults: tuple[QualityFault, ...]
    active: ActivePack
    quality: Quality | None
    crop_jpeg: bytes
    duration_s: float
    timings: FrameTimings
    runtime: str


@transaction.atomic
def record(*, transaction: TransactionRecord, operator: User | None) -> RecognitionEvent:
    """Stores one event.

    Args:
        transaction: what happened.
        operator: whose page it was.

    Returns:
        The stored event. A person, sample or operator erased meanwhile is stored as None; the
        numbers in its votes stay.

    Raises:
        NotDecidable: when the pack has no policy.
    """
    active, policy = transaction.active, transaction.active.policy
    if policy is None or active.policy_id is None:
        raise NotDecidable(f"The pack {active.name} has no measured thresholds.")
    leading = transaction.leading
    best = leading.best if leading else None
    runner_up = leading.runner_up if leading else None
    best_person = _existing(best.person_id if best else None)
    accepted = transaction.decision is Decision.ACCEPT
    now = timezone.now()
    event = RecognitionEvent.objects.create(
        decision=transaction.decision.value,
        reasons=[dataclasses.asdict(fault) for fault in transaction.faults],
        person_id=best_person if accepted else None,
        best_person_id=best_person,
        best_sample=FaceSample.objects.filter(pk=best.sample_id).first() if best else None,
        runner_up_id=_existing(runner_up.person_id if runner_up else None),
        similarity=_rounded(best.similarity if best else None),
        margin=_rounded(leading.margin if leading else None),
        votes=[vote.as_json() for vote in transaction.votes],
        thresholds={
            "identification_threshold": policy.identification_threshold,
            "margin": policy.margin,
            "votes_needed": policy.votes_needed,
            "votes_of": policy.votes_of,
        },
        policy_id=active.policy_id,
        pack_id=active.id,
        quality=transaction.quality.as_json() if transaction.quality else {},
        timings={
            **{name: round(ms, 2) for name, ms in dataclasses.asdict(transaction.timings).items()},
            "runtime": transaction.runtime,
        },
        operator=User.objects.filter(pk=operator.pk).first() if operator else None,
        started_at=now - dt.timedelta(seconds=transaction.duration_s),
        decided_at=now,
    )
    if transaction.crop_jpeg:
        EventCrop.objects.create(event=event, jpeg=transaction.crop_jpeg)
    return event


def _existing(person_id: int | None) -> int | None:
    """The person's number, None when the person was erased between search and decision."""
    if person_id is None:
        return None
    return Person.objects.filter(pk=person_id).values_list("pk", flat=True).first()


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
