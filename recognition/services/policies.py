"""Changes the threshold policy: proposed by one person, approved by another, in force from a time on.

The life of a version: proposed -> approved -> active -> former, or proposed -> rejected. Its numbers never
change; whoever wants others proposes another version. A checkpoint's own version may become former without a next one:
then the site's decides there.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
import math
from collections.abc import Mapping

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext

from recognition import conf
from recognition.decision.matching import CLASSIFIERS
from recognition.decision.policy import Policy, QualityGates
from recognition.models import AuditAction, Checkpoint, ModelPack, ThresholdPolicy, TrainedClassifier
from recognition.services import audit, measuring

logger = logging.getLogger(__name__)

CONTENT_FIELDS = (
    *(field.name for field in dataclasses.fields(Policy) if field.name not in {"version", "gates"}),
    *(field.name for field in dataclasses.fields(QualityGates)),
)
"""Names of the fields that a version is made of."""

_VERSION_LOCK = 7_301_996_2
"""Key of the advisory lock under which versions change; any constant of ours will do."""

State = ThresholdPolicy.State


class ChangeRefused(Exception):
    """A change of state that the rules forbid; the text is for the person who asked for it."""


@transaction.atomic
def create_version(
    *,
    pack: ModelPack,
    values: Mapping[str, object],
    reason: str,
    actor: User | None,
    checkpoint: Checkpoint | None = None,
) -> ThresholdPolicy:
    """Stores a version and puts it in force at once; for the installation itself, people use `propose`.

    Args:
        pack: whose similarities the thresholds are.
        values: those of `CONTENT_FIELDS` that change; others keep the value of the version in force, or
            their default.
        reason: why; kept with the version.
        actor: who.
        checkpoint: where it applies; None everywhere else.

    Raises:
        django.core.exceptions.ValidationError: for a number outside its range.
        ChangeRefused: when it asks a classifier that was never trained, or the pack must be measured first.
    """
    now = timezone.now()
    begin_change(now=now)
    policy = _stored(pack=pack, checkpoint=checkpoint, values=values, reason=reason, actor=actor)
    policy.decided_by, policy.decided_at = actor, now
    _activate(policy, actor=actor, now=now)
    return policy


@transaction.atomic
def propose(
    *,
    pack: ModelPack,
    values: Mapping[str, object],
    reason: str,
    actor: User,
    checkpoint: Checkpoint | None = None,
    effective_from: dt.datetime | None = None,
) -> ThresholdPolicy:
    """Stores a version for somebody else to approve.

    Args:
        pack: whose similarities the thresholds are.
        values: see `create_version`.
        reason: why; kept with the version.
        actor: who proposes it.
        checkpoint: where it applies; None everywhere that has no policy of its own.
        effective_from: when it comes into force; None as soon as it is approved.

    Raises:
        django.core.exceptions.ValidationError: for a number outside its range, or without a reason.
        ChangeRefused: when the pack must be measured first.
    """
    _lock()
    policy = _stored(
        pack=pack,
        checkpoint=checkpoint,
        values=values,
        reason=reason,
        actor=actor,
        effective_from=effective_from,
    )
    _record(AuditAction.POLICY_PROPOSED, policy, actor)
    return policy


@transaction.atomic
def approve(
    *, policy: ThresholdPolicy, actor: User, now: dt.datetime, compared_with: int | None = None
) -> ThresholdPolicy:
    """Approves a proposed version; it comes into force now, or at its time.

    Args:
        policy: the version.
        actor: who approves it.
        now: an aware time.
        compared_with: number of the version whose differences the approver has seen; None for no such check.

    Returns:
        The version as it is stored now.

    Raises:
        ChangeRefused: when it is not proposed any more, the approver proposed it and the site asks for another
            person, its pack is not in use, it asks a classifier that was never trained, or another version came into
            force after the approver looked.
    """
    policy = _locked(policy, State.PROPOSED, now=now)
    if policy.created_by_id == actor.pk and not conf.may_approve_own_policy():
        raise ChangeRefused(
            gettext(
                "You proposed this version, so another person must approve it. A site that one person runs "
                "sets FACEWEB_POLICY_APPROVAL=same_person."
            )
        )
    _refuse_another_pack(policy)
    _refuse_untrained(policy)
    _refuse_unseen(holding(pack=policy.pack, checkpoint=policy.checkpoint), compared_with)
    policy.state, policy.decided_by, policy.decided_at = State.APPROVED, actor, now
    policy.save(update_fields=["state", "decided_by", "decided_at"])
    _record(AuditAction.POLICY_APPROVED, policy, actor)
    if policy.effective_from is None or policy.effective_from <= now:
        _activate(policy, actor=actor, now=now)
    return policy


@transaction.atomic
def reject(*, policy: ThresholdPolicy, actor: User, now: dt.datetime) -> ThresholdPolicy:
    """Rejects a proposed version, or takes back an approved one before its time.

    Raises:
        ChangeRefused: when it is neither proposed nor waiting for its time.
    """
    policy = _locked(policy, State.PROPOSED, State.APPROVED, now=now)
    policy.state, policy.decided_by, policy.decided_at = State.REJECTED, actor, now
    policy.save(update_fields=["state", "decided_by", "decided_at"])
    _record(AuditAction.POLICY_REJECTED, policy, actor)
    return policy


@transaction.atomic
def return_to(*, policy: ThresholdPolicy, actor: User, now: dt.datetime) -> ThresholdPolicy:
    """Puts the numbers of an earlier version in force again, at once, as a version of its own.

    It needs no further approval: these numbers were approved when they came into force, and the way back
    from a bad change must be short.

    Raises:
        ChangeRefused: when the version never was in force, or is, its pack is not in use, or it asks a classifier
            that is no longer there.
    """
    policy = _locked(policy, State.FORMER, now=now)
    _refuse_another_pack(policy)
    repeated = _stored(
        pack=policy.pack,
        checkpoint=policy.checkpoint,
        values={name: getattr(policy, name) for name in CONTENT_FIELDS},
        reason=gettext("Return to version %(version)d") % {"version": policy.version},
        actor=actor,
        returns_to=policy,
    )
    repeated.decided_by, repeated.decided_at = actor, now
    _activate(repeated, actor=actor, now=now)
    return repeated


@transaction.atomic
def follow_site(
    *, policy: ThresholdPolicy, actor: User, now: dt.datetime, compared_with: int | None = None
) -> ThresholdPolicy:
    """Takes a checkpoint's own version out of force, so that the site's decides there, now and after each change.

    It needs no further approval: the site's numbers are approved, and the way back from a bad change must be short.

    Args:
        policy: the checkpoint's version in force.
        actor: who takes it out of force.
        now: an aware time.
        compared_with: number of the site's version whose differences the actor has seen; None for no such check.

    Returns:
        The version as it is stored now; `return_to` brings it back.

    Raises:
        ChangeRefused: when the version is not in force any more, is the site's own, its pack is not in use, or
            another version of the site came into force after the actor looked.
    """
    policy = _locked(policy, State.ACTIVE, now=now)
    _refuse_another_pack(policy)
    site = in_force(pack=policy.pack, checkpoint=None)
    if policy.checkpoint is None or site is None:
        raise ChangeRefused(
            gettext("Version %(version)d is the one that checkpoints follow; propose another one in its place.")
            % {"version": policy.version}
        )
    _refuse_unseen(site, compared_with)
    retire(policy=policy, actor=actor, now=now)
    return policy


def activate_due(*, now: dt.datetime) -> int:
    """Puts approved versions in force whose time has come; returns how many.

    Workers call it every few seconds: without one of them nothing is decided anyway.
    """
    if not _due(now):
        return 0
    with transaction.atomic():
        _lock()
        activated = _activate_due(now)
    logger.info("%d threshold policies came into force", activated)
    return activated


def begin_change(*, now: dt.datetime) -> None:
    """Lets nobody else change versions until the transaction ends, and puts in force whose time has come.

    Else a version whose time has come would undo a later change once a worker looks.
    """
    _lock()
    _activate_due(now)


def retire(*, policy: ThresholdPolicy, actor: User | None, now: dt.datetime) -> None:
    """Takes a checkpoint's own version out of force, so that the site's decides there; for changes that have begun.

    Raises:
        ValueError: for the site's version, without which nothing would decide.
    """
    if policy.checkpoint is None:
        raise ValueError(f"retire: expected a version of a checkpoint, got the site's version {policy.version}")
    policy.state, policy.retired_at = State.FORMER, now
    policy.save(update_fields=["state", "retired_at"])
    _record(AuditAction.POLICY_RETIRED, policy, actor)


def _due(now: dt.datetime) -> list[ThresholdPolicy]:
    """Those whose time has come, in the order of their times, so that the last one stays.

    One whose classifier went meanwhile waits until it is trained again.
    """
    due = ThresholdPolicy.objects.filter(state=State.APPROVED, effective_from__lte=now)
    return [policy for policy in due.order_by("effective_from", "version") if not asks_the_untrained(policy=policy)]


def _activate_due(now: dt.datetime) -> int:
    versions = _due(now)
    for policy in versions:
        _activate(policy, actor=None, now=now)
    return len(versions)


def _lock() -> None:
    """Two changes at once would otherwise take the same version number, or both become active."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_VERSION_LOCK])


