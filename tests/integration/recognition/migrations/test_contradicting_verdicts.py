"""Verdicts that were given before are told apart by whether they contradict an earlier one."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from recognition.models import Verdict
from recognition.selectors import event_log
from recognition.selectors.event_filters import EventFilter
from recognition.services import sealed_log
from tests import fakes
from tests.integration.recognition.migrations.conftest import migrate
from tests.integration.recognition.migrations.test_sealed_log import fill

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = "0024_sealed_holds"


def test_the_later_of_two_that_differ_contradicts_the_earlier(before: Any) -> None:
    fill(before)  # with a verdict of nobody
    event = before.get_model("recognition", "RecognitionEvent").objects.get()
    users = [before.get_model("auth", "User").objects.create(username=name) for name in ("ada", "bob")]
    said = [(0, "false_match"), (1, "true_match"), (1, "false_match")]
    for by, code in said:
        before.get_model("recognition", "Verdict").objects.create(event=event, code=code, by=users[by], at=fakes.NOW)
    migrate(None)
    assert list(Verdict.objects.order_by("pk").values_list("contradicts", flat=True)) == [False, False, True, False]
    assert sealed_log.verify().is_whole
    chief = User.objects.create_superuser("chief")
    assert [row.pk for row in event_log.page(EventFilter(review="disputed"), user=chief).events] == [event.pk]
    migrate(BEFORE)
