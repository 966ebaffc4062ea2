"""Gives a pack that comes into use the rules that held until then, with thresholds of its own.

The numbers of a policy are of two kinds. Thresholds are similarities, and those of one pack mean nothing for
another. Everything else, a PIN or the limit of attempts, is a rule of the site that people approved: it outlives
the pack.
"""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext

from recognition.models import ModelPack, ThresholdPolicy
from recognition.services import measuring, policies

DEFAULT_IDENTIFICATION_FMR = 1e-5
"""A search compares with everybody, so one comparison may err ten times less than a claim's."""

DEFAULT_VERIFICATION_FMR = 1e-4
"""NIST SP 800-63B asks for an FMR of 1 in 10,000 or better."""

THRESHOLDS = ("identification_threshold", "verification_threshold")

RULES = tuple(name for name in policies.CONTENT_FIELDS if name not in THRESHOLDS)
"""What a pack takes over. The margin is among them, although it is a gap of similarities: no pack measures one, so
that all that is known of it is what people approved. The default would be laxer wherever they raised it."""

State = ThresholdPolicy.State


class ThresholdsNotMeasured(Exception):
    """The pack has no measured threshold at the false match rate that is wanted."""


def require_measured(pack: ModelPack) -> None:
    """Refuses a pack that somebody brought along until its thresholds are measured; others show similarities at least.

    Raises:
        ThresholdsNotMeasured: with the command that measures them.
    """
    if not pack.may_be_used:
        raise ThresholdsNotMeasured(measuring.sentence(pack=pack))


@transaction.atomic
def take_over(*, pack: ModelPack, before: ModelPack | None, actor: User | None) -> tuple[ThresholdPolicy, ...]:
    """Makes the rules of every scope hold with a pack that comes into use.

    Each scope, the site and every checkpoint with a policy of its own, gets a version with the rules that held
    there. Its thresholds are those that the pack had there before, or else those that were measured. An older
    policy of the pack comes back nowhere: it is replaced, and one of a checkpoint that follows the site's by now
    is retired. A pack that is the first to decide gets the default rules.

    Args:
        pack: that comes into use; its thresholds must be measured.
        before: the pack that was in use until now; None where there was none, or the pack was in use undecided.
        actor: who did it.

    Returns:
        The versions that were made; empty where the pack has the same rules already.

    Raises:
        ThresholdsNotMeasured: when a default operating point was never measured.
        policies.ChangeRefused: when a version of the pack before is approved and waits for its time, or one asks a
            classifier that was never trained with this pack.
    """
    policies.begin_change(now=timezone.now())
    if before is not None:
        _refuse_to_lose_what_waits(before)
    source = _source(before)
    if source is None:
        return (_first(pack, actor),)
    if source == pack:
        return ()
    held = ThresholdPolicy.objects.filter(pack=source, state=State.ACTIVE)
    _refuse_to_ask_the_untrained(held, pack)
    # The site's first: a checkpoint without thresholds of its own begins with them.
    made = [_taken_over(version, pack, actor) for version in held.order_by(F("checkpoint").asc(nulls_first=True))]
    follow_the_site = ThresholdPolicy.objects.filter(pack=pack, state=State.ACTIVE, checkpoint__isnull=False)
    for version in follow_the_site.exclude(checkpoint__in=held.filter(checkpoint__isnull=False).values("checkpoint")):
        policies.retire(policy=version, actor=actor, now=timezone.now())
    return tuple(version for version in made if version is not None)


def verification_threshold(pack: ModelPack) -> float | None:
    """By which the pack would confirm claims in most places, once it is in use; None where it was never measured."""
    held = policies.in_force(pack=pack, checkpoint=None)
    if not pack.decides:
        return None
    return held.verification_threshold if held is not None else _threshold(pack, DEFAULT_VERIFICATION_FMR)


def _refuse_to_lose_what_waits(before: ModelPack) -> None:
    waiting = ThresholdPolicy.objects.filter(pack=before, state=State.APPROVED).order_by("version").first()
    if waiting is not None:
        raise policies.ChangeRefused(
            gettext(
                "Version %(version)d of the threshold policy is approved and waits for its time, which a switch of "
                "the model pack would lose. Reject it and propose it again after the switch, or switch after its time."
            )
            % {"version": waiting.version}
        )


def _refuse_to_ask_the_untrained(held: QuerySet[ThresholdPolicy], pack: ModelPack) -> None:
    versions = (each for each in held.order_by("version") if policies.asks_the_untrained(policy=each, pack=pack))
    asking = next(versions, None)
    if asking is not None:
        raise policies.ChangeRefused(
            gettext(
                "Version %(version)d of the threshold policy asks a classifier, and none was trained with the model "
                "pack %(pack)s. Put a version with another matching in force, switch, and train classifiers after that."
            )
            % {"version": asking.version, "pack": pack.name}
        )


def _source(before: ModelPack | None) -> ModelPack | None:
    """The pack whose rules held last; None where nothing was ever decided."""
    sites = ThresholdPolicy.objects.filter(state=State.ACTIVE, checkpoint=None)
    if before is not None and sites.filter(pack=before).exists():
        return before
    # Packs that never decided lie between. Only the policy of the pack in use changes, hence the latest change.
    changed = ThresholdPolicy.objects.filter(pack__in=sites.values("pack"), activated_at__isnull=False)
    latest = changed.annotate(changed_at=Greatest("activated_at", "retired_at")).order_by("-changed_at").first()
    return latest.pack if latest is not None else None


def _first(pack: ModelPack, actor: User | None) -> ThresholdPolicy:
    return policies.create_version(
        pack=pack, values=_measured(pack), reason=gettext("Measured thresholds of the model pack"), actor=actor
    )


def _taken_over(version: ThresholdPolicy, pack: ModelPack, actor: User | None) -> ThresholdPolicy | None:
    """A version of the pack with the rules of another's, in the same scope; None where it has them already."""
    own = policies.in_force(pack=pack, checkpoint=version.checkpoint)
    rules = {name: getattr(version, name) for name in RULES}
    if own is not None and rules == {name: getattr(own, name) for name in RULES}:
        return None
    had_thresholds = policies.holding(pack=pack, checkpoint=version.checkpoint) is not None
    reason = gettext("The model pack was switched: rules of version %(version)d, thresholds of the pack")
    return policies.create_version(
        pack=pack,
        values=rules if had_thresholds else {**rules, **_measured(pack)},
        reason=reason % {"version": version.version},
        actor=actor,
        checkpoint=version.checkpoint,
    )


def _measured(pack: ModelPack) -> dict[str, object]:
    return {
        "identification_threshold": _threshold(pack, DEFAULT_IDENTIFICATION_FMR),
        "verification_threshold": _threshold(pack, DEFAULT_VERIFICATION_FMR),
    }


def _threshold(pack: ModelPack, fmr: float) -> float:
    for point in pack.operating_points:
        if point["fmr"] == fmr:
            return float(point["threshold"])
    raise ThresholdsNotMeasured(
        f"The pack {pack.name} has no measured threshold at FMR {fmr:g}. Measure it with {measuring.command(pack=pack)}"
    )
