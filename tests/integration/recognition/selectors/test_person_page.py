"""How the history of a person is looked up among very many entries."""

from __future__ import annotations

import pytest
from django.db import connection

from recognition.models import AuditEntry
from recognition.selectors import person_page
from tests import fakes

pytestmark = pytest.mark.django_db


def test_the_history_reads_no_entry_of_anybody_else() -> None:
    somebody = fakes.person()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO recognition_auditentry (at, action, subject, details) "
            "SELECT now(), 'sample.deleted', 'facesample:' || n, jsonb_build_object('person', n + %s) "
            "FROM generate_series(1, 5000) n",
            [somebody.pk],
        )
        cursor.execute("ANALYZE recognition_auditentry")
    AuditEntry.objects.create(action="sample.deleted", subject="facesample:9999", details={"person": somebody.pk})
    found = person_page.history(somebody)
    assert [entry.subject for entry in found] == ["facesample:9999"]
    plan = found.explain()
    assert "audit_by_subject" in plan
    assert "audit_of_samples_by_person" in plan
    assert "Seq Scan on recognition_auditentry" not in plan
