from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from recognition.decision.reviews import ReviewVerdict
from recognition.models import AuditEntry, FaceSample, RecognitionEvent, ReviewBatch, Verdict
from recognition.services import reviews
from tests import fakes

pytestmark = pytest.mark.django_db

LIST = reverse("admin:recognition_reviewbatch_changelist")
DRAW = reverse("admin:recognition_reviewbatch_draw")
THRESHOLDS = {"identification_threshold": 0.5, "margin": 0.05, "votes_needed": 3, "votes_of": 5}


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def auditor() -> User:
    return fakes.in_role("auditor")


@pytest.fixture
def browser(auditor: User) -> Client:
    return logged_in(auditor)


@pytest.fixture
def sample() -> FaceSample:
    fakes.activated_pack()
    ada = fakes.person("Ada", fakes.probe())
    for number in range(3):
        fakes.event(
            person=ada,
            best_person=ada,
            best_sample=ada.samples.get(),
            runner_up=fakes.person(f"Bob {number}"),
            similarity=0.9,
            margin=0.4,
            thresholds=THRESHOLDS,
            decided_at=timezone.now(),
        )
    return ada.samples.get()


def draw(browser: Client, **changes: str) -> Any:
    fields = {
        "since": "2026-01-01T00:00:00",
        "until": f"{timezone.localtime():%Y-%m-%dT%H:%M:%S.%f}",
        "accepts": "9",
        "refusals": "9",
        "width": "0.03",
        "second_share": "0",
    }
    return browser.post(DRAW, {**fields, **changes}, follow=True)


def address(name: str, *numbers: int) -> str:
    return reverse(f"admin:recognition_reviewbatch_{name}", args=numbers)


def test_without_reviews_the_page_says_what_they_are_for(browser: Client) -> None:
    page = browser.get(LIST).content.decode()
    assert "Nothing was drawn yet." in page
    assert "Draw events" in page


def test_whoever_may_not_judge_sees_that_it_is_for_auditors(sample: FaceSample, browser: Client) -> None:
    draw(browser)
    administrator = logged_in(fakes.in_role("administrator"))
    batch = ReviewBatch.objects.get()
    for page in (LIST, address("change", batch.pk)):
        assert "To judge events is for auditors." in administrator.get(page).content.decode()
    assert "Draw events" not in administrator.get(LIST).content.decode()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"until": "2026-01-01T00:00:00"}, "The time ends before it begins"),
        ({"accepts": "-1"}, "greater than or equal to 0"),
        ({"width": "nan"}, "Enter a number."),
        ({"since": "2026-01-01T00:00:00", "until": "2026-01-02T00:00:00"}, "Nothing was decided in that time."),
        ({"until": "2999-01-01T00:00:00"}, "The time is not over yet"),
    ],
)
def test_what_cannot_be_drawn_is_told(sample: FaceSample, browser: Client, changes: dict[str, str], said: str) -> None:
    assert said in draw(browser, **changes).content.decode()
    assert not ReviewBatch.objects.exists()


def test_a_review_is_gone_through_until_nothing_is_left(sample: FaceSample, browser: Client, auditor: User) -> None:
    assert "3 events wait for your verdict" in draw(browser).content.decode()
    batch = ReviewBatch.objects.get()
    page = browser.get(address("next", batch.pk), follow=True)
    assert page.context["place"] == "1 of 3"
    for place in ("2 of 3", "3 of 3"):
        page = browser.post(page.request["PATH_INFO"], {"verdict": "true_match", "note": " sure "}, follow=True)
        assert page.context["place"] == place
    page = browser.post(page.request["PATH_INFO"], {"verdict": "spoof"}, follow=True)
    assert "Nothing waits for you here" in page.content.decode()
    assert list(Verdict.objects.order_by("pk").values_list("code", "note", "by", "item__position")) == [
        ("true_match", "sure", auditor.pk, 1),
        ("true_match", "sure", auditor.pk, 2),
        ("spoof", "", auditor.pk, 3),
    ]


@pytest.mark.parametrize("verdict", ["", "nonsense", "true_non_match"])
def test_no_verdict_and_one_that_does_not_fit_are_told(sample: FaceSample, browser: Client, verdict: str) -> None:
    draw(browser)
    item = address("item", ReviewBatch.objects.get().pk, 1)
    page = browser.post(item, {"verdict": verdict}, follow=True)
    assert page.request["PATH_INFO"] == item
    assert [str(message) for message in page.context["messages"]]
    assert not Verdict.objects.exists()


