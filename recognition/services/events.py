"""Writes what was decided: one event a transaction."""

from __future__ import annotations

import dataclasses
import datetime as dt

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from recognition.decision import verdict, voting
from recognition.decision.policy import Policy, QualityFault
from recognition.decision.verdict import Decision, Reason, TransactionReason, Vote, json_number
from recognition.decision.voting import VoteRecord
from recognition.models import Alert, EventCrop, FaceSample, KioskDevice, Person, RecognitionEvent
from recognition.selectors.packs import ActivePack
from recognition.services import deadlines
from recognition.services.frames import FrameTimings
from recognition.vision.types import Quality

SIMILARITY_DIGITS = 4
"""Of a similarity that are stored: runtimes differ beyond them."""


class NotDecidable(Exception):
    """The pack has no policy, so nothing it says may be recorded as a decision."""


@dataclasses.dataclass(frozen=True, slots=True)
class TransactionRecord:
    """Everything that an event keeps of a transaction.

    Args:
        decision: how it ended.
        leading: the vote that stands for it; None without votes.
        votes: the votes that count, oldest first.
        faults: gates that its last unusable view did not pass.
        active: the pack and policy that decided.
        quality: of the best vote.
        crop_jpeg: the probe; empty without votes.
        duration_s: from first sight to decision.
        timings: of the frame that decided.
        runtime: what ran the networks.
        set_aside: votes that count no more; see `Conclusion`.
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
    set_aside: tuple[VoteRecord, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Setting:
    """Where a transaction took place, and what was claimed there.

    Args:
        kind: identification or verification.
        checkpoint_id: primary key; None for the live page.
        device_id: primary key of the kiosk; None where a user's browser showed the page.
        operator: whose browser it was; None for a kiosk.
        claimed_id: as it was typed or scanned; empty without a claim.
        claimed_person_id: whom that id names; None where it names nobody.
    """

    kind: RecognitionEvent.Kind = RecognitionEvent.Kind.IDENTIFICATION
    checkpoint_id: int | None = None
    device_id: int | None = None
    operator: User | None = None
    claimed_id: str = ""
    claimed_person_id: int | None = None


def record(
    *, transaction: TransactionRecord, operator: User | None, more_reasons: tuple[Reason, ...] = ()
) -> RecognitionEvent:
    """Stores one event of the live page, or of a video.

    Args:
        transaction: what happened.
        operator: whose page it was; None for a command.
        more_reasons: what else there is to say of it.

    Returns:
        See `write`.

    Raises:
        NotDecidable: when the pack has no policy.
    """
    leading = transaction.leading
    is_denied = leading is not None and leading.is_deny_list_hit
    may_be_denied = _may_be_denied(transaction)
    reasons = (Reason(TransactionReason.MAY_BE_DENIED),) if may_be_denied else ()
    return write(
        record=transaction,
        reasons=(*_reasons(transaction), *reasons, *more_reasons),
        setting=Setting(operator=operator),
        now=timezone.now(),
        raises_alert=may_be_denied or (transaction.decision is Decision.REJECT_NOT_ALLOWED and is_denied),
    )


def from_video(first_s: float) -> Reason:
    """What an event of a video says of where it comes from.

    Args:
        first_s: when the face was first seen, in seconds from the beginning.
    """
    return Reason(TransactionReason.FROM_VIDEO, measured=first_s)


@transaction.atomic
def write(
    *,
    record: TransactionRecord,
    reasons: tuple[Reason, ...],
    setting: Setting,
    now: dt.datetime,
    raises_alert: bool = False,
) -> RecognitionEvent:
    """Stores one event with its probe and, where it raises one, its alert.

    Args:
        record: what happened.
        reasons: why it was decided so.
        setting: where it happened.
        now: when it was decided.
        raises_alert: whether staff must see it at once.

    Returns:
        The stored event. A person, sample, kiosk or operator erased meanwhile is stored as None; the
        numbers in its votes stay, but neither the picture nor what was claimed.

    Raises:
        NotDecidable: when the pack has no policy.
    """
    deadlines.limit(deadlines.DECISION_S)
    active, leading = record.active, record.leading
    policy_id, policy = _deciding(active)
    best = leading.best if leading else None
    runner_up = leading.runner_up if leading else None
    best_person = _existing(best.person_id if best else None)
    claimed_person = _existing(setting.claimed_person_id)
    erased = (
        best is not None and best_person is None,
        setting.claimed_person_id is not None and claimed_person is None,
    )
    operator, device_id = setting.operator, setting.device_id
    event = RecognitionEvent.objects.create(
        kind=setting.kind,
        checkpoint_id=setting.checkpoint_id,
        device=KioskDevice.objects.filter(pk=device_id).first() if device_id is not None else None,
        claimed_id="" if any(erased) else setting.claimed_id,
        claimed_person_id=claimed_person,
        decision=record.decision.value,
        reasons=[reason.as_json() for reason in reasons],
        person_id=best_person if record.decision is Decision.ACCEPT else None,
        best_person_id=best_person,
        best_sample=FaceSample.objects.filter(pk=best.sample_id).first() if best else None,
        runner_up_id=_existing(runner_up.person_id if runner_up else None),
        similarity=json_number(best.similarity, digits=SIMILARITY_DIGITS) if best else None,
        margin=json_number(leading.margin, digits=SIMILARITY_DIGITS) if leading else None,
        # What was set aside was cast before what counts: it is the order of time.
        votes=[
            *(vote.as_json(counts=False) for vote in record.set_aside),
            *(vote.as_json() for vote in record.votes),
        ],
        thresholds=_thresholds(policy),
        policy_id=policy_id,
        pack_id=active.id,
        quality=record.quality.as_json() if record.quality else {},
        timings={
            **{name: round(ms, 2) for name, ms in dataclasses.asdict(record.timings).items()},
            "runtime": record.runtime,
        },
        operator=User.objects.filter(pk=operator.pk).first() if operator else None,
        started_at=now - dt.timedelta(seconds=record.duration_s),
        decided_at=now,
    )
    if record.crop_jpeg and not any(erased):
        EventCrop.objects.create(event=event, jpeg=record.crop_jpeg)
    if raises_alert:
        Alert.objects.create(event=event)
    return event


def policy_of(active: ActivePack) -> Policy:
    """The policy that decides.

    Raises:
        NotDecidable: when the pack has none.
    """
    return _deciding(active)[1]


def _deciding(active: ActivePack) -> tuple[int, Policy]:
    if active.policy is None or active.policy_id is None:
        raise NotDecidable(f"The pack {active.name} has no measured thresholds.")
    return active.policy_id, active.policy


def _reasons(transaction: TransactionRecord) -> tuple[Reason, ...]:
    leading = transaction.leading
    if leading is not None and leading.decision is transaction.decision:
        return verdict.reasons(leading, policy_of(transaction.active), is_claim=False)
    return tuple(Reason.of_fault(fault) for fault in transaction.faults)


def _may_be_denied(transaction: TransactionRecord) -> bool:
    """Whether nobody knows which of two people it is, and one of them is on the deny list."""
    is_ambiguous = transaction.decision is Decision.REJECT_AMBIGUOUS
    return is_ambiguous and voting.may_be_denied(transaction.votes, policy_of(transaction.active))


def _thresholds(policy: Policy) -> dict[str, object]:
    return {
        "identification_threshold": policy.identification_threshold,
        "verification_threshold": policy.verification_threshold,
        "margin": policy.margin,
        "votes_needed": policy.votes_needed,
        "votes_of": policy.votes_of,
        "strategy": policy.strategy.value,
    }


def _existing(person_id: int | None) -> int | None:
    """The person's number, None when the person was erased between search and decision."""
    if person_id is None:
        return None
    return Person.objects.filter(pk=person_id).values_list("pk", flat=True).first()
