"""`faceweb audit` as people and programs use it."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from recognition.models import EventCrop
from tests import fakes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Path:
    monkeypatch.setenv("FACEWEB_STATE_DIR", str(tmp_path / "state"))
    settings.FACEWEB_STATE_DIR = tmp_path / "state"
    return tmp_path


def call(*arguments: object, status: int = 0) -> str:
    out = StringIO()
    try:
        call_command("audit", *map(str, arguments), stdout=out)
        ended = 0
    except SystemExit as stop:
        ended = int(stop.code or 0)
    assert ended == status, out.getvalue()
    return out.getvalue()


def test_an_empty_log_is_whole_and_has_nothing_to_anchor() -> None:
    found = json.loads(call("verify", "--json"))
    assert found == {
        "ok": True,
        "rows": 0,
        "anchors": 0,
        "head": "00" * 32,
        "first_broken": None,
        "rows_per_s": found["rows_per_s"],
    }
    with pytest.raises(CommandError, match="nothing to anchor"):
        call("anchor")


def test_what_was_changed_is_named_in_words_and_by_the_exit_status(own_state: Path) -> None:
    event = fakes.event()
    EventCrop.objects.create(event=event, jpeg=b"a crop")
    file = own_state / "anchors.jsonl"
    file.write_text(call("anchor"))
    words = call("verify", "--anchor", file)
    assert "rows are as they were sealed and agree with 1 anchors" in words
    EventCrop.objects.all().delete()
    words = call("verify", status=1)
    assert f"the picture of event {event.pk} was removed, and no later entry" in words
    found = json.loads(call("--json", "verify", status=1))
    assert (found["ok"], found["first_broken"]["kind"], found["first_broken"]["row"]) == (False, "crop", event.pk)
    assert found["first_broken"]["reason"] == "content_gone"


def test_an_anchor_that_is_none_is_told_in_a_sentence(own_state: Path) -> None:
    (own_state / "anchors.jsonl").write_text("{}\n")
    with pytest.raises(CommandError, match=r"Line 1 of .* proves nothing") as refused:
        call("verify", "--anchor", own_state / "anchors.jsonl")
    assert refused.value.returncode == 2


def test_a_bundle_is_made_and_proved_with_the_fingerprint_and_no_other(own_state: Path) -> None:
    event = fakes.event(similarity=0.7)
    file = own_state / "bundle.json"
    made = json.loads(call("bundle", event.pk, file, "--json"))
    words = call("verify-bundle", file, "--key", made["fingerprint"])
    assert f"Genuine. It is about event {event.pk}" in words
    found = json.loads(call("verify-bundle", file, "--key", made["fingerprint"], "--json"))
    assert found["contents"][f"event:{event.pk}"]["similarity"] == 0.7
    assert "not the one that you trust" in call("verify-bundle", file, "--key", "00" * 32, status=1)
    with pytest.raises(CommandError, match="cannot be written: File exists"):
        call("bundle", event.pk, file)
    with pytest.raises(CommandError, match="There is no event 999"):
        call("bundle", 999, own_state / "other.json")
