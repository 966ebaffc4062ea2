"""What was stored before there was retention is kept until somebody says for how long."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group

from recognition.models import RecognitionEvent, RetentionRule
from recognition.services import retention, sealed_log
from tests import fakes
from tests.integration.recognition.migrations.conftest import migrate

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = "0020_event_log"


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