def test_a_false_match_offers_its_sample_for_setting_aside(sample: FaceSample, browser: Client) -> None:
    draw(browser)
    item = address("item", ReviewBatch.objects.get().pk, 1)
    page = browser.post(item, {"verdict": "false_match"}, follow=True)
    assert page.request["PATH_INFO"] == item
    assert "Set the sample aside" in page.content.decode()
    page = browser.post(address("set_aside", Verdict.objects.get().pk), {"next": item}, follow=True)
    assert page.request["PATH_INFO"] == item
    assert "It is set aside: it is searched no more." in page.content.decode()
    sample.refresh_from_db()
    assert sample.status == FaceSample.Status.SET_ASIDE
    assert AuditEntry.objects.filter(action="sample.status_changed", subject=f"facesample:{sample.pk}").exists()


def test_a_second_reviewer_sees_no_trace_of_the_first(sample: FaceSample, browser: Client, auditor: User) -> None:
    draw(browser, second_share="1")
    batch = ReviewBatch.objects.get()
    second = logged_in(fakes.in_role("auditor"))
    blank = [second.get(address("change", batch.pk)), second.get(address("item", batch.pk, 1))]
    event = batch.items.get(position=1).event
    of_event = reverse("admin:recognition_recognitionevent_change", args=[event.pk])
    browser.post(address("item", batch.pk, 1), {"verdict": "false_match", "note": "a twin"})
    pages = [second.get(address("change", batch.pk)), second.get(address("item", batch.pk, 1))]
    assert [page.context["progress"] for page in pages] == [page.context["progress"] for page in blank]
    for page in (*pages, second.get(of_event), second.get(reverse("admin:recognition_recognitionevent_changelist"))):
        text = page.content.decode()
        assert "a twin" not in text
        assert 'data-verdict="false_match"' not in text
        assert auditor.username not in text or page in pages[:1]
    assert "a twin" in browser.get(of_event).content.decode()
    second.post(address("item", batch.pk, 1), {"verdict": "false_match"})
    assert "a twin" in second.get(of_event).content.decode()


def test_agreement_is_shown_once_nothing_is_left(sample: FaceSample, browser: Client) -> None:
    draw(browser, second_share="1")
    batch = ReviewBatch.objects.get()
    second = logged_in(fakes.in_role("auditor"))
    for position, (mine, theirs) in enumerate(
        (("true_match", "true_match"), ("spoof", "true_match"), ("spoof", "spoof")), 1
    ):
        assert browser.get(address("change", batch.pk)).context["agreement"] is None
        browser.post(address("item", batch.pk, position), {"verdict": mine})
        second.post(address("item", batch.pk, position), {"verdict": theirs})
    page = second.get(address("change", batch.pk)).content.decode()
    assert "Of 3 events that two people judged they agreed on 2" in page
    assert "(67 %)" in page
    # By chance: 1 x 2 + 2 x 1 of 9; (6/9 - 4/9) / (5/9).
    assert "kappa: 0.40" in page
    assert address("item", batch.pk, 2) in page


def test_a_verdict_is_given_on_the_page_of_an_event_too(sample: FaceSample, browser: Client, auditor: User) -> None:
    event = RecognitionEvent.objects.earliest("pk")
    give = reverse("admin:recognition_recognitionevent_verdict", args=[event.pk])
    assert "Your verdict is kept" in browser.post(give, {"verdict": "spoof"}, follow=True).content.decode()
    browser.post(give, {"verdict": "true_match", "note": "looked again"})
    page = browser.get(reverse("admin:recognition_recognitionevent_change", args=[event.pk])).content.decode()
    assert "looked again" in page
    assert "Change my verdict" in page
    stands = Verdict.objects.get(superseded_by=None)
    assert (stands.code, stands.item) == ("true_match", None)
    reviews.give(event=event, code=ReviewVerdict.SPOOF, note="", actor=fakes.user(), now=fakes.NOW)
    operator = logged_in(fakes.in_role("operator"))
    page = operator.get(reverse("admin:recognition_recognitionevent_change", args=[event.pk])).content.decode()
    assert "looked again" not in page