def _locked(policy: ThresholdPolicy, *expected: ThresholdPolicy.State, now: dt.datetime) -> ThresholdPolicy:
    begin_change(now=now)
    found = ThresholdPolicy.objects.get(pk=policy.pk)
    if found.state not in expected:
        raise ChangeRefused(
            gettext("Version %(version)d is %(state)s by now; nothing was changed.")
            % {"version": found.version, "state": found.get_state_display()}
        )
    return found


def _refuse_another_pack(policy: ThresholdPolicy) -> None:
    """What changed unseen while its pack is not in use would be undone when it comes back: see `pack_rules`."""
    if not policy.pack.is_active:
        raise ChangeRefused(
            gettext(
                "Version %(version)d is of the model pack %(pack)s, which is not in use. Propose its numbers again, "
                "with thresholds of the pack in use."
            )
            % {"version": policy.version, "pack": policy.pack.name}
        )


def _refuse_untrained(policy: ThresholdPolicy) -> None:
    if asks_the_untrained(policy=policy):
        raise ChangeRefused(
            gettext(
                "Version %(version)d asks a classifier that was never trained with the model pack %(pack)s, so it "
                "would accept nobody. Train it under Classifiers first."
            )
            % {"version": policy.version, "pack": policy.pack.name}
        )


def _refuse_unseen(holds: ThresholdPolicy | None, compared_with: int | None) -> None:
    if compared_with is not None and holds is not None and holds.version != compared_with:
        raise ChangeRefused(
            gettext("Version %(version)d came into force after you looked. Look at what changes now, then decide.")
            % {"version": holds.version}
        )


