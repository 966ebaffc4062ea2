"""What Prometheus reads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from recognition.live import frames
from recognition.models import Alert, Job
from recognition.services import analysis
from recognition.services.frames import FrameTask
from tests import fakes

pytestmark = pytest.mark.django_db

TOKEN = "a-token-of-some-length"
LABELS = {"kind", "state", "status", "reason", "stage", "le", "runtime", "pack"}
"""None of them names a person, a session or a place."""


@pytest.fixture(autouse=True)
def _connected(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(analysis, "_analysers", [])
    monkeypatch.setattr(frames, "_workers", [])
    with override_settings(FACEWEB_METRICS_TOKEN=TOKEN):
        yield


def scraped(client: Client) -> dict[str, float]:
    """Every sample, by name and labels as they are written."""
    response = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 200
    families = list(text_string_to_metric_families(response.content.decode()))
    samples = [sample for family in families for sample in family.samples]
    assert {label for sample in samples for label in sample.labels} <= LABELS
    return {" ".join([sample.name, *sample.labels.values()]): sample.value for sample in samples}


@override_settings(FACEWEB_METRICS_TOKEN="")
def test_without_a_token_in_the_settings_nobody_reads_them(client: Client) -> None:
    for headers in ({}, {"Authorization": "Bearer "}):
        response = client.get("/metrics", headers=headers)
        assert response.status_code == 404
        assert b"FACEWEB_METRICS_TOKEN" in response.content


@pytest.mark.parametrize("sent", [None, "", "Bearer ", "Bearer another", f"Bearer {TOKEN}x", "Bearer \xe4"])
def test_another_token_reads_nothing(client: Client, sent: str | None) -> None:
    response = client.get("/metrics", headers={} if sent is None else {"Authorization": sent})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert b"faceweb_" not in response.content


def test_a_process_without_anything_says_so(client: Client) -> None:
    found = scraped(client)
    assert found["faceweb_database_up"] == 1
    assert found["faceweb_recognition_up"] == 0
    assert found["faceweb_jobs_process_up"] == 0
    assert found["faceweb_alerts_open"] == 0
    assert found["faceweb_jobs import queued"] == 0
    assert found["faceweb_job_queue_age_seconds"] == 0
    assert "faceweb_frame_queue_length" not in found


def test_jobs_alerts_and_what_waits_for_recognition_are_counted(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    waits = Job.objects.create(kind=Job.Kind.IMPORT)
    Job.objects.filter(pk=waits.pk).update(requested_at=now - dt.timedelta(minutes=2))
    for _ in range(2):
        Job.objects.create(kind=Job.Kind.THRESHOLDS, state=Job.State.FAILED, finished_at=now)
    Alert.objects.create(event=fakes.event())
    worker = fakes.FakeFrameWorker()
    worker.held = True
    worker.submit(FrameTask(b"", (), 0.0), lambda outcome: None)
    monkeypatch.setattr(frames, "_workers", [worker])
    monkeypatch.setattr(analysis, "_analysers", [fakes.FakeAnalyser({})])
    found = scraped(client)
    assert found["faceweb_jobs import queued"] == 1
    assert found["faceweb_jobs thresholds failed"] == 2
    assert found["faceweb_jobs thresholds queued"] == 0
    assert 120 <= found["faceweb_job_queue_age_seconds"] < 180
    assert found["faceweb_alerts_open"] == 1
    assert found["faceweb_recognition_up"] == 1
    assert found["faceweb_frame_queue_length"] == 1
    assert found["faceweb_frame_queue_age_seconds"] == 1


def test_while_the_database_is_away_what_this_process_knows_is_still_told(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "PORT", "1")
    found = scraped(client)
    assert found["faceweb_database_up"] == 0
    assert "faceweb_frames_received_total" in found
    assert not {name for name in found if name.startswith("faceweb_job")}
