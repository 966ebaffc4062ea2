from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User

from recognition.models import AuditEntry, Checkpoint, KioskDevice, KioskPairing
from recognition.services import kiosks
from recognition.services.kiosks import CODE_LIFETIME, CodeRefused
from tests import fakes

pytestmark = pytest.mark.django_db

NOW = fakes.NOW
SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def door() -> Checkpoint:
    return fakes.checkpoint()


@pytest.fixture
def operator() -> User:
    return fakes.user()


@pytest.fixture
def code(door: Checkpoint, operator: User) -> str:
    return kiosks.make_code(checkpoint=door, actor=operator, now=NOW)


def device(door: Checkpoint, operator: User) -> KioskDevice:
    code = kiosks.make_code(checkpoint=door, actor=operator, now=NOW)
    found = kiosks.device_of(kiosks.pair(code=code, label="Tablet", now=NOW).token)
    assert found is not None
    return found


def test_a_code_pairs_a_device_with_its_checkpoint(door: Checkpoint, operator: User, code: str) -> None:
    paired = kiosks.pair(code=code, label="  Tablet ", now=NOW)
    found = kiosks.device_of(paired.token)
    assert found is not None
    assert (paired.checkpoint, found.checkpoint, found.label, found.paired_by) == (door, door, "Tablet", operator)
    assert sorted(AuditEntry.objects.values_list("action", flat=True)) == ["kiosk.code_made", "kiosk.paired"]


@pytest.mark.parametrize(
    "spelling",
    [str.lower, lambda code: code.replace("-", ""), lambda code: f"  {code.replace('-', ' ')} ", lambda code: code],
)
def test_a_code_may_be_typed_in_any_way(code: str, spelling: object) -> None:
    assert callable(spelling)
    assert kiosks.pair(code=spelling(code), label="", now=NOW).token


def test_letters_that_look_like_digits_are_read_as_those(door: Checkpoint, operator: User) -> None:
    codes = [kiosks.make_code(checkpoint=door, actor=operator, now=NOW) for _ in range(50)]
    assert not set("".join(codes)) & set("OILU")
    with_a_digit = next(code for code in codes if "0" in code or "1" in code)
    assert kiosks.pair(code=with_a_digit.replace("0", "o").replace("1", "l"), label="", now=NOW).token


def test_a_code_is_good_for_one_device(code: str) -> None:
    kiosks.pair(code=code, label="", now=NOW)
    with pytest.raises(CodeRefused, match="used already"):
        kiosks.pair(code=code, label="", now=NOW)


def test_a_device_that_is_paired_anew_loses_its_former_pairing_in_the_same_stroke(
    door: Checkpoint, operator: User, code: str
) -> None:
    former = device(door, operator)
    with pytest.raises(CodeRefused):
        kiosks.pair(code="0000-0000", label="", now=NOW, replaces=former)
    assert KioskDevice.objects.filter(revoked_at=None).get() == former
    kiosks.pair(code=code, label="Hall", now=NOW, replaces=former)
    assert KioskDevice.objects.filter(revoked_at=None).get().label == "Hall"
    removal = AuditEntry.objects.get(action="kiosk.removed")
    assert (removal.actor, removal.details) == (operator, {"checkpoint": door.pk})


def test_a_code_is_good_for_ten_minutes(code: str) -> None:
    with pytest.raises(CodeRefused):
        kiosks.pair(code=code, label="", now=NOW + CODE_LIFETIME)
    assert kiosks.pair(code=code, label="", now=NOW + CODE_LIFETIME - SECOND).token


@pytest.mark.parametrize("code", ["", "0000-0000", "0" * 500, "\x00"])
def test_a_code_that_nobody_made_is_refused(door: Checkpoint, code: str) -> None:
    with pytest.raises(CodeRefused):
        kiosks.pair(code=code, label="", now=NOW)


def test_neither_code_nor_token_is_stored(door: Checkpoint, operator: User, code: str) -> None:
    assert code.replace("-", "") not in str(KioskPairing.objects.values().get())
    token = kiosks.pair(code=code, label="", now=NOW).token
    assert token not in str(KioskDevice.objects.values().get())


def test_expired_codes_are_swept_away_with_the_next_one(door: Checkpoint, operator: User, code: str) -> None:
    kiosks.make_code(checkpoint=door, actor=operator, now=NOW + CODE_LIFETIME)
    assert KioskPairing.objects.count() == 1


@pytest.mark.parametrize("token", ["", "x", "\x00"])
def test_an_unknown_token_is_nobodys(token: str) -> None:
    assert kiosks.device_of(token) is None


def test_a_removed_device_may_do_nothing_and_is_removed_once(door: Checkpoint, operator: User, code: str) -> None:
    token = kiosks.pair(code=code, label="", now=NOW).token
    for _ in range(2):
        kiosks.remove(device=KioskDevice.objects.get(), actor=operator, now=NOW)
    assert kiosks.device_of(token) is None
    assert AuditEntry.objects.filter(action="kiosk.removed").count() == 1


def test_that_a_device_is_there_is_written_once_a_minute(door: Checkpoint, operator: User) -> None:
    tablet = device(door, operator)
    for seconds, seen_after_s in ((59, 0), (60, 60), (61, 60)):
        kiosks.seen(device=tablet, now=NOW + seconds * SECOND)
        tablet.refresh_from_db()
        assert tablet.last_seen_at == NOW + seen_after_s * SECOND
    KioskDevice.objects.update(last_seen_at=None)
    kiosks.seen(device=tablet, now=NOW)
    tablet.refresh_from_db()
    assert tablet.last_seen_at == NOW
