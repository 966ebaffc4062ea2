from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User

from recognition.decision.reviews import ReviewVerdict, Stratum
from recognition.decision.verdict import Decision
from recognition.models import RecognitionEvent, ReviewBatch, ReviewItem, Verdict
from recognition.selectors import reviews as reviews_read
from recognition.selectors.reviews import Progress, ReviewedEvent, StratumCount
from recognition.services import reviews
from recognition.services.reviews import Design
from tests import fakes

pytestmark = pytest.mark.django_db

DESIGN = Design(
    since=fakes.NOW, until=fakes.NOW + dt.timedelta(days=1), accepts=9, refusals=9, width=0.03, second_share=0.0
)
THRESHOLDS = {"identification_threshold": 0.5, "verification_threshold": 0.4}


def event(**changes: Any) -> RecognitionEvent:
    return fakes.event(**{"similarity": 0.9, "thresholds": THRESHOLDS, **changes})


def draw(**changes: Any) -> ReviewBatch:
    design = dataclasses.replace(DESIGN, **changes)
    return reviews.draw(design=design, actor=fakes.user(), now=design.until, seed=7)


def reader() -> User:
    return fakes.user("add_verdict", "view_verdict")


def answer(item: ReviewItem, by: User, code: str = "true_match") -> Verdict:
    return reviews.give(event=item.event, code=ReviewVerdict(code), note="", actor=by, now=fakes.NOW, item=item)


def test_without_a_draw_nothing_waits_and_nothing_was_judged() -> None:
    ada = reader()
    assert not reviews_read.queue(ada)
    assert not reviews_read.visible_verdicts(ada)
    assert list(reviews_read.reviewed_events(None)) == []


def test_what_is_asked_once_waits_for_everybody_until_somebody_answers() -> None:
    event()
    batch, ada, bob = draw(), reader(), reader()
    item = batch.items.get()
    assert list(reviews_read.queue(ada)) == list(reviews_read.queue(bob, batch=batch)) == [item]
    answer(item, ada)
    assert not reviews_read.queue(ada)
    assert not reviews_read.queue(bob)
    assert (reviews_read.progress(batch, ada), reviews_read.progress(batch, bob)) == (Progress(1, 0), Progress(0, 0))


def test_what_is_asked_twice_waits_for_a_second_person_and_for_no_third() -> None:
    event()
    batch = draw(second_share=1.0)
    item, (ada, bob, eve) = batch.items.get(), (reader() for _ in range(3))
    answer(item, ada)
    answer(item, ada, "spoof")
    assert not reviews_read.queue(ada)
    assert list(reviews_read.queue(bob)) == list(reviews_read.queue(eve)) == [item]
    answer(item, bob)
    assert not reviews_read.queue(eve)


def test_how_far_each_of_some_reviews_is_takes_two_queries(django_assert_num_queries: Any) -> None:
    event()
    event()
    first, second, ada = draw(), draw(second_share=1.0), reader()
    for item in second.items.all()[:1]:
        answer(item, ada)
    assert reviews_read.progress_of_each([], ada) == {}
    with django_assert_num_queries(2):
        found = reviews_read.progress_of_each([first, second], ada)
    # By hand: nobody judged the first; of the second Ada judged one of two, and Bob may still do both.
    assert found == {first.pk: Progress(0, 2), second.pk: Progress(1, 1)}
    assert reviews_read.progress(second, reader()) == Progress(0, 2)


def test_the_order_is_that_of_the_lot() -> None:
    for _ in range(5):
        event()
    draw()
    assert [item.position for item in reviews_read.queue(reader())] == [1, 2, 3, 4, 5]


def test_a_second_reviewer_does_not_see_that_there_is_a_first_verdict() -> None:
    event()
    item, (ada, bob), guard = draw(second_share=1.0).items.get(), (reader(), reader()), fakes.user("view_verdict")
    first = answer(item, ada)
    assert not reviews_read.visible_verdicts(bob)
    assert list(reviews_read.visible_verdicts(ada)) == list(reviews_read.visible_verdicts(guard)) == [first]
    second = answer(item, bob)
    assert list(reviews_read.visible_verdicts(bob)) == [first, second]


