"""What was stored before the guard came is kept by it, and going back takes it away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import IntegrityError, connection
from pytest_django import DjangoDbBlocker

from recognition.models import AuditEntry, RecognitionEvent
from tests import fakes
from tests.integration.recognition.migrations.conftest import migrate
from tests.other_databases import new_database, using

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = "0005_policy_guard"
_TRIGGERS = "SELECT count(*) FROM pg_trigger WHERE tgfoid = to_regproc('recognition_keep_row')"


@pytest.fixture(scope="module")
def filled(newest: str, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """A database with an event that was stored while there was no guard; to be copied only."""
    with django_db_blocker.unblock(), new_database(newest) as name:
        with using(name):
            fakes.event()
            migrate(BEFORE)
        yield name


@pytest.fixture
def event(transactional_db: None, filled: str) -> Iterator[None]:
    """Stored while there was no guard."""
    with new_database(filled) as own, using(own):
        yield


def _triggers() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_TRIGGERS)
        return int(cursor.fetchone()[0])


def test_an_empty_database_goes_forwards_and_backwards(today: None) -> None:
    assert _triggers() == 9
    migrate(BEFORE)
    assert _triggers() == 0
    migrate(None)
    assert _triggers() == 9


def test_before_it_a_decision_could_be_changed(event: None) -> None:
    assert RecognitionEvent.objects.update(decision="nonsense") == 1
    RecognitionEvent.objects.update(decision="accept")


def test_an_event_of_before_is_kept_as_it_was(event: None) -> None:
    stored = RecognitionEvent.objects.values().get()
    migrate(None)
    with pytest.raises(IntegrityError, match="never changes"):
        RecognitionEvent.objects.update(decision="reject_no_match")
    with pytest.raises(IntegrityError, match="never removed"):
        AuditEntry.objects.all().delete()
    assert RecognitionEvent.objects.values().get() == stored


def test_a_decision_that_nobody_knows_stops_it_and_nothing_is_lost(event: None) -> None:
    RecognitionEvent.objects.update(decision="nonsense")
    with pytest.raises(IntegrityError, match="an_event_has_a_known_decision"):
        migrate(None)
    assert RecognitionEvent.objects.values_list("decision", flat=True).get() == "nonsense"
    assert _triggers() == 0
