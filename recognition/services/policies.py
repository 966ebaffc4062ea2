"""Changes the threshold policy: each change is a new version."""

from __future__ import annotations

import math
from collections.abc import Mapping

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Max
from django.utils.translation import gettext

from recognition.models import AuditAction, ModelPack, ThresholdPolicy
from recognition.services import audit

DEFAULT_IDENTIFICATION_FMR = 1e-5
"""A search compares with everybody, so one comparison may err ten times less than a claim's."""

DEFAULT_VERIFICATION_FMR = 1e-4
"""NIST SP 800-63B asks for an FMR of 1 in 10,000 or better."""

_VERSION_LOCK = 7_301_996_2
"""Key of the advisory lock under which versions are numbered; any constant of ours will do."""


class ThresholdsNotMeasured(Exception):
    """The pack has no measured threshold at the false match rate that is wanted."""


def create_first(*, pack: ModelPack, actor: User | None) -> ThresholdPolicy:
    """Makes a pack's first policy of its measured thresholds.

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
) -> ThresholdPolicy:
    """Stores a new version of a pack's policy and makes it the active one.

    Args:
        pack: whose similarities the thresholds are.
        values: the fields of `ThresholdPolicy` that hold numbers; those left out keep the value
            of the version before, or their default.
        reason: why; kept with the version.
        actor: who.

    Raises:
        django.core.exceptions.ValidationError: for a number outside its range.
    """
    with connection.cursor() as cursor:
        # Two changes at once would otherwise take the same version number.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_VERSION_LOCK])
    before = ThresholdPolicy.objects.filter(pack=pack, is_active=True).first()
    newest = ThresholdPolicy.objects.aggregate(newest=Max("version"))["newest"] or 0
    numbers = {name: getattr(before, name) for name in numeric_fields()} if before else {}
    policy = ThresholdPolicy(
        **{**numbers, **values},
        version=newest + 1,
        pack=pack,
        is_active=True,
        reason=reason,
        created_by=actor,
    )
    if before is not None:
        ThresholdPolicy.objects.filter(pk=before.pk).update(is_active=False)
    policy.full_clean()
    for name in numeric_fields():
        # Django's validators let NaN through, because it is neither below nor above their limits.
        if not math.isfinite(getattr(policy, name)):
            raise ValidationError({name: gettext("Enter a number.")})
    policy.save()
    audit.record(
        action=AuditAction.POLICY_CHANGED,
        actor=actor,
        subject=policy,
        details={
            "version": policy.version,
            "reason": reason,
            "before": {name: getattr(before, name) for name in numeric_fields()} if before else None,
            "after": {name: getattr(policy, name) for name in numeric_fields()},
        },
    )
    return policy


def numeric_fields() -> tuple[str, ...]:
    """Names of the fields that a version is made of."""
    kept = ("id", "version", "pack", "is_active", "reason", "created_by", "created_at")
    return tuple(field.name for field in ThresholdPolicy._meta.concrete_fields if field.name not in kept)


def _threshold(pack: ModelPack, fmr: float) -> float:
    for point in pack.operating_points:
        if point["fmr"] == fmr:
            return float(point["threshold"])
    raise ThresholdsNotMeasured(
        f"The pack {pack.name} has no measured threshold at FMR {fmr:g}. Measure it with "
        f"`faceweb evaluate pairs --images DIR --pairs FILE --all-pairs --pack {pack.name} --record`."
    )
