from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from recognition.decision.reviews import ReviewVerdict, Stratum
from recognition.models import (
    AuditEntry,
    EventOverride,
    FaceSample,
    RecognitionEvent,
    RetentionRule,
    ReviewBatch,
    Verdict,
)
from recognition.selectors import reviews as reviews_read
from recognition.services import people, retention, reviews
from recognition.services.reviews import Design, DrawRefused, VerdictRefused
from tests import fakes

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
THRESHOLDS = {"identification_threshold": 0.5, "verification_threshold": 0.4}
DESIGN = Design(since=fakes.NOW, until=fakes.NOW + DAY, accepts=2, refusals=1, width=0.03, second_share=0.0)


def event(decision: str = "accept", similarity: float | None = 0.9, **changes: Any) -> RecognitionEvent:
    return fakes.event(decision=decision, similarity=similarity, thresholds=THRESHOLDS, **changes)


def draw(design: Design = DESIGN, *, seed: int = 7) -> ReviewBatch:
    return reviews.draw(design=design, actor=fakes.user(), now=fakes.NOW + DAY, seed=seed)


def drawn(batch: ReviewBatch) -> dict[str, tuple[int, int, float | None]]:
    return {row.code: (row.population, row.size, row.weight) for row in batch.strata.all()}


def give(about: RecognitionEvent, by: User, code: str = "true_match", **changes: Any) -> Verdict:
    fields = {"note": "", "now": fakes.NOW, **changes}
    return reviews.give(event=about, code=ReviewVerdict(code), actor=by, **fields)


class TestDrawing:
    def test_a_time_in_which_nothing_was_decided_is_said_to_have_nothing(self) -> None:
        event(decided_at=fakes.NOW - DAY)
        event(decided_at=fakes.NOW + DAY)
        with pytest.raises(DrawRefused, match="Nothing was decided"):
            draw()
        assert not ReviewBatch.objects.exists()

    def test_a_time_that_is_not_over_is_refused(self) -> None:
        event()
        with pytest.raises(DrawRefused, match="ends in the future"):
            draw(dataclasses.replace(DESIGN, until=fakes.NOW + 2 * DAY))

    def test_a_time_of_which_retention_removed_what_is_judged_is_refused(self) -> None:
        rule = RetentionRule.objects.get(code="refused")
        for moment in (fakes.NOW - DAY, fakes.NOW):
            event("reject_not_allowed", decided_at=moment)
        retention.change_rule(rule=rule, event_days=1, crop_days=None, actor=None)
        assert retention.apply(now=fakes.NOW + dt.timedelta(hours=1)).events == 1
        event()
        assert draw().items.count() == 2
        assert retention.apply(now=fakes.NOW + DAY + dt.timedelta(seconds=1)).events == 1
        with pytest.raises(DrawRefused, match="removed events that were decided until March 1, 2026, noon"):
            draw()

    def test_what_retention_removed_of_undecided_events_keeps_nothing_from_being_drawn(self) -> None:
        event("no_decision_quality", None)
        event()
        retention.change_rule(
            rule=RetentionRule.objects.get(code="no_decision"), event_days=1, crop_days=None, actor=None
        )
        assert retention.apply(now=fakes.NOW + 2 * DAY).events == 1
        assert draw().items.count() == 1

    def test_each_event_falls_into_the_first_group_that_fits_it(self) -> None:
        overridden = event("no_decision_timeout", None)
        EventOverride.objects.create(event=overridden, outcome="admitted", reason="known")
        also = event("accept", 0.51)
        EventOverride.objects.create(event=also, outcome="refused", reason="stranger")
        near = {event("accept", 0.5299), event("reject_no_match", 0.4701)}
        near |= {event("accept", 0.42, kind="verification")}
        accepts = {event("accept", 0.9), event("accept", 0.45, kind="verification"), event("accept", 0.5301)}
        refusals = {event("reject_no_match", 0.1), event("reject_no_match", None), event("reject_not_allowed", 0.9)}
        event("no_decision_quality", None)
        event("locked_out", None)
        batch = draw(dataclasses.replace(DESIGN, accepts=9, refusals=9))
        groups: dict[str, set[int]] = {}
        for item in batch.items.select_related("stratum"):
            groups.setdefault(item.stratum.code, set()).add(item.event_id)
        assert groups == {
            Stratum.OVERRIDE: {overridden.pk, also.pk},
            Stratum.NEAR_THRESHOLD: {row.pk for row in near},
            Stratum.ACCEPT: {row.pk for row in accepts},
            Stratum.REFUSAL: {row.pk for row in refusals},
        }

    def test_weights_are_kept_with_what_was_drawn_of_how_many(self) -> None:
        for _ in range(5):
            event("accept")
        for _ in range(3):
            event("reject_no_match", 0.1)
        batch = draw()
        assert drawn(batch) == {
            "override": (0, 0, None),
            "near_threshold": (0, 0, None),
            "accept": (5, 2, 2.5),
            "refusal": (3, 1, 3.0),
        }
        assert sorted(batch.items.values_list("position", flat=True)) == [1, 2, 3]
        entry = AuditEntry.objects.get(action="review.drawn")
        assert entry.details == {"events": 3, "population": 8, "asked_twice": 0}

    def test_a_group_of_which_none_is_drawn_still_says_how_many_there_are(self) -> None:
        for _ in range(3):
            event()
        event("reject_no_match", 0.1)
        batch = draw(dataclasses.replace(DESIGN, accepts=0))
        assert (drawn(batch)["accept"], drawn(batch)["refusal"]) == ((3, 0, None), (1, 1, 1.0))

    def test_numbers_and_events_come_of_one_statement(self) -> None:
        event()
        with CaptureQueriesContext(connection) as queries:
            draw()
        looks = [query["sql"] for query in queries if 'FROM "recognition_recognitionevent"' in query["sql"]]
        assert len(looks) == 1

    def test_the_same_seed_draws_the_same_and_another_one_does_not(self) -> None:
        for _ in range(40):
            event("accept")
        design = dataclasses.replace(DESIGN, accepts=10, second_share=0.5)
        first, again, other = (
            list(draw(design, seed=seed).items.values_list("event", "asks_second")) for seed in (1, 1, 2)
        )
        assert first == again
        assert {number for number, _ in first} != {number for number, _ in other}
        assert sum(twice for _, twice in first) == 5

    def test_more_than_anybody_looks_through_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reviews, "LARGEST_BATCH", 2)
        for _ in range(3):
            event("accept", 0.51)
        with pytest.raises(DrawRefused, match="3 events, more than the 2 of one review"):
            draw()

    @pytest.mark.parametrize(
        "wrong", [{"until": fakes.NOW}, {"accepts": -1}, {"width": 1.5}, {"second_share": float("nan")}]
    )
    def test_a_design_without_sense_is_refused(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="expected"):
            dataclasses.replace(DESIGN, **wrong)

    def test_what_was_drawn_never_changes_and_stays(self) -> None:
        event()
        batch = draw()
        for rows in (batch.strata.all(), batch.items.all(), ReviewBatch.objects.all()):
            field = {"reviewitem": "position", "reviewstratum": "population", "reviewbatch": "seed"}
            with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
                rows.update(**{field[str(rows.model._meta.model_name)]: 99})
        with pytest.raises(IntegrityError, match="never removed"), transaction.atomic():
            ReviewBatch.objects.filter(pk=batch.pk)._raw_delete("default")


