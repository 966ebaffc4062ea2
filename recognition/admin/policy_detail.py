"""A version of the policy as its approver reads it: what it changes, against what holds now."""

from __future__ import annotations

import dataclasses

from django.utils.translation import gettext

from recognition import conf
from recognition.models import ThresholdPolicy
from recognition.services import policies

State = ThresholdPolicy.State


@dataclasses.dataclass(frozen=True, slots=True)
class ChangeRow:
    """One number that differs.

    Args:
        name: of the field, as the form calls it.
        before: in the version in force.
        after: in the version that is looked at.
    """

    name: str
    before: str
    after: str


@dataclasses.dataclass(frozen=True, slots=True)
class PolicyDetail:
    """What the page of a version shows beside its fields.

    Args:
        holds: the version that decides in its scope now; None where nothing is decided.
        changes: what differs from that version; empty for the version itself.
        is_own: whether the user proposed it, and so may not approve it.
        can_be_approved: whether it waits for a decision, and its pack is in use.
        can_be_rejected: whether it waits for a decision or its time.
        can_be_returned_to: whether it was in force before, with the pack that is in use.
        site: the site's version, where this one decides at a checkpoint in its place; else None.
        site_changes: what would differ at the checkpoint if it followed the site's version again.
    """

    holds: ThresholdPolicy | None
    changes: tuple[ChangeRow, ...]
    is_own: bool
    can_be_approved: bool
    can_be_rejected: bool
    can_be_returned_to: bool
    site: ThresholdPolicy | None
    site_changes: tuple[ChangeRow, ...]


def detail(policy: ThresholdPolicy, *, user_id: int) -> PolicyDetail:
    """Compares a version with the one that holds in its scope."""
    holds = policies.holding(pack=policy.pack, checkpoint=policy.checkpoint)
    is_override = policy.state == State.ACTIVE and policy.checkpoint is not None and policy.pack.is_active
    site = policies.in_force(pack=policy.pack, checkpoint=None) if is_override else None
    return PolicyDetail(
        holds=holds,
        changes=changes(holds, policy) if holds is not None else (),
        is_own=policy.created_by_id == user_id and not conf.may_approve_own_policy(),
        can_be_approved=policy.state == State.PROPOSED and policy.pack.is_active,
        can_be_rejected=policy.state in {State.PROPOSED, State.APPROVED},
        can_be_returned_to=policy.state == State.FORMER and policy.pack.is_active,
        site=site,
        site_changes=changes(policy, site) if site is not None else (),
    )


def changes(before: ThresholdPolicy, after: ThresholdPolicy) -> tuple[ChangeRow, ...]:
    """The fields that differ between two versions, in the order of the form."""
    return tuple(
        ChangeRow(_label(name), _shown(before, name), _shown(after, name))
        for name in policies.CONTENT_FIELDS
        if getattr(before, name) != getattr(after, name)
    )


def _label(name: str) -> str:
    label = str(ThresholdPolicy._meta.get_field(name).verbose_name)  # type: ignore[union-attr]  # no relation is among them
    return label[:1].upper() + label[1:]


def _shown(policy: ThresholdPolicy, name: str) -> str:
    value = getattr(policy, name)
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, float):
        return f"{value:.10g}"  # every digit that was typed, and none of the float's own
    if name == "strategy":
        return policy.get_strategy_display()
    return str(value)
