"""One transaction at a checkpoint, from the claim to the stored decision."""

from __future__ import annotations

import dataclasses
import datetime as dt

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from recognition.decision.conclusion import Conclusion, Verdict
from recognition.decision.conclusion import conclude as decide
from recognition.decision.lockout import Lockout, counts_as_failure
from recognition.decision.policy import Policy
from recognition.decision.verdict import Decision, Reason, TransactionReason
from recognition.models import Checkpoint, ClaimLockout, Person, RecognitionEvent
from recognition.selectors import checkpoints, packs
from recognition.selectors.packs import ActivePack
from recognition.selectors.people import claimed
from recognition.services import actions, deadlines, events, people
from recognition.services.events import Setting, TransactionRecord
from recognition.services.frames import FrameTimings

LONGEST_ID = 100
"""Characters of a claimed id that are looked at: as many as an id may have."""


@dataclasses.dataclass(frozen=True, slots=True)
class Origin:
    """Who brought the transaction about.

    Args:
        user: whose browser shows the page; None for a kiosk.
        device_id: primary key of the kiosk; None for a user's browser.
    """

    user: User | None
    device_id: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class ClaimInProgress:
    """Who somebody says they are; the face is looked at next.

    Args:
        person_id: primary key of the claimed person; None where nobody has that id, which is not said
            before the face was looked at.
        external_id: as it was typed or scanned.
        pin_ok: whether the PIN was right, which none is where the person has one; None where they have none.
    """

    person_id: int | None
    external_id: str
    pin_ok: bool | None


@dataclasses.dataclass(frozen=True, slots=True)
class Concluded:
    """The end of a transaction, stored; what is shown is this and nothing else.

    Args:
        event_id: primary key of the record.
        decision: how it ended.
        reasons: why; empty for an accept.
        person_name: of the person who was accepted; None for every other decision.
        locked_for_s: seconds until the claimed person may be claimed again; None without a delay, and
            where staff must lift the lock.
        raised_alert: whether staff must see it at once.
    """

    event_id: int
    decision: Decision
    reasons: tuple[Reason, ...]
    person_name: str | None
    locked_for_s: float | None
    raised_alert: bool = False


class NotDecidedHere(Exception):
    """The checkpoint takes no claim now, or is there no more; the text is for its operator."""


_NOT_TAKEN = {
    TransactionReason.OUT_OF_USE: _("This checkpoint is out of use."),
    TransactionReason.MODE_CHANGED: _("The mode of this checkpoint was changed. Begin again."),
}


@transaction.atomic(durable=True)
def open_claim(*, checkpoint_id: int, external_id: str, pin: str | None, origin: Origin) -> ClaimInProgress | Concluded:
    """Takes a claim; one of a person who is locked out is recorded and ends here.

    An id that nobody has goes on to the face like any other, and a PIN is checked for it as long as for
    any other, so that neither the answer nor its time tells which ids there are.

    Args:
        checkpoint_id: primary key of the checkpoint.
        external_id: as it was typed or scanned.
        pin: as it was typed; None when none was.
        origin: who showed the page.

    Raises:
        NotDecidedHere: when the checkpoint takes no claims now.
        NotDecidable: when the pack in use has no policy.
    """
    deadlines.limit(deadlines.DECISION_S)
    checkpoint = _checkpoint(checkpoint_id)
    obstacle = _obstacle(checkpoint, is_claim=True)
    if obstacle is not None:
        raise NotDecidedHere(_NOT_TAKEN[obstacle])
    external_id = _readable(external_id)
    person = claimed(external_id)
    now = timezone.now()
    row = ClaimLockout.objects.filter(checkpoint=checkpoint, person=person).first() if person else None
    lockout = _state(row)
    locked = lockout.state_at(now)
    if locked is None:
        pin_ok = people.is_pin_right(person=person, pin=pin)
        return ClaimInProgress(person.pk if person else None, external_id, pin_ok)
    claim = ClaimInProgress(person.pk if person else None, external_id, pin_ok=None)
    record = TransactionRecord(
        decision=Decision.LOCKED_OUT,
        leading=None,
        votes=(),
        faults=(),
        active=packs.active(checkpoint_id),
        quality=None,
        crop_jpeg=b"",
        duration_s=0.0,
        timings=FrameTimings(),
        runtime="",
    )
    reasons = (_locked_reason(locked, lockout, now),)
    event = events.write(record=record, reasons=reasons, setting=_setting(checkpoint, claim, origin), now=now)
    return Concluded(event.pk, Decision.LOCKED_OUT, reasons, None, _seconds_left(lockout, now))


