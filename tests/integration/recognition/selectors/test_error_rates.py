"""Error rates of what was really drawn and judged: weights, groups, and transactions without a face."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recognition.decision.reviews import ReviewVerdict
from recognition.evaluation.intervals import Method
from recognition.evaluation.measured_rates import RateName
from recognition.models import RecognitionEvent, RetentionRule, ReviewBatch
from recognition.selectors import error_rates
from recognition.selectors.error_rates import VIDEO, Dimension, DrawThinned, ErrorRates
from recognition.selectors.reviews import Remains
from recognition.services import retention, reviews
from recognition.services.reviews import Design
from tests import fakes

pytestmark = pytest.mark.django_db

THRESHOLDS = {"identification_threshold": 0.5, "verification_threshold": 0.4}
CLAIM = {"kind": "verification"}
REFUSED = {"decision": "reject_no_match", "similarity": 0.1}


def event(**changes: Any) -> RecognitionEvent:
    return fakes.event(**{"similarity": 0.9, "thresholds": THRESHOLDS, **changes})


def draw(accepts: int = 9, refusals: int = 9) -> ReviewBatch:
    day = dt.timedelta(days=1)
    design = Design(
        since=fakes.NOW, until=fakes.NOW + day, accepts=accepts, refusals=refusals, width=0.03, second_share=0.0
    )
    return reviews.draw(design=design, actor=fakes.user(), now=design.until, seed=7)


def judge(batch: ReviewBatch, **codes: str) -> None:
    """Says of every drawn event what is said of its decision."""
    by = fakes.user("add_verdict", "view_verdict")
    for item in batch.items.select_related("event"):
        code = ReviewVerdict(codes[item.event.decision])
        reviews.give(event=item.event, code=code, note="", actor=by, now=fakes.NOW, item=item)


def rates(batch: ReviewBatch | None, dimension: Dimension = Dimension.CHECKPOINT) -> dict[str, Any]:
    return {rate.name.value: rate for rate in told_apart(batch, dimension).rates}


def told_apart(batch: ReviewBatch | None, dimension: Dimension) -> ErrorRates:
    (found,) = error_rates.error_rates(batch, (dimension,), now=fakes.NOW)
    return found


def in_groups(found: ErrorRates, name: RateName) -> dict[str, tuple[int, int]]:
    return {
        group.key: next((rate.errors, rate.trials) for rate in group.rates if rate.name is name)
        for group in found.groups
    }


def test_without_a_verdict_there_is_nothing() -> None:
    event()
    batch = draw()
    assert not error_rates.has_verdicts()
    assert error_rates.batches(fakes.user()) == ()
    found = told_apart(batch, Dimension.CHECKPOINT)
    assert (found.judged, found.groups, found.unjudged) == (0, (), 1)
    assert [rate.share for rate in found.rates] == [None] * 6 + [0.0]


def test_a_draw_is_weighted_by_what_each_event_stands_for() -> None:
    for _ in range(12):
        event()
    for _ in range(3):
        event(**REFUSED)
    batch = draw(accepts=4)
    judge(batch, accept="true_match", reject_no_match="false_non_match")
    found = rates(batch)
    # 4 accepts that stand for 12, and 3 refusals that stand for themselves: 3 of 15, not 3 of 7.
    assert (found["FNIR"].errors, found["FNIR"].trials, found["FNIR"].share) == (3, 7, pytest.approx(0.2))
    assert found["FNIR"].interval.method is Method.KORN_GRAUBARD
    assert (found["FRR"].share, found["FAR"].share, found["FMR"].share) == (pytest.approx(0.2), None, None)


def test_what_was_judged_so_far_stands_for_its_whole_group() -> None:
    for _ in range(6):
        event()
    for _ in range(2):
        event(**REFUSED)
    batch = draw(accepts=6)
    by = fakes.user("add_verdict", "view_verdict")
    refusals = batch.items.filter(event__decision="reject_no_match")
    accept = batch.items.filter(event__decision="accept").first()
    assert accept is not None
    for item, code in [(accept, "true_match"), *((item, "false_non_match") for item in refusals)]:
        reviews.give(event=item.event, code=ReviewVerdict(code), note="", actor=by, now=fakes.NOW, item=item)
    assert rates(batch)["FNIR"].share == pytest.approx(2 / 8)


def test_a_group_of_the_draw_without_a_verdict_is_told() -> None:
    event()
    event(**REFUSED)
    batch = draw()
    by = fakes.user("add_verdict", "view_verdict")
    item = batch.items.get(event__decision="accept")
    reviews.give(event=item.event, code=ReviewVerdict.TRUE_MATCH, note="", actor=by, now=fakes.NOW, item=item)
    found = told_apart(batch, Dimension.CHECKPOINT)
    assert (found.judged, found.unjudged) == (1, 1)


def test_transactions_without_a_decision_are_counted_of_all() -> None:
    event(**CLAIM)
    event(decision="no_decision_quality", similarity=None)
    event(decision="no_decision_timeout", similarity=None)
    event(decision="no_decision_timeout", similarity=0.3, votes=[{"similarity": 0.3}])
    event(decision="locked_out", similarity=None)
    event(decision="error", similarity=None)
    batch = draw()
    judge(batch, accept="true_match")
    found = rates(batch)
    assert (found["FTA"].errors, found["FTA"].trials) == (2, 4)
    # Of the four that were attempts, one was decided: three accepted nobody, one of them although a face was compared.
    assert found["FRR"].share == 0.75
    assert found["FNMR"].share == 0.0


def test_of_strangers_too_only_the_decided_can_be_accepted() -> None:
    event(**CLAIM)
    event(decision="no_decision_timeout", similarity=0.3, votes=[{"similarity": 0.3}])
    batch = draw()
    judge(batch, accept="false_match")
    found = rates(batch)
    assert (found["FAR"].share, found["FTA"].share, found["FMR"].share) == (0.5, 0.0, 1.0)
    by_point = told_apart(batch, Dimension.CHECKPOINT).groups[0].rates
    assert next(rate.share for rate in by_point if rate.name is RateName.FAR) == 0.5


def test_a_spoof_and_what_nobody_can_tell_count_in_no_rate_of_faces() -> None:
    event()
    event(**REFUSED)
    batch = draw()
    judge(batch, accept="spoof", reject_no_match="cannot_tell")
    found = told_apart(batch, Dimension.CHECKPOINT)
    assert (found.judged, found.spoofs, found.untold) == (2, 1, 1)
    assert all(rate.trials == 0 for rate in found.rates if rate.name is not RateName.FTA)


def test_who_is_banned_and_recognised_is_no_false_rejection() -> None:
    event(decision="reject_not_allowed")
    batch = draw()
    judge(batch, reject_not_allowed="true_match")
    found = rates(batch)
    assert (found["FNIR"].errors, found["FNIR"].trials) == (0, 1)
    assert found["FRR"].trials == 0


def test_without_a_draw_every_verdict_counts_once() -> None:
    one = event()
    event()
    by = fakes.user("add_verdict", "view_verdict")
    reviews.give(event=one, code=ReviewVerdict.FALSE_MATCH, note="", actor=by, now=fakes.NOW)
    found = rates(None)
    assert (found["FPIR"].errors, found["FPIR"].trials, found["FPIR"].share) == (1, 1, 1.0)
    assert found["FTA"].trials == 2


def test_without_a_draw_what_is_older_than_a_year_counts_no_more() -> None:
    by = fakes.user("add_verdict", "view_verdict")
    for days in (365, 366):
        old = event(decided_at=fakes.NOW - dt.timedelta(days=days))
        reviews.give(event=old, code=ReviewVerdict.FALSE_MATCH, note="", actor=by, now=fakes.NOW)
    found = rates(None)
    assert (found["FPIR"].trials, found["FTA"].trials) == (1, 1)


def test_the_log_is_counted_once_for_all_dimensions() -> None:
    event(checkpoint=fakes.checkpoint("door"))
    event(decision="no_decision_quality", similarity=None, decided_at=fakes.NOW + dt.timedelta(hours=1))
    batch = draw()
    judge(batch, accept="true_match")
    with CaptureQueriesContext(connection) as queries:
        found = error_rates.error_rates(batch, tuple(Dimension), now=fakes.NOW)
    assert sum("GROUP BY" in query["sql"] for query in queries.captured_queries) == 1
    assert [each.dimension for each in found] == list(Dimension)
    assert [each.rates for each in found] == [found[0].rates] * 4


class TestRetention:
    """What it removes differs from what it leaves, by class and age."""

    @staticmethod
    def remove(code: str, *, after: dt.timedelta) -> int:
        rule = RetentionRule.objects.get(code=code)
        retention.change_rule(rule=rule, event_days=1, crop_days=None, actor=None)
        return retention.apply(now=fakes.NOW + dt.timedelta(days=1) + after).events

    def test_of_a_draw_that_lost_events_there_are_no_rates_but_their_number(self) -> None:
        event()
        event(decided_at=fakes.NOW + dt.timedelta(hours=9))
        event(**REFUSED)
        batch = draw()
        judge(batch, accept="true_match", reject_no_match="true_non_match")
        assert self.remove("accepted", after=dt.timedelta(hours=1)) == 1
        with pytest.raises(DrawThinned, match="2 of 3 drawn events") as refused:
            told_apart(batch, Dimension.CHECKPOINT)
        assert refused.value.remains == Remains(drawn=3, left=2)
        assert error_rates.batches(fakes.user()) == (batch,)

    def test_a_draw_of_which_everything_went_is_still_listed(self) -> None:
        event()
        batch = draw()
        judge(batch, accept="true_match")
        self.remove("accepted", after=dt.timedelta(hours=1))
        assert error_rates.batches(fakes.user()) == (batch,)
        with pytest.raises(DrawThinned, match="0 of 1"):
            told_apart(batch, Dimension.CHECKPOINT)

    def test_where_undecided_ones_went_nothing_is_said_of_all_transactions(self) -> None:
        event(**CLAIM)
        event(decision="no_decision_quality", similarity=None)
        batch = draw()
        judge(batch, accept="false_match")
        assert told_apart(batch, Dimension.CHECKPOINT).counts_all
        self.remove("no_decision", after=dt.timedelta(hours=1))
        found = told_apart(batch, Dimension.CHECKPOINT)
        by_name = {rate.name: rate.share for rate in found.rates}
        assert not found.counts_all
        assert RateName.FTA not in by_name
        assert (by_name[RateName.FMR], by_name[RateName.FAR]) == (1.0, 1.0)
        assert RateName.FTA not in {rate.name for rate in found.groups[0].rates}

    def test_what_went_of_an_earlier_time_does_not_matter(self) -> None:
        event(decided_at=fakes.NOW - dt.timedelta(days=2), **REFUSED)
        event()
        batch = draw()
        judge(batch, accept="true_match")
        assert self.remove("unknown", after=dt.timedelta(hours=1)) == 1
        assert told_apart(batch, Dimension.CHECKPOINT).counts_all
        assert not told_apart(None, Dimension.CHECKPOINT).counts_all

    def test_what_came_after_a_draw_of_an_unfinished_time_is_not_counted(self) -> None:
        """Drawn by a version that took such a time."""
        event()
        design = Design(since=fakes.NOW, until=fakes.NOW + dt.timedelta(hours=1), accepts=9, refusals=9)
        drawn = reviews.draw(design=design, actor=fakes.user(), now=design.until, seed=7)
        fields = {"since": drawn.since, "until": drawn.until + dt.timedelta(days=9), "width": 0.03, "second_share": 0.0}
        batch = ReviewBatch.objects.create(**fields, seed=7, drawn_at=drawn.drawn_at)
        event(decision="no_decision_quality", similarity=None, decided_at=fakes.NOW + dt.timedelta(hours=2))
        assert told_apart(batch, Dimension.CHECKPOINT).rates[-1].trials == 1


def test_a_draw_that_waits_for_somebody_is_listed_whether_or_not_it_was_begun() -> None:
    event()
    batch, reader = draw(), fakes.user("add_verdict", "view_verdict")
    assert error_rates.batches(fakes.user("view_verdict")) == ()
    assert error_rates.batches(reader) == (batch,)
    judge(batch, accept="true_match")
    assert error_rates.batches(fakes.user("view_verdict")) == error_rates.batches(reader) == (batch,)


class TestGroups:
    @pytest.fixture
    def batch(self) -> ReviewBatch:
        door = fakes.checkpoint("door")
        quality = fakes.quality(scores=fakes.scores())
        for hour, point, decision in ((0, door, "accept"), (0, door, "accept"), (3, None, "reject_no_match")):
            event(
                checkpoint=point,
                decision=decision,
                decided_at=fakes.NOW + dt.timedelta(hours=hour),
                similarity=0.9 if decision == "accept" else 0.1,
                quality=quality.as_json() if point else {},
            )
        event(checkpoint=door, decision="no_decision_quality", similarity=None)
        batch = draw()
        judge(batch, accept="true_match", reject_no_match="false_non_match")
        return batch

    def test_by_checkpoint(self, batch: ReviewBatch) -> None:
        found = told_apart(batch, Dimension.CHECKPOINT)
        door, live = found.groups
        assert (door.label, live.key, live.label) == ("door", "", "")
        assert in_groups(found, RateName.FNIR) == {door.key: (0, 2), "": (1, 1)}
        assert in_groups(found, RateName.FTA) == {door.key: (1, 3), "": (0, 1)}
        assert [group.judged for group in found.groups] == [2, 1]

    def test_by_hour(self, batch: ReviewBatch) -> None:
        found = told_apart(batch, Dimension.HOUR)
        assert in_groups(found, RateName.FNIR) == {"12": (0, 2), "15": (1, 1)}
        assert in_groups(found, RateName.FTA) == {"12": (1, 3), "15": (0, 1)}

    def test_by_policy(self, batch: ReviewBatch) -> None:
        found = told_apart(batch, Dimension.POLICY)
        assert in_groups(found, RateName.FNIR) == {"1": (1, 3)}
        assert in_groups(found, RateName.FTA) == {"1": (1, 4)}

    def test_by_quality_nothing_is_known_of_faces_that_were_not_acquired(self, batch: ReviewBatch) -> None:
        found = told_apart(batch, Dimension.QUALITY)
        assert in_groups(found, RateName.FNIR) == {"10": (0, 2), "": (1, 1)}
        assert found.groups[0].label == "80"
        assert all(rate.name is not RateName.FTA for group in found.groups for rate in group.rates)
        assert found.rates[-1].name is RateName.FTA


def test_what_was_seen_in_videos_is_told_apart_from_the_live_page() -> None:
    event()
    event(reasons=fakes.FROM_VIDEO, **REFUSED)
    event(reasons=fakes.FROM_VIDEO, decision="no_decision_quality", similarity=None)
    batch = draw()
    judge(batch, accept="true_match", reject_no_match="false_non_match")
    found = told_apart(batch, Dimension.CHECKPOINT)
    assert [(group.key, group.judged) for group in found.groups] == [("", 1), (VIDEO, 1)]
    assert in_groups(found, RateName.FNIR) == {"": (0, 1), VIDEO: (1, 1)}
    assert in_groups(found, RateName.FTA) == {"": (0, 1), VIDEO: (1, 2)}


def test_two_who_said_different_things_are_told() -> None:
    one = event()
    for code in ("true_match", "false_match"):
        by = fakes.user("add_verdict", "view_verdict")
        reviews.give(event=one, code=ReviewVerdict(code), note="", actor=by, now=fakes.NOW)
    found = told_apart(None, Dimension.CHECKPOINT)
    assert (found.judged, found.disputed) == (1, 1)
    assert rates(None)["FPIR"].trials == 0
