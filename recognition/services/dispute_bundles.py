"""Makes dispute bundles: what is stored of some events, with the proof that it is what was sealed."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils.translation import gettext

from recognition.models import (
    AuditAction,
    AuditEntry,
    EventCrop,
    EventOverride,
    RecognitionEvent,
    SealedKind,
    SealedRow,
    ThresholdPolicy,
    Verdict,
)
from recognition.sealing import bundle, chain
from recognition.sealing.anchors import Anchor
from recognition.sealing.bundle import Sealed, Stretch
from recognition.selectors import reviews, sealed_log
from recognition.services import audit, policies
from recognition.services.anchors import KeptAnchors

LONGEST_STRETCH = 100_000
"""Rows from a content to the next head that was kept; where that is farther, its own row is signed when the bundle is
made."""


class BundleNotMade(Exception):
    """No bundle was made; the text is for the person who wanted it."""


@transaction.atomic
def make(
    *,
    events: Sequence[RecognitionEvent],
    anchors: KeptAnchors,
    key: Ed25519PrivateKey,
    actor: User | None,
    now: dt.datetime,
) -> bytes:
    """Everything that is stored of these events, as a signed bundle.

    Args:
        events: which ones.
        anchors: heads that were kept; the nearest after each content proves it.
        key: what signs it.
        actor: who takes it out; None for the command line.
        now: with a time zone.

    Raises:
        BundleNotMade: when something of them is not in the sealed log, or one waits for the actor's own verdict.
    """
    if not events:
        raise BundleNotMade(gettext("Name at least one event."))
    if actor is not None:
        _require_judged(events, actor)
    for event in events:
        audit.record(action=AuditAction.EVENTS_EXPORTED, actor=actor, subject=event, details={"form": "bundle"})
    numbers = [event.pk for event in events]
    sealed = _sealed(numbers)
    return bundle.write(
        events=numbers,
        sealed=sealed,
        stretches=_stretches([each.position for each in sealed], anchors, key, now),
        crops={crop.pk: bytes(crop.jpeg) for crop in EventCrop.objects.filter(event__in=numbers)},
        policies=[_described(policy) for policy in ThresholdPolicy.objects.filter(events__in=numbers).distinct()],
        packs=[
            {"name": pack.name, "digest": pack.digest, "dimension": pack.dimension, "licence": pack.licence}
            for pack in {event.pack for event in events}
        ],
        made_at=now,
        key=key,
    )


def _require_judged(events: Sequence[RecognitionEvent], actor: User) -> None:
    """A bundle holds every verdict, and a second reviewer is to know of none before they gave theirs."""
    waiting = reviews.waiting_for(actor).filter(event__in=[event.pk for event in events]).first()
    if waiting is not None:
        message = gettext(
            "Event %(number)s waits for your verdict in review %(review)s, and a bundle holds what others said of it. "
            "Judge it first, or have somebody take the bundle out for whom it does not wait."
        )
        raise BundleNotMade(message % {"number": waiting.event_id, "review": waiting.batch_id})


def _wanted(numbers: Sequence[int]) -> dict[SealedKind, list[int]]:
    """What belongs to the events, the audit entries about them too."""
    subjects = [f"recognitionevent:{number}" for number in numbers]
    return {
        SealedKind.EVENT: list(numbers),
        SealedKind.CLAIM: list(numbers),
        SealedKind.CROP: list(numbers),
        SealedKind.OVERRIDE: _keys(EventOverride.objects.filter(event__in=numbers)),
        SealedKind.VERDICT: _keys(Verdict.objects.filter(event__in=numbers)),
        SealedKind.AUDIT: _keys(AuditEntry.objects.filter(subject__in=subjects)),
    }


def _keys(rows: Any) -> list[int]:
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _sealed(numbers: Sequence[int]) -> list[Sealed]:
    found = []
    with connection.cursor() as cursor:
        for kind, wanted in _wanted(numbers).items():
            contents = sealed_log.contents(cursor, kind=kind, numbers=wanted)
            for row in SealedRow.objects.filter(kind=kind, row_id__in=wanted):
                content = contents[row.row_id]
                in_chain = sealed_log.as_chain_row(row)
                if chain.content_fault(in_chain, content) is not None:
                    raise BundleNotMade(
                        gettext("Row %(position)s of the sealed log is not as it was sealed. Verify the log first.")
                        % {"position": row.position}
                    )
                document = content.document.decode() if content.document is not None else None
                found.append(Sealed(kind, row.row_id, row.position, in_chain.digest, content.salt, document))
    sealed = {each.row_id for each in found if each.kind == SealedKind.EVENT}
    if sealed != set(numbers):
        raise BundleNotMade(gettext("An event is not in the sealed log. Verify the log first."))
    return sorted(found, key=lambda each: each.position)


def _stretches(positions: Sequence[int], kept: KeptAnchors, key: Ed25519PrivateKey, now: dt.datetime) -> list[Stretch]:
    """For each position a stretch that it is in; those with the same head share one."""
    found = []
    # A row without a head that was kept is its own head.
    heads = itertools.groupby(positions, key=lambda position: kept.next(position, within=LONGEST_STRETCH) or position)
    for kept_head, group in heads:
        end = kept_head if isinstance(kept_head, int) else kept_head.position
        rows = [
            sealed_log.as_chain_row(row)
            for row in SealedRow.objects.filter(position__range=(next(group), end)).order_by("position")
        ]
        head = Anchor(end, rows[-1].hash, now) if isinstance(kept_head, int) else kept_head
        if head.hash != rows[-1].hash:
            raise BundleNotMade(gettext("The sealed log is another one than was anchored. Verify it first."))
        found.append(
            Stretch(
                previous=rows[0].previous,
                position=rows[0].position,
                rows=tuple((row.kind, row.row_id, row.digest) for row in rows),
                anchor=head.signed_by(key),
            )
        )
    return found


def _described(policy: ThresholdPolicy) -> dict[str, Any]:
    values = {name: getattr(policy, name) for name in policies.CONTENT_FIELDS}
    return {"id": policy.pk, "version": policy.version, "values": values}
