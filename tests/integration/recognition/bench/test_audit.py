"""Some thousand events in place of a million: every filter of the benchmark goes by an index, and is right."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.db.models import QuerySet

from recognition.bench import audit, event_log
from recognition.models import RecognitionEvent
from recognition.selectors import event_log as log
from recognition.selectors.event_filters import EventFilter
from recognition.selectors.event_log import PAGE_SIZE, Place
from tests import fakes

pytestmark = pytest.mark.django_db

ROWS = 5_000  # with fewer, PostgreSQL rightly scans them all

EVENTS = RecognitionEvent._meta.db_table

INDEXES = {
    "everything": "event_log",
    "a decision that is rare": "event_log_decision",
    "a decision that never came": "event_log_decision",
    "every refusal of a quiet checkpoint": "event_log_checkpoint",
    "a reason in an old version": "event_log_(policy|reasons)",
    "a person": "event_log_claimed_person",
    "similarities around the threshold": "event_log(_similarity)?",
    "accepts without a verdict": "event_log(_decision)?",
    "false matches at a checkpoint": "recognition_recognitionevent_pkey",
    "disputed verdicts": "recognition_recognitionevent_pkey",
    "words of overrides in half a year": "event_log_claimed_id",
    "everything at once": "event_log.*",
}


@pytest.fixture
def auditor() -> User:
    pack = fakes.activated_pack()
    event_log.fill(ROWS, pack_id=pack.pk, end=fakes.NOW)
    return fakes.in_role("auditor")


def used(query: QuerySet[RecognitionEvent, object]) -> set[str]:
    """The indexes by which a query goes; "all rows" where it reads a table of events from end to end."""
    plan = query.explain()
    if re.search(rf"Seq Scan on {EVENTS}", plan):
        return {"all rows"}
    return set(re.findall(r"(?:using|Index Scan on) (\w+)", plan))


def test_each_filter_goes_by_an_index_and_finds_what_it_should(auditor: User) -> None:
    filters = audit.filters()
    assert filters.keys() == INDEXES.keys()
    for name, wanted in filters.items():
        query = log.page_query(wanted, user=auditor, place=None, most=PAGE_SIZE + 1)
        indexes = used(query)
        assert "all rows" not in indexes, name
        assert any(re.fullmatch(INDEXES[name], index) for index in indexes), f"{name}: {indexes}"
        assert_pages_are_right(wanted, auditor)


def test_some_verdicts_are_disputed_and_some_events_wait(auditor: User) -> None:
    for review in ("disputed", "waiting"):
        assert log.page(EventFilter(review=review), user=auditor).events, review


def assert_pages_are_right(wanted: EventFilter, user: User) -> None:
    everything = list(log.all_of(wanted, user=user))
    assert list(log.page(wanted, user=user).events) == everything[:PAGE_SIZE]
    middle = everything[len(everything) // 2 :]
    if middle:
        place = Place(middle[0].decided_at, middle[0].pk)
        assert list(log.page(wanted, user=user, place=place).events) == middle[1 : PAGE_SIZE + 1]
