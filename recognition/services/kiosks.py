"""Pairs devices with a checkpoint: an operator makes a code, the device types it in and gets a token."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import secrets

from django.contrib.auth.models import User
from django.db import transaction
from django.dispatch import Signal
from django.utils.translation import gettext

from recognition.models import AuditAction, Checkpoint, KioskDevice, KioskPairing
from recognition.services import audit

CODE_LIFETIME = dt.timedelta(minutes=10)

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's 32 letters: none is taken for another. Source: https://www.crockford.com/base32.html"""

_READ_AS = str.maketrans("OIL", "011")
_CODE_LENGTH = 8
_TOKEN_BYTES = 32
_LABEL_LENGTH = 100

_SEEN_EVERY = dt.timedelta(minutes=1)
"""A kiosk is there or not; one write a minute says so."""


removed = Signal()
"""Sent with `device_id` once a removal is stored; open pages of the device hear of it by this."""


class CodeRefused(Exception):
    """The device was not paired; the text is for the person who typed the code."""


@dataclasses.dataclass(frozen=True, slots=True)
class Paired:
    """What a device gets, once.

    Args:
        token: proves from now on that it is this device; stored as a hash only.
        checkpoint: whose page it may show.
    """

    token: str
    checkpoint: Checkpoint


@transaction.atomic
def make_code(*, checkpoint: Checkpoint, actor: User, now: dt.datetime) -> str:
    """Makes a code with which one device may be paired within ten minutes.

    Args:
        checkpoint: whose page the device may show then.
        actor: who asks for it, and answers for the device.
        now: with a time zone.

    Returns:
        The code as XXXX-XXXX. It is stored as a hash and cannot be shown again.
    """
    KioskPairing.objects.filter(expires_at__lte=now).delete()
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
    KioskPairing.objects.create(
        checkpoint=checkpoint, code_hash=_hash(code), created_by=actor, expires_at=now + CODE_LIFETIME
    )
    audit.record(action=AuditAction.KIOSK_CODE_MADE, actor=actor, subject=checkpoint)
    return f"{code[:4]}-{code[4:]}"


@transaction.atomic
def pair(*, code: str, label: str, now: dt.datetime, replaces: KioskDevice | None = None) -> Paired:
    """Pairs a device; the code is used up by it.

    Args:
        code: as it was typed: case, spaces and the dash do not matter.
        label: what the operator calls the device.
        now: with a time zone.
        replaces: what the device was until now; removed with it, because nobody holds its token any more.

    Raises:
        CodeRefused: for a code that does not exist, was used or has expired; which of them is not said.
    """
    pairing = (
        KioskPairing.objects.select_for_update(of=("self",))
        .select_related("checkpoint", "created_by")
        .filter(code_hash=_hash(_as_made(code)), expires_at__gt=now)
        .first()
    )
    if pairing is None:
        raise CodeRefused(
            gettext(
                "This code is not valid: it is mistyped, used already, or older than ten minutes. Ask for a new one."
            )
        )
    pairing.delete()
    if replaces is not None:
        remove(device=replaces, actor=pairing.created_by, now=now)
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    device = KioskDevice.objects.create(
        checkpoint=pairing.checkpoint,
        label=label.strip()[:_LABEL_LENGTH] or gettext("kiosk"),
        token_hash=_hash(token),
        paired_by=pairing.created_by,
        last_seen_at=now,
    )
    audit.record(
        action=AuditAction.KIOSK_PAIRED,
        actor=pairing.created_by,
        subject=device,
        details={"checkpoint": pairing.checkpoint_id},
    )
    return Paired(token, pairing.checkpoint)


def device_of(token: str) -> KioskDevice | None:
    """The device with that token, with its checkpoint; None for an unknown token and a removed device.

    Looked up by the hash, so the time of the answer says nothing about tokens.
    """
    devices = KioskDevice.objects.select_related("checkpoint")
    return devices.filter(token_hash=_hash(token), revoked_at=None).first()


def seen(*, device: KioskDevice, now: dt.datetime) -> None:
    """Notes that the device is there; written once a minute at most."""
    due = KioskDevice.objects.filter(pk=device.pk).exclude(last_seen_at__gt=now - _SEEN_EVERY)
    due.update(last_seen_at=now)


@transaction.atomic
def remove(*, device: KioskDevice, actor: User | None, now: dt.datetime) -> None:
    """Ends what a device may do; its row stays, because events name it.

    Args:
        device: which one.
        actor: who removed it; None where their account is gone.
        now: with a time zone.
    """
    if KioskDevice.objects.filter(pk=device.pk, revoked_at=None).update(revoked_at=now):
        device.revoked_at = now
        audit.record(
            action=AuditAction.KIOSK_REMOVED, actor=actor, subject=device, details={"checkpoint": device.checkpoint_id}
        )
        transaction.on_commit(lambda: removed.send(sender=KioskDevice, device_id=device.pk))


def _as_made(code: str) -> str:
    letters = "".join(character for character in code.upper() if character.isalnum())
    return letters.translate(_READ_AS)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