@transaction.atomic(durable=True)
def conclude(
    *,
    checkpoint_id: int,
    claim: ClaimInProgress | None,
    conclusion: Conclusion,
    active: ActivePack,
    crop_jpeg: bytes,
    timings: FrameTimings,
    runtime: str,
    duration_s: float,
    origin: Origin,
) -> Concluded:
    """Makes the decision of what the face says and what the database says now, and stores it.

    The record, its alert, the count of failed claims and the call that opens the door are stored together or
    not at all: an error here means that nobody was accepted. Where the checkpoint was taken out of use, or
    its mode changed, nobody is accepted either; what happened is recorded all the same.

    Args:
        checkpoint_id: primary key of the checkpoint.
        claim: what was claimed; None for an identification.
        conclusion: what the face says.
        active: the pack and policy that the votes were cast under.
        crop_jpeg: the probe; empty without votes.
        timings: of the last frame.
        runtime: what ran the networks.
        duration_s: from its beginning.
        origin: who showed the page.

    Raises:
        NotDecidedHere: when there is no such checkpoint.
        NotDecidable: when the pack has no policy.
        ValueError: for a claim with the conclusion of an identification, or the reverse.
    """
    deadlines.limit(deadlines.DECISION_S)
    if conclusion.is_claim != (claim is not None):
        raise ValueError("conclude: expected a claim with the conclusion of a verification, and none otherwise")
    checkpoint = _checkpoint(checkpoint_id)
    policy = _policy_at(checkpoint, active)
    row = _locked_row(checkpoint, claim)
    # After the wait for the row: another kiosk of this checkpoint may have held it.
    now = timezone.now()
    lockout = _state(row)
    verdict = _unless(
        _obstacle(checkpoint, is_claim=claim is not None),
        _verdict(checkpoint, claim, conclusion, policy, lockout, now),
    )
    leading = conclusion.leading
    record = TransactionRecord(
        decision=verdict.decision,
        leading=leading,
        votes=conclusion.votes,
        faults=(),
        active=active,
        quality=next((vote.quality for vote in conclusion.votes if vote.vote is leading), None),
        crop_jpeg=crop_jpeg,
        duration_s=duration_s,
        timings=timings,
        runtime=runtime,
        set_aside=conclusion.set_aside,
    )
    setting = _setting(checkpoint, claim, origin)
    event = events.write(
        record=record, reasons=verdict.reasons, setting=setting, now=now, raises_alert=verdict.raises_alert
    )
    lockout = _counted(lockout, verdict, is_claim=claim is not None, now=now, policy=policy)
    _store(row, lockout)
    accepted = verdict.decision is Decision.ACCEPT
    if accepted:
        actions.queue(event=event, checkpoint=checkpoint, now=now)
    name = event.person.name if accepted and event.person is not None else None
    waits_s = _seconds_left(lockout, now)
    return Concluded(event.pk, verdict.decision, verdict.reasons, name, waits_s, raised_alert=verdict.raises_alert)


def _checkpoint(checkpoint_id: int) -> Checkpoint:
    checkpoint = Checkpoint.objects.filter(pk=checkpoint_id).first()
    if checkpoint is None:
        raise NotDecidedHere(_NOT_TAKEN[TransactionReason.OUT_OF_USE])
    return checkpoint


def _obstacle(checkpoint: Checkpoint, *, is_claim: bool) -> TransactionReason | None:
    """Why the checkpoint accepts nobody in that way now; None where it does."""
    if not checkpoint.is_active:
        return TransactionReason.OUT_OF_USE
    other = Checkpoint.Mode.IDENTIFY if is_claim else Checkpoint.Mode.VERIFY
    return TransactionReason.MODE_CHANGED if checkpoint.mode == other else None