class TestGiving:
    def test_a_verdict_leaves_the_event_as_it_was_and_is_audited_without_what_it_says(self) -> None:
        about = event()
        before = RecognitionEvent.objects.values().get()
        verdict = give(about, fakes.user(), "false_match", note=" a twin \n")
        assert RecognitionEvent.objects.values().get() == before
        assert (verdict.code, verdict.note, verdict.item) == ("false_match", "a twin", None)
        entry = AuditEntry.objects.get(action="verdict.given")
        assert (entry.subject, entry.details) == (f"verdict:{verdict.pk}", {"event": about.pk, "supersedes": None})

    def test_a_later_verdict_takes_back_the_own_one_and_no_other(self) -> None:
        about, ada, bob = event(), fakes.user(), fakes.user()
        first, theirs = give(about, ada), give(about, bob)
        second = give(about, ada, "spoof")
        third = give(about, ada, "cannot_tell")
        assert (second.supersedes, third.supersedes) == (first, second)
        assert list(reviews_read.standing_verdicts()) == [theirs, third]

    def test_a_verdict_that_makes_no_sense_of_the_event_is_refused(self) -> None:
        with pytest.raises(VerdictRefused, match="does not fit"):
            give(event("reject_no_match", 0.1), fakes.user(), "true_match")
        assert not Verdict.objects.exists()

    def test_an_answer_knows_whose_reading_it_is(self) -> None:
        event()
        item = draw(dataclasses.replace(DESIGN, second_share=1.0)).items.get()
        ada, bob = fakes.user(), fakes.user()
        for by, reading in ((ada, 1), (bob, 2), (ada, 1)):
            assert give(item.event, by, item=item).reading == reading

    def test_the_database_keeps_a_verdict_as_it_is_while_there_is_its_event(self) -> None:
        verdict = give(event(), fakes.user())
        with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
            Verdict.objects.update(code="spoof")
        before = transaction.savepoint()
        Verdict.objects.all().delete()
        with pytest.raises(IntegrityError, match="only with its event"):
            connection.check_constraints()
        transaction.savepoint_rollback(before)
        verdict.by.delete()  # type: ignore[union-attr]
        verdict.refresh_from_db()
        assert verdict.by is None
        RecognitionEvent.objects.all().delete()
        connection.check_constraints()
        assert not Verdict.objects.exists()


class TestSettingAside:
    @pytest.fixture
    def wrong(self) -> RecognitionEvent:
        fakes.activated_pack()
        ada = fakes.person("Ada", fakes.probe())
        return event(person=ada, best_person=ada, best_sample=ada.samples.get())

    def test_the_sample_of_a_false_match_is_searched_no_more_and_may_be_put_back(self, wrong: RecognitionEvent) -> None:
        by = fakes.user()
        sample = reviews.set_sample_aside(verdict=give(wrong, by, "false_match"), actor=by)
        assert FaceSample.objects.get().status == FaceSample.Status.SET_ASIDE
        assert AuditEntry.objects.filter(action="sample.status_changed").count() == 1
        people.set_sample_status(sample=sample, status=FaceSample.Status.ACTIVE, actor=by)
        assert FaceSample.objects.get().status == FaceSample.Status.ACTIVE

    def test_only_whoever_says_false_match_sets_it_aside(self, wrong: RecognitionEvent) -> None:
        by = fakes.user()
        for verdict, actor in (
            (give(wrong, by, "false_match"), fakes.user()),
            (give(wrong, by, "true_match"), by),
            (Verdict.objects.earliest("pk"), by),
        ):
            with pytest.raises(VerdictRefused, match="no sample"):
                reviews.set_sample_aside(verdict=verdict, actor=actor)
        assert FaceSample.objects.get().status == FaceSample.Status.ACTIVE
