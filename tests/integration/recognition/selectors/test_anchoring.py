"""What a web host knows of the anchors that jobs processes keep."""

from __future__ import annotations

import datetime as dt

import pytest

from recognition import sealing_wording
from recognition.models import AnchorPlace, AuditAction, AuditEntry
from recognition.selectors import anchoring
from recognition.selectors.anchoring import LATE_AFTER, Failing
from recognition.services import anchors, audit
from tests.fakes import NOW

pytestmark = pytest.mark.django_db

FILE, ADDRESS = AnchorPlace.Code.FILE, AnchorPlace.Code.ADDRESS
HOUR = dt.timedelta(hours=1)


def said(now: dt.datetime) -> str:
    return sealing_wording.anchoring(anchoring.read(now=now))


def test_where_nothing_was_sealed_nothing_is_late() -> None:
    assert anchoring.read(now=NOW).is_well
    assert "Nothing of the sealed log is to be anchored yet." in said(NOW)


def test_what_was_sealed_and_never_anchored_is_late_after_some_hours() -> None:
    audit.record(action=AuditAction.PERSON_CHANGED, actor=None, subject=None)
    began = AuditEntry.objects.get().at
    assert anchoring.read(now=began + LATE_AFTER).is_well
    assert anchoring.read(now=began + LATE_AFTER + HOUR).is_late
    assert "ever kept outside" in said(began + LATE_AFTER + HOUR)


@pytest.mark.parametrize(("age", "is_late"), [(LATE_AFTER, False), (LATE_AFTER + HOUR / 60, True)])
def test_the_place_that_was_left_out_longest_counts(age: dt.timedelta, is_late: bool) -> None:
    anchors.note(place=FILE, now=NOW)
    anchors.note(place=ADDRESS, now=NOW + HOUR)
    found = anchoring.read(now=NOW + age)
    assert (found.kept_at, found.is_late) == (NOW, is_late)
    assert ("since" in said(NOW + age)) is is_late


def test_a_place_that_fails_is_named_with_since_when_and_why_until_it_takes_one() -> None:
    anchors.note(place=FILE, now=NOW)
    anchors.note(place=ADDRESS, now=NOW, problem="HTTP 503")
    anchors.note(place=ADDRESS, now=NOW + HOUR, problem="HTTP 500" + "x" * 999)
    anchors.note(place=FILE, now=NOW + HOUR)
    (failing,) = anchoring.read(now=NOW + HOUR).failing
    assert failing == Failing(ADDRESS, NOW, ("HTTP 500" + "x" * 999)[:200])
    assert "The address for anchors of the sealed log takes none since" in said(NOW + HOUR)
    anchors.note(place=ADDRESS, now=NOW + 2 * HOUR)
    assert anchoring.read(now=NOW + 2 * HOUR).is_well
    assert "was anchored" in said(NOW + 2 * HOUR)


def test_a_place_that_is_named_no_more_is_forgotten() -> None:
    anchors.note(place=FILE, now=NOW)
    anchors.note(place=ADDRESS, now=NOW - 9 * HOUR, problem="HTTP 503")
    anchors.give_up(place=ADDRESS)
    assert anchoring.read(now=NOW).is_well
