from __future__ import annotations

import datetime as dt
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import connections
from django.http import QueryDict
from django.test import AsyncClient, Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from recognition.admin import log_form
from recognition.admin.log_form import LogForm
from recognition.decision.reviews import ReviewVerdict
from recognition.models import AuditEntry, RecognitionEvent, SavedFilter
from recognition.reason_wording import REASON_LABELS
from recognition.selectors import event_log
from recognition.selectors.event_filters import LIVE_PAGE, VIDEO
from recognition.services import reviews
from tests import fakes

pytestmark = pytest.mark.django_db

LOG = reverse("admin:recognition_recognitionevent_changelist")
SAVE = reverse("admin:recognition_recognitionevent_save_filter")


@pytest.fixture
def auditor() -> User:
    return fakes.in_role("auditor")


@pytest.fixture
def browser(auditor: User) -> Client:
    client = Client()
    client.force_login(auditor)
    return client


def shown(response: Any) -> list[RecognitionEvent]:
    assert response.status_code == 200
    return list(response.context["events"])


def test_an_empty_log_says_what_will_be_there(browser: Client) -> None:
    assert "No event yet." in browser.get(LOG).content.decode()
    assert "No event fits the filter" in browser.get(LOG, {"decision": "accept"}).content.decode()


def test_pages_lead_on_and_back_and_keep_the_filter(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_log.page, "__kwdefaults__", {**event_log.page.__kwdefaults__, "size": 2})  # type: ignore[dict-item]
    rows = [fakes.event(decided_at=fakes.NOW - dt.timedelta(minutes=number)) for number in range(5)]
    fakes.event(decision="error")
    first = browser.get(LOG, {"decision": "accept"})
    assert shown(first) == rows[:2]
    second = browser.get(first.context["older"])
    assert shown(second) == rows[2:4]
    assert "decision=accept" in second.context["newer"]
    assert shown(browser.get(second.context["newer"])) == rows[:2]
    assert shown(browser.get(browser.get(second.context["older"]).context["first"])) == rows[:2]


def test_a_moment_is_gone_to(browser: Client) -> None:
    rows = [fakes.event(decided_at=fakes.NOW - dt.timedelta(hours=number)) for number in range(3)]
    assert shown(browser.get(LOG, {"at": "2026-03-01T11:30"})) == rows[1:]


@pytest.mark.parametrize(
    "place",
    [
        {"at": "yesterday"},
        {"at": "9999-12-31T23:59"},
        {"before": "nonsense"},
        {"before": "2026-03-01T12:00:00_1"},
        {"after": f"2026-03-01T12:00:00+00:00_{2**70}"},
        {"before": ""},
    ],
)
def test_a_place_that_makes_no_sense_is_the_first_page(browser: Client, place: dict[str, str]) -> None:
    row = fakes.event()
    assert shown(browser.get(LOG, place)) == [row]


@given(name=st.sampled_from(("at", "before", "after")), text=st.text(max_size=60) | st.datetimes().map(str))
def test_no_address_breaks_the_page(name: str, text: str) -> None:
    place = log_form.place_of(QueryDict(urlencode({name: text})))
    assert place is None or place.at.tzinfo is not None


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"since": "yesterday"}, "Enter a valid date/time."),
        ({"similarity_from": "2"}, "less than or equal to 1"),
        ({"similarity_to": "nan"}, "Enter a number."),
        ({"decision": "maybe"}, "not one of the available choices"),
        ({"policy": "99"}, "not one of the available choices"),
        ({"person": "Nobody"}, "Nobody is called so."),
        ({"person": "#99999999999999999999"}, "Nobody is called so."),
        ({"q": "a\0b"}, "Null characters are not allowed."),
    ],
)
def test_a_filter_without_sense_is_told_and_shows_nothing(browser: Client, asked: dict[str, str], said: str) -> None:
    fakes.event()
    response = browser.get(LOG, asked)
    assert shown(response) == []
    assert said in response.content.decode()


def test_every_field_reaches_the_filter() -> None:
    fakes.activated_pack()
    door, ada = fakes.checkpoint(), fakes.person("Ada")
    data: dict[str, Any] = {
        "q": "badge",
        "since": "2026-03-01T00:00:00",
        "until": "2026-03-02T00:00:00",
        "checkpoint": str(door.pk),
        "person": f"#{ada.pk}",
        "decision": "undecided",
        "reason": "left",
        "kind": "verification",
        "similarity_from": "0.1",
        "similarity_to": "0.9",
        "review": "disputed",
        "policy": "1",
    }
    form = LogForm(data, sees_verdicts=True)  # type: ignore[arg-type]
    assert form.is_valid(), form.errors
    wanted = form.wanted
    assert (wanted.text, wanted.checkpoint, wanted.person, wanted.policy) == ("badge", door.pk, ada, 1)
    assert (wanted.since, wanted.until) == (
        dt.datetime(2026, 3, 1, tzinfo=dt.UTC),
        dt.datetime(2026, 3, 2, tzinfo=dt.UTC),
    )
    assert (wanted.reason, wanted.kind, wanted.review) == ("left", "verification", "disputed")
    assert (wanted.similarity_from, wanted.similarity_to) == (0.1, 0.9)
    assert "no_decision_quality" in wanted.decisions
    assert form.query == data