def _stored(
    *,
    pack: ModelPack,
    checkpoint: Checkpoint | None,
    values: Mapping[str, object],
    reason: str,
    actor: User | None,
    effective_from: dt.datetime | None = None,
    returns_to: ThresholdPolicy | None = None,
) -> ThresholdPolicy:
    if not pack.may_be_used:
        raise ChangeRefused(measuring.sentence(pack=pack))
    before = holding(pack=pack, checkpoint=checkpoint)
    newest = ThresholdPolicy.objects.aggregate(newest=Max("version"))["newest"] or 0
    content = {name: getattr(before, name) for name in CONTENT_FIELDS} if before else {}
    policy = ThresholdPolicy(
        **{**content, **values},
        version=newest + 1,
        pack=pack,
        checkpoint=checkpoint,
        reason=reason.strip(),
        created_by=actor,
        effective_from=effective_from,
        returns_to=returns_to,
    )
    policy.full_clean()
    for name in CONTENT_FIELDS:
        value = getattr(policy, name)
        # Django's validators let NaN through, because it is neither below nor above their limits.
        if isinstance(value, float) and not math.isfinite(value):
            raise ValidationError({name: gettext("Enter a number.")})
    try:
        policy.as_policy()
    except ValueError as error:  # stored, it would end every decision
        raise ValidationError(str(error)) from error
    policy.save()
    return policy


def asks_the_untrained(*, policy: ThresholdPolicy, pack: ModelPack | None = None) -> bool:
    """Whether a version asks a classifier that is not there, and so would accept nobody.

    Args:
        policy: the version.
        pack: with which it would decide; its own when left out.
    """
    asked = TrainedClassifier.objects.filter(pack=pack or policy.pack, kind=policy.strategy)
    return policy.strategy in CLASSIFIERS and not asked.exists()


def in_force(*, pack: ModelPack, checkpoint: Checkpoint | None) -> ThresholdPolicy | None:
    """The version in force of exactly this scope."""
    return ThresholdPolicy.objects.filter(pack=pack, checkpoint=checkpoint, state=State.ACTIVE).first()


def holding(*, pack: ModelPack, checkpoint: Checkpoint | None) -> ThresholdPolicy | None:
    """The version that decides in a scope now: its own, or else the site's."""
    return in_force(pack=pack, checkpoint=checkpoint) or in_force(pack=pack, checkpoint=None)


def _activate(policy: ThresholdPolicy, *, actor: User | None, now: dt.datetime) -> None:
    _refuse_untrained(policy)
    before = in_force(pack=policy.pack, checkpoint=policy.checkpoint)
    if before is not None:
        ThresholdPolicy.objects.filter(pk=before.pk).update(state=State.FORMER, retired_at=now)
    decided = ["decided_by", "decided_at"] if policy.state == State.PROPOSED else []
    policy.state, policy.activated_at = State.ACTIVE, now
    policy.save(update_fields=["state", "activated_at", *decided])
    _record(AuditAction.POLICY_ACTIVATED, policy, actor, before=before)


def _record(
    action: AuditAction, policy: ThresholdPolicy, actor: User | None, *, before: ThresholdPolicy | None = None
) -> None:
    audit.record(
        action=action,
        actor=actor,
        subject=policy,
        details={
            "version": policy.version,
            "reason": policy.reason,
            "checkpoint": policy.checkpoint_id,
            "effective_from": policy.effective_from.isoformat() if policy.effective_from else None,
            "returns_to": policy.returns_to.version if policy.returns_to else None,
            "before": {name: getattr(before, name) for name in CONTENT_FIELDS} if before else None,
            "after": {name: getattr(policy, name) for name in CONTENT_FIELDS},
        },
    )
