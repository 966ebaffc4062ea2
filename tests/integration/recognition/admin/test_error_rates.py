"""The page of measured error rates."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re

import pytest
from django.test import Client

from recognition.models import AuditAction, AuditEntry, RetentionRule, ReviewBatch
from recognition.services import retention, reviews
from recognition.services.reviews import fitting
from tests import fakes
from tests.integration.recognition.selectors.test_error_rates import REFUSED, draw, event, judge

pytestmark = pytest.mark.django_db

PAGE = "/admin/recognition/thresholdpolicy/error-rates/"


@pytest.fixture
def auditor(client: Client) -> Client:
    client.force_login(fakes.in_role("auditor"))
    return client


@pytest.fixture
def batch() -> ReviewBatch:
    door = fakes.checkpoint("=door")
    for _ in range(3):
        event(checkpoint=door)
    event(**REFUSED)
    batch = draw(accepts=2)
    judge(batch, accept="true_match", reject_no_match="false_non_match")
    return batch


def text_at(client: Client, where: str = PAGE) -> str:
    return re.sub(r"\s+", " ", client.get(where).content.decode())


def test_before_the_first_verdict_it_leads_to_the_review(auditor: Client) -> None:
    page = text_at(auditor)
    assert "No verdicts yet" in page
    assert "Review some events" in page
    client = Client()
    client.force_login(fakes.in_role("administrator"))
    assert "an auditor may" in text_at(client)


def test_each_rate_has_its_count_its_interval_and_what_it_is(auditor: Client, batch: ReviewBatch) -> None:
    page = text_at(auditor)
    assert "3 events were judged." in page
    assert "Searches for an enrolled person that did not name them" in page
    rows = {row.name: row for row in auditor.get(PAGE).context["rows"]}
    assert (rows["FNIR"].cell.share, rows["FNIR"].cell.counted) == ("25.0 %", "1 of 3")
    assert rows["FNIR"].method == "Korn-Graubard"
    assert (rows["FTA"].cell.share, rows["FTA"].cell.counted, rows["FTA"].method) == ("0 %", "0 of 4", "rule of three")
    assert (rows["FMR"].cell.share, rows["FMR"].method) == ("", "")


@pytest.mark.parametrize(
    ("by", "labels"),
    [
        ("checkpoint", ["=door", "live page"]),
        ("hour", ["12:00"]),
        ("policy", ["version 1"]),
        ("quality", ["not scored"]),
    ],
)
def test_rates_are_told_apart(auditor: Client, batch: ReviewBatch, by: str, labels: list[str]) -> None:
    response = auditor.get(f"{PAGE}?by={by}&batch={batch.pk}")
    assert [row.label for row in response.context["groups"]] == labels
    data = json.loads(response.context["chart"].data)
    assert data["labels"] == labels
    assert [dataset["label"] for dataset in data["datasets"]] == ["FAR", "FRR"]
    assert all(len(row.cells) == 7 for row in response.context["groups"])


def test_what_was_seen_in_videos_has_a_row_of_its_own(auditor: Client) -> None:
    event(reasons=fakes.FROM_VIDEO)
    batch = draw()
    judge(batch, accept="true_match")
    assert [group.label for group in auditor.get(PAGE).context["groups"]] == ["video"]
    rows = csv.DictReader(auditor.get(f"{PAGE}rates.csv").content.decode().splitlines())
    assert {row["group"] for row in rows if row["by"] == "checkpoint"} == {"video"}


def test_what_nobody_drew_is_said_to_stand_for_itself(auditor: Client, batch: ReviewBatch) -> None:
    assert "chosen by nobody" in text_at(auditor, f"{PAGE}?batch=all")
    assert "chosen by nobody" not in text_at(auditor)


@pytest.mark.parametrize("query", ["batch=999", "batch=x", "by=name"])
def test_what_there_is_not_is_not_found(auditor: Client, batch: ReviewBatch, query: str) -> None:
    assert auditor.get(f"{PAGE}?{query}").status_code == 404


def test_every_rate_is_saved_as_a_file(auditor: Client, batch: ReviewBatch) -> None:
    response = auditor.get(f"{PAGE}rates.csv?batch={batch.pk}")
    rows = list(csv.DictReader(response.content.decode().splitlines()))
    assert {row["by"] for row in rows} == {"all", "checkpoint", "hour", "policy", "quality"}
    whole = next(row for row in rows if (row["by"], row["rate"]) == ("all", "FNIR"))
    assert (whole["errors"], whole["trials"], whole["share"], whole["method"]) == ("1", "3", "0.25", "korn_graubard")
    assert {row["label"] for row in rows if row["by"] == "checkpoint"} == {"'=door", ""}


def test_a_draw_that_lost_events_has_no_rates_and_says_so(auditor: Client, batch: ReviewBatch) -> None:
    rule = RetentionRule.objects.get(code="accepted")
    retention.change_rule(rule=rule, event_days=1, crop_days=None, actor=None)
    retention.apply(now=fakes.NOW + dt.timedelta(days=2))
    page = text_at(auditor, f"{PAGE}?batch={batch.pk}")
    assert "1 of 3 drawn events are still there. Retention removed the rest" in page
    assert "All transactions" not in page
    assert auditor.get(f"{PAGE}rates.csv?batch={batch.pk}")["Location"] == f"{PAGE}?batch={batch.pk}"
    of_review = text_at(auditor, f"/admin/recognition/reviewbatch/{batch.pk}/change/")
    assert "1 of 3 drawn events are still there; retention removed the rest." in of_review


def test_where_undecided_transactions_went_the_page_says_what_the_rates_are_of(
    auditor: Client, batch: ReviewBatch
) -> None:
    event(decision="no_decision_quality", similarity=None)
    rule = RetentionRule.objects.get(code="no_decision")
    retention.change_rule(rule=rule, event_days=1, crop_days=None, actor=None)
    retention.apply(now=fakes.NOW + dt.timedelta(days=2))
    response = auditor.get(PAGE)
    assert "there is no FTA" in response.content.decode()
    assert [row.name for row in response.context["rows"]] == ["FMR", "FNMR", "FPIR", "FNIR", "FAR", "FRR"]
    assert response.context["rows"][-1].meaning.startswith("Accepts and refusals of people")


def test_a_draw_that_is_open_for_somebody_shows_them_no_numbers(auditor: Client, batch: ReviewBatch) -> None:
    later = draw()
    item = later.items.first()
    assert item is not None
    other = fakes.user("add_verdict", "view_verdict")
    reviews.give(event=item.event, code=fitting(item.event)[0], note="", actor=other, now=fakes.NOW, item=item)
    for where in (PAGE, f"{PAGE}?batch={later.pk}", f"{PAGE}?batch=all"):
        response = auditor.get(where)
        assert "Open for you" in response.content.decode()
        assert "found" not in response.context
    saved = auditor.get(f"{PAGE}rates.csv?batch={later.pk}")
    assert (saved.status_code, saved["Location"]) == (302, f"{PAGE}?batch={later.pk}")
    assert "3 events were judged." in text_at(auditor, f"{PAGE}?batch={batch.pk}")
    client = Client()
    reader = fakes.user("view_verdict")
    reader.is_staff = True
    reader.save()
    client.force_login(reader)
    assert "1 event was judged." in text_at(client)


def test_the_audit_trail_names_no_event_that_was_judged(auditor: Client, batch: ReviewBatch) -> None:
    entry = AuditEntry.objects.filter(action=AuditAction.VERDICT_GIVEN).latest("pk")
    page = auditor.get(f"/admin/recognition/auditentry/{entry.pk}/change/").content.decode()
    assert "faceweb-json" in page
    assert "supersedes" not in page
    assert "&quot;event&quot;" not in page
