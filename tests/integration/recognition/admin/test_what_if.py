"""The page of what other thresholds would have made of the log."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils import timezone

from recognition.models import ModelPack, Person, RecognitionEvent
from recognition.selectors import what_if
from recognition.services import policies
from tests import fakes

pytestmark = pytest.mark.django_db

PAGE = "/admin/recognition/thresholdpolicy/what-if/"
THRESHOLDS = {
    "identification_threshold": 0.5,
    "verification_threshold": 0.4,
    "margin": 0.05,
    "votes_needed": 3,
    "votes_of": 5,
    "strategy": "nearest",
}


@pytest.fixture(autouse=True)
def pack() -> ModelPack:
    return fakes.activated_pack()


@pytest.fixture
def administrator(client: Client) -> Client:
    client.force_login(fakes.in_role("administrator"))
    return client


@pytest.fixture
def auditor(client: Client) -> Client:
    client.force_login(fakes.in_role("auditor"))
    return client


def text_at(client: Client, where: str = PAGE) -> str:
    return re.sub(r"\s+", " ", client.get(where).content.decode())


def accepted(person: Person, similarity: float = 0.6) -> RecognitionEvent:
    """An accept of the live page by three votes."""
    vote = {
        "at_ms": 0,
        "decision": "accept",
        "best_person": person.pk,
        "best_sample": None,
        "similarity": similarity,
        "runner_up": None,
        "runner_up_similarity": None,
        "margin": None,
        "others": [],
        "counts": True,
        "quality": fakes.quality().measurements_json(),
    }
    return fakes.event(
        person=person, best_person=person, votes=[vote] * 3, thresholds=THRESHOLDS, decided_at=timezone.now()
    )


def test_before_a_threshold_is_moved_nothing_is_decided_anew(administrator: Client) -> None:
    page = text_at(administrator)
    assert 'name="identification_threshold" min="0" max="1" step="0.001" value="0.500"' in page
    assert "(now 0.500)" in page
    assert "What would have been" not in page


def test_without_a_policy_there_is_nothing_to_try(administrator: Client) -> None:
    ModelPack.objects.update(operating_points=[])
    assert "nothing was decided that could be decided anew" in text_at(administrator)
    ModelPack.objects.update(is_active=False)
    assert "nothing was decided that could be decided anew" in text_at(administrator)


def test_an_empty_log_says_so(administrator: Client) -> None:
    page = text_at(administrator, f"{PAGE}?identification_threshold=0.6")
    assert "0 events were decided anew" in page
    assert "There is no event in this time" in page


def test_it_tells_by_name_who_would_be_refused(auditor: Client) -> None:
    event = accepted(fakes.person("Ada"))
    page = text_at(auditor, f"{PAGE}?identification_threshold=0.65")
    assert "1 event was decided anew." in page
    assert "Accepted: Ada" in page
    assert "Not recognised" in page
    assert "(now 0.500)" in page
    assert f"recognitionevent/{event.pk}/change" in page
    assert "You may not see events" not in page
    assert "Nothing would have ended otherwise" in text_at(auditor, f"{PAGE}?identification_threshold=0.55")


def test_of_more_events_than_are_looked_at_it_says_how_many(auditor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(what_if, "MOST_EVENTS", 2)
    for _ in range(3):
        accepted(fakes.person("Ada"))
    page = text_at(auditor, f"{PAGE}?identification_threshold=0.65")
    assert "2 events were decided anew. They are the newest: 2 of the 3 in this time" in page


@pytest.mark.parametrize("change", ["", "&change=refused"])
def test_who_may_not_see_events_sees_counts_alone(administrator: Client, change: str) -> None:
    event = accepted(fakes.person("Ada"))
    where = f"{PAGE}?identification_threshold=0.65{change}"
    page = text_at(administrator, where)
    assert "1 event was decided anew." in page
    assert "<strong>1</strong> <span>Accepted then, refused now</span>" in page
    assert "You may not see events" in page
    assert "Ada" not in page
    assert f"#{event.pk}" not in page
    assert administrator.get(where).context["rows"] == []
    assert "Nothing would have ended otherwise" in text_at(administrator, f"{PAGE}?identification_threshold=0.55")


def test_somebody_who_was_erased_is_shown_as_that(auditor: Client) -> None:
    ada = fakes.person("Ada")
    accepted(ada)
    Person.objects.all().delete()
    page = text_at(auditor, f"{PAGE}?identification_threshold=0.65")
    assert "Accepted: somebody who was erased since" in page


def test_a_value_as_close_as_the_slider_can_stand_is_the_one_in_force(administrator: Client, pack: ModelPack) -> None:
    policies.create_version(pack=pack, values={"identification_threshold": 0.47213}, reason="a test", actor=None)
    accepted(fakes.person("Ada"), 0.4722)
    RecognitionEvent.objects.all().delete()
    page = administrator.get(f"{PAGE}?identification_threshold=0.472")
    assert "identification_threshold=0.47213" in page.context["propose"]


def test_what_was_tried_is_proposed_with_its_values_filled_in(administrator: Client) -> None:
    point = fakes.checkpoint()
    response = administrator.get(f"{PAGE}?identification_threshold=0.65&margin=0.1&checkpoint={point.pk}")
    form = administrator.get(response.context["propose"]).context["adminform"].form
    assert (form.initial["identification_threshold"], form.initial["margin"]) == ("0.65", "0.1")
    assert (form.initial["verification_threshold"], form.initial["checkpoint"]) == ("0.4", point)


def test_rows_come_in_pages_and_of_one_kind(auditor: Client) -> None:
    ada = fakes.person("Ada")
    for _ in range(51):
        accepted(ada)
    where = f"{PAGE}?identification_threshold=0.65"
    first = auditor.get(where)
    assert len(first.context["rows"]) == 50
    assert "Page 1 of 2" in text_at(auditor, where)
    assert len(auditor.get(f"{where}&p=2").context["rows"]) == 1
    assert len(auditor.get(f"{where}&change=refused").context["rows"]) == 50
    assert auditor.get(f"{where}&change=accepted").context["rows"] == []
    shown = next(tile for tile in first.context["tiles"] if tile.code == "refused")
    assert (shown.count, shown.is_shown) == (51, False)


@pytest.mark.parametrize(
    "query",
    [
        "identification_threshold=2",
        "margin=x",
        "days=3",
        "checkpoint=99",
        "change=none",
        "identification_threshold=nan",
    ],
)
def test_what_cannot_be_asked_is_said_and_nothing_is_decided(administrator: Client, query: str) -> None:
    response = administrator.get(f"{PAGE}?{query}")
    assert response.status_code == 200
    assert response.context["problems"]
    assert "found" not in response.context


def test_what_was_left_out_is_said(administrator: Client) -> None:
    event = accepted(fakes.person("Ada"))
    other = fakes.registered_pack(name="other", digest="e" * 64)
    fakes.event(pack=other, votes=event.votes, thresholds=THRESHOLDS, decided_at=timezone.now())
    page = text_at(administrator, f"{PAGE}?identification_threshold=0.65")
    assert "1 decided by another model pack" in page