def _unless(obstacle: TransactionReason | None, verdict: Verdict) -> Verdict:
    """The verdict at a checkpoint that may not accept: an accept is none, and a refusal stays one.

    Whoever is banned, or held somebody else's card, is that whatever became of the checkpoint meanwhile.
    """
    if obstacle is None or any(reason.code == obstacle for reason in verdict.reasons):
        return verdict
    decision = Decision.ERROR if verdict.decision is Decision.ACCEPT else verdict.decision
    return dataclasses.replace(verdict, decision=decision, reasons=(*verdict.reasons, Reason(obstacle)))


def _verdict(
    checkpoint: Checkpoint,
    claim: ClaimInProgress | None,
    conclusion: Conclusion,
    policy: Policy,
    lockout: Lockout,
    now: dt.datetime,
) -> Verdict:
    best = conclusion.leading.best if conclusion.leading else None
    about = claim.person_id if claim is not None else best.person_id if best else None
    verdict = decide(
        conclusion,
        standing=checkpoints.standing(about) if about is not None else None,
        allowed_groups=checkpoints.admitted_groups(checkpoint),
        pin_ok=claim.pin_ok if claim is not None else None,
        claim_is_known=claim is not None and claim.person_id is not None,
        now=now,
        policy=policy,
    )
    locked = lockout.state_at(now)
    if locked is None or verdict.decision not in (Decision.ACCEPT, Decision.REJECT_NO_MATCH):
        return verdict
    # Locked by other claims while this one was looked at: many at once must not be many tries.
    return Verdict(Decision.LOCKED_OUT, (_locked_reason(locked, lockout, now),), raises_alert=False)


def _policy_at(checkpoint: Checkpoint, active: ActivePack) -> Policy:
    """The policy with the checkpoint's own attempt limit in it; the stop, which was approved, stays where it is."""
    policy = events.policy_of(active)
    limit = checkpoint.attempt_limit
    if limit is None:
        return policy
    return dataclasses.replace(policy, attempts_before_delay=min(limit, policy.attempts_before_stop - 1))


def _setting(checkpoint: Checkpoint, claim: ClaimInProgress | None, origin: Origin) -> Setting:
    kind = RecognitionEvent.Kind
    return Setting(
        kind=kind.IDENTIFICATION if claim is None else kind.VERIFICATION,
        checkpoint_id=checkpoint.pk,
        device_id=origin.device_id,
        operator=origin.user,
        claimed_id=claim.external_id if claim else "",
        claimed_person_id=claim.person_id if claim else None,
    )


def _locked_row(checkpoint: Checkpoint, claim: ClaimInProgress | None) -> ClaimLockout | None:
    """The row of the claimed person, held until the end of the transaction; None where there is none to claim."""
    person_id = claim.person_id if claim is not None else None
    if person_id is None or not Person.objects.filter(pk=person_id).exists():
        return None
    rows = ClaimLockout.objects.select_for_update()
    return rows.get_or_create(checkpoint=checkpoint, person_id=person_id)[0]


def _state(row: ClaimLockout | None) -> Lockout:
    return Lockout(row.failures, row.locked_until, row.is_stopped) if row is not None else Lockout()


def _counted(lockout: Lockout, verdict: Verdict, *, is_claim: bool, now: dt.datetime, policy: Policy) -> Lockout:
    if counts_as_failure(verdict.decision, verdict.reasons, is_claim=is_claim):
        return lockout.after_failure(now, policy)
    return lockout.after_accept() if verdict.decision is Decision.ACCEPT else lockout


def _store(row: ClaimLockout | None, lockout: Lockout) -> None:
    if row is None or lockout == _state(row):
        return
    row.failures, row.locked_until, row.is_stopped = lockout.failures, lockout.locked_until, lockout.is_stopped
    row.save()


def _locked_reason(locked: TransactionReason, lockout: Lockout, now: dt.datetime) -> Reason:
    """Its measured value is the number of failed claims, its required one the seconds still to wait."""
    return Reason(locked, lockout.failures, _seconds_left(lockout, now))


def _seconds_left(lockout: Lockout, now: dt.datetime) -> float | None:
    if lockout.state_at(now) is not TransactionReason.LOCKED_UNTIL or lockout.locked_until is None:
        return None
    return (lockout.locked_until - now).total_seconds()


def _readable(external_id: str) -> str:
    """Without what a scanner may add and PostgreSQL does not store."""
    return external_id.replace("\x00", "").strip()[:LONGEST_ID]
