"""Numbers for Prometheus: what this process counted, and what the database says now."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from django import db
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from faceweb import env, readiness
from recognition.live import frames
from recognition.live import metrics as counted
from recognition.live.frames import NoWorker
from recognition.selectors import alerts, jobs
from recognition.services import analysis


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer whoever sends the token of the settings; without one in the settings, nobody."""
    token = settings.FACEWEB_METRICS_TOKEN
    if not token:
        return _plain(f"No metrics: set {env.METRICS_TOKEN.name}.\n", 404)
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not secrets.compare_digest(given.encode(), token.encode()):
        refusal = _plain("Expected the header `Authorization: Bearer` with the token of this installation.\n", 401)
        refusal["WWW-Authenticate"] = "Bearer"
        return refusal
    text = generate_latest(counted.REGISTRY) + generate_latest(_LOOKED_UP)
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)


def _plain(sentence: str, status: int) -> HttpResponse:
    return HttpResponse(sentence, content_type="text/plain", status=status)


class _LookedUp(Collector):
    """What is asked of others at each scrape; while the database is away, what it would say is left out."""

    def collect(self) -> Iterator[Metric]:
        """Return every number, now."""
        yield _gauge("faceweb_recognition_up", "Whether a recognition process is alive.", analysis.is_up())
        yield from _backlog()
        stored: list[Metric] = []
        is_up = readiness.database_answers()
        if is_up:
            try:
                stored = list(_stored())
            except db.Error:  # it went away in between
                is_up = False
        yield _gauge("faceweb_database_up", "Whether the database answers.", is_up)
        yield from stored


_LOOKED_UP = CollectorRegistry()
_LOOKED_UP.register(_LookedUp())


def _backlog() -> Iterator[Metric]:
    try:
        backlog = frames.connected().backlog()
    except NoWorker:
        return
    yield _gauge("faceweb_frame_queue_length", "Frames and photos that wait for recognition.", backlog.length)
    yield _gauge("faceweb_frame_queue_age_seconds", "How long the oldest of them has waited.", backlog.oldest_s)


def _stored() -> Iterator[Metric]:
    found = GaugeMetricFamily("faceweb_jobs", "Jobs, by kind and state.", labels=["kind", "state"])
    for (kind, state), count in jobs.counts().items():
        found.add_metric([kind, state], count)
    yield found
    oldest_s = jobs.oldest_waiting_s(now=timezone.now())
    yield _gauge("faceweb_job_queue_age_seconds", "How long the oldest job that waits has waited.", oldest_s)
    yield _gauge("faceweb_jobs_process_up", "Whether a jobs process is alive.", jobs.is_anybody_working())
    found_alerts = alerts.unacknowledged()
    open_alerts = found_alerts.count if found_alerts else 0
    yield _gauge("faceweb_alerts_open", "Alerts that nobody has acknowledged.", open_alerts)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=float(value))
