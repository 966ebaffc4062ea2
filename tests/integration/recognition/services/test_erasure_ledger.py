from __future__ import annotations

import datetime as dt
import json
import stat
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from recognition.models import FaceSample, Person
from recognition.services import erasure_ledger, merging, people
from recognition.services.erasure_ledger import Erasure, LedgerRefused
from tests import fakes

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def ledger(tmp_path: Path, settings: Any) -> Path:
    settings.FACEWEB_STATE_DIR = tmp_path / "state"
    return erasure_ledger.ledger()


def noted(ledger: Path) -> set[tuple[str, uuid.UUID]]:
    return {(entry.kind, entry.uid) for entry in erasure_ledger.since(moment=LONG_AGO, ledgers=[ledger])}


class TestRecord:
    def test_before_the_first_erasure_there_is_no_ledger(self, ledger: Path) -> None:
        assert noted(ledger) == set()
        assert not ledger.exists()

    def test_a_person_is_noted_with_their_samples_and_without_a_name(self, ledger: Path) -> None:
        fakes.activated_pack()
        ada = fakes.person("Ada Lovelace", fakes.probe(), fakes.like_probe(0.7))
        wanted = {("person", ada.uid), *(("sample", sample.uid) for sample in ada.samples.all())}
        fakes.erase(ada)
        assert noted(ledger) == wanted
        assert len(wanted) == 3
        assert "Ada" not in ledger.read_text()
        assert stat.S_IMODE(ledger.stat().st_mode) == 0o600

    def test_a_sample_is_noted_alone(self, ledger: Path) -> None:
        fakes.activated_pack()
        sample = fakes.person("Ada", fakes.probe()).samples.get()
        people.delete_sample(sample=sample, actor=None)
        assert noted(ledger) == {("sample", sample.uid)}

    def test_whoever_was_merged_into_a_person_goes_with_them(self, ledger: Path) -> None:
        ada, twin, triplet = (Person.objects.create(name=name) for name in ("Ada", "A. L.", "A."))
        merging.merge(keep=twin, gone=triplet, actor=None)
        merging.merge(keep=ada, gone=twin, actor=None)
        fakes.erase(ada)
        assert noted(ledger) == {("person", each.uid) for each in (ada, twin, triplet)}
        assert not Person.objects.exists()

    def test_what_is_rolled_back_is_not_noted(self, ledger: Path) -> None:
        ada = Person.objects.create(name="Ada")
        with transaction.atomic():
            fakes.erase(ada)
            assert noted(ledger) == set()
            transaction.set_rollback(True)
        assert Person.objects.exists()
        assert noted(ledger) == set()

    def test_where_it_cannot_be_noted_nothing_is_erased(self, ledger: Path) -> None:
        ledger.mkdir(parents=True)
        ada = Person.objects.create(name="Ada")
        with pytest.raises(LedgerRefused, match=r"cannot be noted in .*erasures\.jsonl: Is a directory"):
            fakes.erase(ada)
        assert Person.objects.exists()
        assert not FaceSample.objects.exists()


class TestSince:
    def entry(self, seconds: float) -> Erasure:
        return Erasure(fakes.NOW + dt.timedelta(seconds=seconds), "person", uuid.uuid4())

    def test_gives_what_is_not_earlier_each_once_and_in_order(self, tmp_path: Path) -> None:
        early, at_once, late = self.entry(-6), self.entry(-4), self.entry(1)
        one, other = tmp_path / "one", tmp_path / "other"
        one.write_bytes(late.as_line() + early.as_line())
        other.write_bytes(late.as_line() + at_once.as_line())
        assert erasure_ledger.since(moment=fakes.NOW, ledgers=[one, other]) == (at_once, late)

    def test_a_ledger_that_was_named_must_be_there(self, tmp_path: Path) -> None:
        with pytest.raises(LedgerRefused, match="There is no ledger"):
            erasure_ledger.since(moment=fakes.NOW, ledgers=[tmp_path / "missing"])

    @pytest.mark.parametrize(
        "line",
        [
            b"",
            b"words",
            b"[1]",
            b"{}",
            b'{"at": "2026-03-01T12:00:00", "kind": "person", "uid": "00000000-0000-0000-0000-000000000000"}',
            b'{"at": "2026-03-01T12:00:00+00:00", "kind": "event", "uid": "00000000-0000-0000-0000-000000000000"}',
            b'{"at": "2026-03-01T12:00:00+00:00", "kind": "person", "uid": "7"}',
            b'{"at": 7, "kind": "person", "uid": "00000000-0000-0000-0000-000000000000"}',
            b"\xff",
        ],
    )
    def test_a_line_that_cannot_be_read_is_named_and_never_passed_over(self, tmp_path: Path, line: bytes) -> None:
        path = tmp_path / "ledger"
        path.write_bytes(self.entry(0).as_line() + line + b"\n")
        with pytest.raises(LedgerRefused, match="Line 2 of the ledger"):
            erasure_ledger.since(moment=fakes.NOW, ledgers=[path])

    def test_a_line_that_a_loss_of_power_tore_spoils_no_other(self, ledger: Path) -> None:
        ledger.parent.mkdir()
        ledger.write_bytes(b'{"at": "20')
        ada = Person.objects.create(name="Ada")
        fakes.erase(ada)
        first, second = ledger.read_text().splitlines()
        assert json.loads(second)["uid"] == str(ada.uid)
        assert first == '{"at": "20'


class TestAdopt:
    def test_adds_what_is_new_and_the_second_time_nothing(self, ledger: Path, tmp_path: Path) -> None:
        path = tmp_path / "other"
        path.write_bytes(TestSince().entry(0).as_line() + TestSince().entry(1).as_line())
        for _ in range(2):
            erasure_ledger.adopt(ledgers=[path])
            assert ledger.read_bytes() == path.read_bytes()