@pytest.mark.parametrize(("reasons", "where"), [(fakes.FROM_VIDEO, "video"), ([], "live page")])
def test_list_page_and_filter_say_whether_it_was_a_video_or_the_live_page(
    browser: Client, reasons: list[dict[str, Any]], where: str
) -> None:
    row = fakes.event(decision="no_decision_timeout", reasons=reasons, thresholds={"identification_threshold": 0.5})
    assert f'<span class="faceweb-soft">{where}</span>' in browser.get(LOG).content.decode()
    page = browser.get(reverse("admin:recognition_recognitionevent_change", args=[row.pk])).content.decode()
    assert f"<dt>Where</dt><dd>{where}</dd>" in page
    for value, label in ((LIVE_PAGE, "live page"), (VIDEO, "video")):
        assert f'<option value="{value}">{label}</option>' in browser.get(LOG).content.decode()
        assert shown(browser.get(LOG, {"checkpoint": value})) == ([row] if label == where else [])


def test_one_of_several_people_of_a_name_is_chosen(browser: Client) -> None:
    fakes.activated_pack()
    people = [fakes.person(f"Ada {name}") for name in ("Byron", "Lovelace")]
    row = fakes.event(best_person=people[1])
    response = browser.get(LOG, {"person": "ada"})
    assert "choose one below" in response.content.decode()
    (address,) = (address for person, address in response.context["people"] if person == people[1])
    assert shown(browser.get(address)) == shown(browser.get(LOG, {"person": "lovelace"})) == [row]


def test_whoever_may_not_see_verdicts_neither_sees_nor_filters_by_them(auditor: User) -> None:
    event = fakes.event()
    reviews.give(event=event, code=ReviewVerdict.SPOOF, note="", actor=auditor, now=fakes.NOW)
    client = Client()
    client.force_login(fakes.in_role("operator"))
    assert "Spoof" not in client.get(LOG).content.decode()
    assert "not one of the available choices" in client.get(LOG, {"review": "spoof"}).content.decode()
    assert shown(client.get(LOG, {"review": "overridden"})) == []


def test_a_filter_is_saved_used_by_others_where_it_is_shared_and_deleted(browser: Client, auditor: User) -> None:
    for name, shared in (("At night", {"is_shared": "on"}), ("Mine", {})):
        browser.post(SAVE, {"name": name, "filter": "decision=accept&before=x", **shared})
    assert SavedFilter.objects.get(name="At night").query == {"decision": "accept"}
    assert [offered.saved.name for offered in browser.get(LOG).context["saved"]] == ["At night", "Mine"]
    colleague = Client()
    colleague.force_login(fakes.in_role("operator"))
    (offered,) = colleague.get(LOG).context["saved"]
    assert (offered.saved.name, offered.is_own, offered.address) == ("At night", False, f"{LOG}?decision=accept")
    delete = reverse("admin:recognition_recognitionevent_delete_filter", args=[offered.saved.pk])
    assert colleague.post(delete).status_code == 404
    browser.post(delete)
    assert list(SavedFilter.objects.values_list("name", flat=True)) == ["Mine"]
    actions = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["event_filter.saved", "event_filter.saved", "event_filter.deleted"]


def test_a_saved_filter_knows_a_person_by_number_alone(browser: Client) -> None:
    fakes.activated_pack()
    ada = fakes.person("Ada")
    browser.post(SAVE, {"name": "Hers", "filter": "person=ada"})
    assert SavedFilter.objects.get().query == {"person": f"#{ada.pk}"}


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("", "decision=accept"),
        ("x" * 61, "decision=accept"),
        ("All", ""),
    ],
)
def test_a_filter_without_a_name_or_without_sense_is_not_saved(browser: Client, name: str, query: str) -> None:
    response = browser.post(SAVE, {"name": name, "filter": query}, follow=True)
    assert not SavedFilter.objects.exists()
    assert [str(message) for message in response.context["messages"]]


@pytest.mark.parametrize("query", ["similarity_from=x", "decision=maybe", "person=nobody"])
def test_a_filter_that_cannot_be_read_is_not_saved_and_stays_filled_in(browser: Client, query: str) -> None:
    response = browser.post(SAVE, {"name": "Mine", "filter": query}, follow=True)
    assert "A filter that cannot be read is not saved." in response.content.decode()
    assert response.request["QUERY_STRING"] == query
    assert not SavedFilter.objects.exists()
    assert not AuditEntry.objects.exists()


def test_every_reason_has_a_few_words() -> None:
    from recognition.decision import verdict

    assert set(REASON_LABELS) == verdict._CODES


def test_what_the_filter_shows_is_exported_and_what_makes_no_sense_is_told(browser: Client) -> None:
    kept = fakes.event()
    fakes.event(decision="error")
    export = reverse("admin:recognition_recognitionevent_export")
    response: Any = browser.post(export, {"filter": "decision=accept", "format": "jsonl"})
    assert response["Content-Disposition"] == 'attachment; filename="events.jsonl"'
    assert [json.loads(line)["event"] for line in b"".join(response.streaming_content).splitlines()] == [kept.pk]
    for fields in ({"filter": "decision=maybe", "format": "csv"}, {"format": "exe"}, {}):
        refused = browser.post(export, fields, follow=True)
        assert "Nothing was exported" in refused.content.decode()
    assert AuditEntry.objects.filter(action="events.exported").count() == 1


async def test_a_server_that_waits_for_nothing_gets_the_pieces_one_by_one(transactional_db: None) -> None:
    await sync_to_async(fakes.event)()
    user = await sync_to_async(fakes.in_role)("auditor")
    client = AsyncClient()
    await client.aforce_login(user)
    response: Any = await client.post(reverse("admin:recognition_recognitionevent_export"), {"format": "csv"})
    assert response.is_async
    pieces = [piece async for piece in response.streaming_content]
    assert [piece.count(b"\r\n") for piece in pieces] == [1, 1]
    await sync_to_async(connections.close_all)()
