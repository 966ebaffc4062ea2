"""What was stored before the guard came is kept by it, and going back takes it away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import IntegrityError, connection

from recognition.models import AuditEntry, RecognitionEvent
from tests import fakes
from tests.integration.recognition.migrations.conftest import migrate

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = "0005_policy_guard"
_TRIGGERS = "SELECT count(*) FROM pg_trigger WHERE tgfoid = to_regproc('recognition_keep_row')"


@pytest.fixture
def event() -> Iterator[RecognitionEvent]:
    """Stored while there was no guard; afterwards the database is the newest again, whatever happened."""
    event = fakes.event()
    old = migrate(BEFORE)
    yield event
    # By the models of then: those of today ask for columns that are not there yet.
    old.get_model("recognition", "RecognitionEvent").objects.all().delete()
    migrate(None)


def _triggers() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_TRIGGERS)
        return int(cursor.fetchone()[0])


def test_an_empty_database_goes_forwards_and_backwards() -> None:
    assert _triggers() == 5
    migrate(BEFORE)
    assert _triggers() == 0
    migrate(None)
    assert _triggers() == 5


def test_before_it_a_decision_could_be_changed(event: RecognitionEvent) -> None:
    assert RecognitionEvent.objects.update(decision="nonsense") == 1
    RecognitionEvent.objects.update(decision="accept")


def test_an_event_of_before_is_kept_as_it_was(event: RecognitionEvent) -> None:
    stored = RecognitionEvent.objects.values().get()
    migrate(None)
    with pytest.raises(IntegrityError, match="never changes"):
        RecognitionEvent.objects.update(decision="reject_no_match")
    with pytest.raises(IntegrityError, match="never removed"):
        AuditEntry.objects.all().delete()
    assert RecognitionEvent.objects.values().get() == stored


def test_a_decision_that_nobody_knows_stops_it_and_nothing_is_lost(event: RecognitionEvent) -> None:
    RecognitionEvent.objects.update(decision="nonsense")
    with pytest.raises(IntegrityError, match="an_event_has_a_known_decision"):
        migrate(None)
    assert RecognitionEvent.objects.values_list("decision", flat=True).get() == "nonsense"
    assert _triggers() == 0
