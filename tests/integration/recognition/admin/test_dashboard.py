"""The first page of staff: decisions, what waits, and the system."""

from __future__ import annotations

import csv
import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone

from recognition.models import AnchorPlace, RetentionRule
from recognition.services import anchors, retention
from tests import fakes

pytestmark = pytest.mark.django_db

FILE = "/decisions.csv"


def shown(client: Client, *roles: str, days: str = "") -> str:
    client.force_login(fakes.in_role(*roles))
    return client.get("/", {"days": days}).content.decode()


def test_nothing_decided_is_told_in_words(client: Client) -> None:
    page = shown(client, "auditor")
    assert "Nothing was decided in this time." in page
    assert "<canvas" not in page


def test_decisions_have_a_chart_a_table_and_each_checkpoint(client: Client) -> None:
    now = timezone.now()
    fakes.event(decided_at=now, checkpoint=fakes.checkpoint("door", name="Front door"))
    fakes.event(decided_at=now, decision="no_decision_quality")
    page = shown(client, "auditor", days="7")
    assert 'data-type="bar"' in page
    assert "Decisions over time: accepted 1, unknown 0, refused 0, no decision 1." in page
    assert "50.0 % (1 of 2)" in page
    assert "Front door" in page
    assert "live page" in page
    assert 'href="?days=7" aria-current="true"' in page


def test_of_a_time_that_retention_thinned_no_failure_to_acquire_is_told(client: Client) -> None:
    now = timezone.now()
    fakes.event(decided_at=now - dt.timedelta(days=3), decision="no_decision_quality")
    fakes.event(decided_at=now)
    rule = RetentionRule.objects.get(code="no_decision")
    retention.change_rule(rule=rule, event_days=2, crop_days=None, actor=None)
    retention.apply(now=now)
    assert "Retention removed events of this time." in shown(client, "auditor", days="7")
    assert client.get("/", {"days": "7"}).context["decisions"].not_acquired == ""
    assert client.get("/", {"days": "1"}).context["decisions"].not_acquired == "0 % (0 of 1)"


@pytest.mark.parametrize("days", ["", "0", "8", "week"])
def test_a_period_that_does_not_exist_is_the_last_day(client: Client, days: str) -> None:
    assert 'href="?days=1" aria-current="true"' in shown(client, "auditor", days=days)


def test_an_enroller_sees_no_decisions_and_whether_the_system_runs_is_for_those_who_see_jobs(client: Client) -> None:
    page = shown(client, "enroller")
    assert "decisions-heading" not in page
    assert "No process takes jobs" in page
    assert "No process takes jobs" not in shown(client, "operator")


def test_a_sealed_log_that_is_not_anchored_is_told(client: Client) -> None:
    anchors.note(place=AnchorPlace.Code.FILE, now=timezone.now(), problem="No space left on device")
    assert "No space left on device." in shown(client, "administrator")


def test_each_count_stands_below_its_name(client: Client) -> None:
    for decision, count in (("accept", 1), ("reject_no_match", 2), ("locked_out", 3), ("error", 4)):
        for _ in range(count):
            fakes.event(decided_at=timezone.now(), decision=decision)
    client.force_login(fakes.in_role("auditor"))
    context = client.get("/").context
    shown = dict(zip(map(str, context["outcomes"]), context["decisions"].counts, strict=True))
    assert shown == {"accepted": 1, "unknown": 2, "refused": 3, "no decision": 4}
    (row,) = [row for row in csv.DictReader(client.get(FILE).content.decode().splitlines()) if row["accepted"] != "0"]
    assert (row["unknown"], row["refused"], row["no_decision"]) == ("2", "3", "4")


def test_the_file_holds_every_hour(client: Client) -> None:
    fakes.event(decided_at=timezone.now())
    client.force_login(fakes.in_role("auditor"))
    answer = client.get(FILE, {"days": "30"})
    assert answer["Content-Disposition"] == 'attachment; filename="decisions-30-days.csv"'
    rows = list(csv.DictReader(answer.content.decode().splitlines()))
    assert len(rows) == 30
    assert rows[-1]["accepted"] == "1"


def test_who_is_no_staff_is_led_to_what_they_may_open(client: Client) -> None:
    client.force_login(fakes.user("use_live"))
    assert client.get("/")["Location"] == "/live/"
    client.force_login(fakes.user("search_gallery"))
    assert client.get("/")["Location"] == "/search/"


@pytest.mark.parametrize(("role", "is_linked"), [("enroller", True), ("operator", False)])
def test_search_and_comparison_are_in_the_navigation_of_those_who_may(
    role: str, is_linked: bool, client: Client
) -> None:
    page = shown(client, role)
    for address, title in (("/search/", "Search by photo"), ("/compare/", "Compare two photos")):
        assert (f'href="{address}"' in page) is is_linked
        assert (title in page) is is_linked
