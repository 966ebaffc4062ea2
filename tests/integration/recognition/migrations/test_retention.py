"""What was stored before there was retention is kept until somebody says for how long."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import Group

from recognition.models import AuditEntry, RecognitionEvent, RetentionRule
from recognition.services import retention, sealed_log
from tests import fakes
from tests.integration.recognition.migrations.conftest import migrate

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = "0020_event_log"


def test_what_retention_removed_before_is_taken_to_be_as_young_as_it_can_have_been(before: Any) -> None:
    old = migrate("0022_audit_accounts")
    for code, details in (("refused", {"events": 2}), ("accepted", {"crops": 3})):
        old.get_model("recognition", "AuditEntry").objects.create(
            action="retention.applied", subject=f"retentionrule:{code}", details=details
        )
    migrate(None)
    at = AuditEntry.objects.earliest("pk").at
    removed = dict(RetentionRule.objects.values_list("code", "removed_until"))
    assert (removed["refused"], removed["accepted"]) == (at - dt.timedelta(days=1), None)


def test_it_makes_a_rule_of_each_class_and_goes_back(before: Any) -> None:
    before.get_model("auth", "Group").objects.create(name="administrator")
    migrate(None)
    rules = RetentionRule.objects.order_by("code").values_list("code", "event_days", "crop_days")
    assert list(rules) == [(code, None, None) for code in ("accepted", "no_decision", "refused", "unknown")]
    permissions = Group.objects.get(name="administrator").permissions.filter(codename__endswith="_retentionrule")
    assert permissions.count() == 2
    fakes.event()
    assert retention.apply(now=fakes.NOW.replace(year=2099)).events == 0
    assert RecognitionEvent.objects.count() == 1
    assert sealed_log.verify().is_whole
    migrate(BEFORE)
    migrate(None)
    assert RetentionRule.objects.count() == 4
