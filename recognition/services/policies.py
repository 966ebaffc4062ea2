"""Changes the threshold policy: proposed by one person, approved by another, in force from a time on.

The life of a version: proposed -> approved -> active -> former, or proposed -> rejected. Its numbers never
change; whoever wants others proposes another version.
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
from django.db.models import Max, QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from recognition import conf
from recognition.decision.policy import Policy, QualityGates
from recognition.models import AuditAction, Checkpoint, ModelPack, ThresholdPolicy
from recognition.services import audit

logger = logging.getLogger(__name__)

DEFAULT_IDENTIFICATION_FMR = 1e-5
"""A search compares with everybody, so one comparison may err ten times less than a claim's."""

DEFAULT_VERIFICATION_FMR = 1e-4
"""NIST SP 800-63B asks for an FMR of 1 in 10,000 or better."""

CONTENT_FIELDS = (
    *(field.name for field in dataclasses.fields(Policy) if field.name not in {"version", "gates"}),
    *(field.name for field in dataclasses.fields(QualityGates)),
)
"""Names of the fields that a version is made of."""

_VERSION_LOCK = 7_301_996_2
"""Key of the advisory lock under which versions change; any constant of ours will do."""

State = ThresholdPolicy.State


class ThresholdsNotMeasured(Exception):
    """The pack has no measured threshold at the false match rate that is wanted."""


class ChangeRefused(Exception):
    """A change of state that the rules forbid; the text is for the person who asked for it."""


def create_first(*, pack: ModelPack, actor: User | None) -> ThresholdPolicy:
    """Makes a pack's first policy of its measured thresholds, in force at once: nothing was in force before.

    Raises:
        ThresholdsNotMeasured: when a default operating point was never measured.
    """
    return create_version(
        pack=pack,
        values={
            "identification_threshold": _threshold(pack, DEFAULT_IDENTIFICATION_FMR),
            "verification_threshold": _threshold(pack, DEFAULT_VERIFICATION_FMR),
        },
        reason=gettext("Measured thresholds of the model pack"),
        actor=actor,
    )


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
    """
    now = timezone.now()
    _lock()
    _activate_due(now)
    policy = _stored(pack=pack, checkpoint=checkpoint, values=values, reason=reason, actor=actor)
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
            person, or another version came into force after the approver looked.
    """
    policy = _locked(policy, State.PROPOSED, now=now)
    if policy.created_by_id == actor.pk and not conf.may_approve_own_policy():
        raise ChangeRefused(
            gettext(
                "You proposed this version, so another person must approve it. A site that one person runs "
                "sets FACEWEB_POLICY_APPROVAL=same_person."
            )
        )
    holds = holding(pack=policy.pack, checkpoint=policy.checkpoint)
    if compared_with is not None and holds is not None and holds.version != compared_with:
        raise ChangeRefused(
            gettext("Version %(version)d came into force after you looked. Look at what changes now, then approve.")
            % {"version": holds.version}
        )
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
        ChangeRefused: when the version never was in force, or is.
    """
    policy = _locked(policy, State.FORMER, now=now)
    repeated = _stored(
        pack=policy.pack,
        checkpoint=policy.checkpoint,
        values={name: getattr(policy, name) for name in CONTENT_FIELDS},
        reason=gettext("Return to version %(version)d") % {"version": policy.version},
        actor=actor,
        returns_to=policy,
    )
    repeated.decided_by, repeated.decided_at = actor, now
    repeated.save(update_fields=["decided_by", "decided_at"])
    _activate(repeated, actor=actor, now=now)
    return repeated


def activate_due(*, now: dt.datetime) -> int:
    """Puts approved versions in force whose time has come; returns how many.

    Workers call it every few seconds: without one of them nothing is decided anyway.
    """
    if not _due(now).exists():
        return 0
    with transaction.atomic():
        _lock()
        activated = _activate_due(now)
    logger.info("%d threshold policies came into force", activated)
    return activated


def _due(now: dt.datetime) -> QuerySet[ThresholdPolicy]:
    return ThresholdPolicy.objects.filter(state=State.APPROVED, effective_from__lte=now)


def _activate_due(now: dt.datetime) -> int:
    """Every change begins with it: else a version whose time has come would undo a later change once a worker looks."""
    # In the order of their times, so that the last one stays.
    versions = list(_due(now).order_by("effective_from", "version"))
    for policy in versions:
        _activate(policy, actor=None, now=now)
    return len(versions)


def _lock() -> None:
    """Two changes at once would otherwise take the same version number, or both become active."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_VERSION_LOCK])


def _locked(policy: ThresholdPolicy, *expected: ThresholdPolicy.State, now: dt.datetime) -> ThresholdPolicy:
    _lock()
    _activate_due(now)
    found = ThresholdPolicy.objects.get(pk=policy.pk)
    if found.state not in expected:
        raise ChangeRefused(
            gettext("Version %(version)d is %(state)s by now; nothing was changed.")
            % {"version": found.version, "state": found.get_state_display()}
        )
    return found


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


def in_force(*, pack: ModelPack, checkpoint: Checkpoint | None) -> ThresholdPolicy | None:
    """The version in force of exactly this scope."""
    return ThresholdPolicy.objects.filter(pack=pack, checkpoint=checkpoint, state=State.ACTIVE).first()


def holding(*, pack: ModelPack, checkpoint: Checkpoint | None) -> ThresholdPolicy | None:
    """The version that decides in a scope now: its own, or else the site's."""
    return in_force(pack=pack, checkpoint=checkpoint) or in_force(pack=pack, checkpoint=None)


def _activate(policy: ThresholdPolicy, *, actor: User | None, now: dt.datetime) -> None:
    before = in_force(pack=policy.pack, checkpoint=policy.checkpoint)
    if before is not None:
        ThresholdPolicy.objects.filter(pk=before.pk).update(state=State.FORMER, retired_at=now)
    policy.state, policy.activated_at = State.ACTIVE, now
    policy.save(update_fields=["state", "activated_at"])
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


def _threshold(pack: ModelPack, fmr: float) -> float:
    for point in pack.operating_points:
        if point["fmr"] == fmr:
            return float(point["threshold"])
    raise ThresholdsNotMeasured(
        f"The pack {pack.name} has no measured threshold at FMR {fmr:g}. Measure it with "
        f"`faceweb evaluate pairs --images DIR --pairs FILE --all-pairs --pack {pack.name} --record`."
    )