def test_what_two_people_said_first_is_compared() -> None:
    for _ in range(3):
        event()
    batch, ada, bob = draw(second_share=1.0), reader(), reader()
    for item, mine, theirs in zip(
        batch.items.all(),
        ("true_match", "true_match", "false_match"),
        ("true_match", "spoof", "false_match"),
        strict=True,
    ):
        answer(item, ada, mine)
        answer(item, bob, theirs)
    found = reviews_read.agreement_of(batch)
    # By chance: true_match 2 x 1, false_match 1 x 1, spoof 0 x 1, of 9.
    assert (found.count, found.agreed) == (3, 2)
    assert found.kappa == pytest.approx((2 / 3 - 3 / 9) / (1 - 3 / 9))
    (open_item,) = reviews_read.disputed(batch)
    assert open_item.position == 2
    answer(open_item, ada, "spoof")
    assert not reviews_read.disputed(batch)
    assert reviews_read.agreement_of(batch) == found


def test_a_judged_event_comes_with_what_rates_are_computed_from() -> None:
    door = fakes.checkpoint()
    at = dt.datetime(2026, 3, 1, 23, 30, tzinfo=dt.UTC)
    scores = {"scores": {"UnifiedQualityScore": 61}}
    drawn = event(checkpoint=door, kind="verification", decided_at=at, quality=scores)
    event(decision="reject_no_match", similarity=0.2)
    event(decision="reject_no_match", similarity=0.3)
    batch, ada, bob = draw(refusals=1), reader(), reader()
    assert list(reviews_read.reviewed_events(batch)) == []
    items = {item.stratum.code: item for item in batch.items.select_related("stratum")}
    answer(items["accept"], ada, "spoof")
    answer(items["accept"], ada, "false_match")
    answer(items["refusal"], ada, "true_non_match")
    answer(items["refusal"], bob, "false_non_match")
    accepted, refused = sorted(reviews_read.reviewed_events(batch), key=lambda row: row.decision)
    assert accepted == ReviewedEvent(
        event_id=drawn.pk,
        is_claim=True,
        decision=Decision.ACCEPT,
        verdict=ReviewVerdict.FALSE_MATCH,
        is_disputed=False,
        stratum=Stratum.ACCEPT,
        weight=1.0,
        checkpoint_id=door.pk,
        is_video=False,
        decided_at=at,
        policy_version=1,
        quality_score=61,
        similarity=0.9,
    )
    assert accepted.hour == 23
    assert (refused.weight, refused.is_disputed, refused.quality_score) == (2.0, True, None)
    assert reviews_read.strata(batch) == (
        StratumCount(Stratum.OVERRIDE, 0, 0, 0),
        StratumCount(Stratum.NEAR_THRESHOLD, 0, 0, 0),
        StratumCount(Stratum.ACCEPT, 1, 1, 1),
        StratumCount(Stratum.REFUSAL, 2, 1, 1),
    )


def test_what_nobody_drew_has_a_verdict_and_no_weight() -> None:
    about = event()
    reviews.give(event=about, code=ReviewVerdict.SPOOF, note="", actor=reader(), now=fakes.NOW)
    (row,) = reviews_read.reviewed_events(None)
    assert (row.event_id, row.verdict, row.stratum, row.weight) == (about.pk, ReviewVerdict.SPOOF, None, None)


def test_a_verdict_that_was_drawn_goes_before_one_from_the_page_of_the_event() -> None:
    about = event()
    reviews.give(event=about, code=ReviewVerdict.SPOOF, note="", actor=reader(), now=fakes.NOW)
    batch = draw()
    answer(batch.items.get(), reader())
    (of_draw,), (of_all,) = reviews_read.reviewed_events(batch), reviews_read.reviewed_events(None)
    assert (of_draw.verdict, of_draw.is_disputed) == (ReviewVerdict.TRUE_MATCH, True)
    assert of_all.verdict == ReviewVerdict.SPOOF


def test_for_whoever_may_not_judge_nothing_waits() -> None:
    event()
    batch = draw()
    assert not reviews_read.waiting_for(fakes.user("view_verdict"))
    assert list(reviews_read.waiting_for(reader())) == [batch.items.get()]
