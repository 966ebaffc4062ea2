"""Registers, measures and activates model packs."""

from __future__ import annotations

import dataclasses

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from recognition.models import AuditAction, FaceTemplate, ModelPack, ThresholdPolicy
from recognition.services import audit, pack_rules, policies
from recognition.vision.model_packs import OperatingPoint


@dataclasses.dataclass(frozen=True, slots=True)
class PackDescription:
    """What the database keeps of a loaded pack.

    Args:
        name: for people.
        digest: of weights and preprocessing.
        dimension: length of its vectors.
        licence: name of the terms.
        commercial_use: whether they allow it, None where unknown.
        location: folder of the weights, empty for the default pack.
        operating_points: thresholds that ship with the pack.
        measured_on: on what they were measured.
        licence_url: address of the terms; empty where none is known.
        is_supplied: whether somebody brought it along, so that it is of no use until it is measured.
    """

    name: str
    digest: str
    dimension: int
    licence: str
    commercial_use: bool | None
    location: str
    operating_points: tuple[OperatingPoint, ...]
    measured_on: str
    licence_url: str = ""
    is_supplied: bool = False


@transaction.atomic
def register(*, description: PackDescription) -> ModelPack:
    """Stores a pack that was loaded on this machine, with the length of its vectors; nothing is activated.

    Calling it again for the same digest updates what may change: name, place and licence. Thresholds
    that ship with the pack are taken only while it has none: measured here, they hold.
    """
    values: dict[str, object] = {
        "name": description.name,
        "dimension": description.dimension,
        "licence": description.licence,
        "commercial_use": description.commercial_use,
        "location": description.location,
        "licence_url": description.licence_url,
        "is_supplied": description.is_supplied,
    }
    pack, created = ModelPack.objects.update_or_create(digest=description.digest, defaults=values)
    if not pack.operating_points and description.operating_points:
        pack.operating_points = [dataclasses.asdict(point) for point in description.operating_points]
        pack.measured_on = description.measured_on
        pack.save(update_fields=["operating_points", "measured_on"])
    if created:
        check_dimension(pack=pack)
    return pack


@transaction.atomic
def activate(*, pack: ModelPack, actor: User | None) -> tuple[ThresholdPolicy, ...]:
    """Makes a pack the one that searches; running workers follow within seconds.

    Templates of other packs stay stored and are not searched. The rules that held until now hold with the
    pack, in every scope; see `pack_rules`. Without measured thresholds it decides nothing, and one that somebody
    brought along is refused.

    Returns:
        The versions of the policy that were made.

    Raises:
        pack_rules.ThresholdsNotMeasured: when a default operating point was never measured, or none of a pack that
            somebody brought along.
        policies.ChangeRefused: when an approved version waits for its time; then nothing is switched.
    """
    pack_rules.require_measured(pack)
    # One switch at a time, and no change of a version beside it: it would be made for the pack before.
    policies.begin_change(now=timezone.now())
    before = ModelPack.objects.filter(is_active=True).exclude(pk=pack.pk).first()
    ModelPack.objects.filter(is_active=True).exclude(pk=pack.pk).update(is_active=False)
    ModelPack.objects.filter(pk=pack.pk).update(is_active=True)
    pack.refresh_from_db()
    audit.record(
        action=AuditAction.PACK_ACTIVATED,
        actor=actor,
        subject=pack,
        details={"digest": pack.digest, "before": before.digest if before else None},
    )
    return _decide_with(pack, before=before, actor=actor)


@transaction.atomic
def record_measurement(
    *,
    pack: ModelPack,
    operating_points: tuple[OperatingPoint, ...],
    measured_on: str,
    actor: User | None,
) -> None:
    """Keeps measured thresholds with a pack; it decides by them from now on if it is active and did not yet."""
    pack.operating_points = [dataclasses.asdict(point) for point in operating_points]
    pack.measured_on = measured_on
    pack.save(update_fields=["operating_points", "measured_on"])
    audit.record(
        action=AuditAction.PACK_MEASURED,
        actor=actor,
        subject=pack,
        details={"operating_points": pack.operating_points, "measured_on": measured_on},
    )
    if pack.is_active:
        _decide_with(pack, before=None, actor=actor)


def _decide_with(pack: ModelPack, *, before: ModelPack | None, actor: User | None) -> tuple[ThresholdPolicy, ...]:
    was_in_use = before is None and policies.in_force(pack=pack, checkpoint=None) is not None
    if was_in_use or not pack.decides:
        return ()
    return pack_rules.take_over(pack=pack, before=before, actor=actor)


def check_dimension(*, pack: ModelPack) -> None:
    """Has the database refuse vectors of the pack that are of another length."""
    with connection.schema_editor() as editor:
        editor.execute(
            f"ALTER TABLE {FaceTemplate._meta.db_table} "
            f"ADD CONSTRAINT facetemplate_dimension_pack_{pack.pk} "
            f"CHECK (pack_id <> {pack.pk} OR vector_dims(embedding) = {pack.dimension})"
        )
