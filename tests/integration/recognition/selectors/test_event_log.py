from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recognition.decision.reviews import ReviewVerdict
from recognition.models import EventCrop, EventOverride, RecognitionEvent
from recognition.selectors import event_log
from recognition.selectors.event_filters import LIVE_PAGE, VIDEO, EventFilter
from recognition.selectors.event_log import Page, Place
from recognition.services import reviews
from recognition.services.reviews import Design
from tests import fakes

pytestmark = pytest.mark.django_db

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def auditor() -> User:
    return fakes.user("view_verdict", "add_verdict")


def event(minutes_ago: int = 0, **changes: Any) -> RecognitionEvent:
    return fakes.event(**{"decided_at": fakes.NOW - minutes_ago * MINUTE, **changes})


def found(wanted: EventFilter, user: User) -> set[int]:
    """By pages and all at once, which have to be the same."""
    rows = [row.pk for row in event_log.page(wanted, user=user).events]
    assert rows == [row.pk for row in event_log.all_of(wanted, user=user)]
    return set(rows)


def beside(row: RecognitionEvent, *, goes_back: bool) -> Place:
    return Place(row.decided_at, row.pk, goes_back=goes_back)


class TestPages:
    def test_an_empty_log_is_an_empty_page(self, auditor: User) -> None:
        assert event_log.page(EventFilter(), user=auditor) == Page((), has_newer=False, has_older=False)

    def test_every_event_is_on_one_page_newest_first_on_the_way_back_too(self, auditor: User) -> None:
        # Three were decided at the very same moment.
        rows = [event(minutes) for minutes in (0, 1, 2, 2, 2, 3, 4)]
        expected = [row.pk for row in sorted(rows, key=lambda row: (row.decided_at, row.pk), reverse=True)]
        page = event_log.page(EventFilter(), user=auditor, size=3)
        assert not page.has_newer
        seen, pages = list(page.events), [page]
        while page.has_older:
            place = beside(page.events[-1], goes_back=True)
            page = event_log.page(EventFilter(), user=auditor, place=place, size=3)
            seen += page.events
            pages.append(page)
        assert [row.pk for row in seen] == expected
        for before in reversed(pages[:-1]):
            place = beside(page.events[0], goes_back=False)
            page = event_log.page(EventFilter(), user=auditor, place=place, size=3)
            assert page.events == before.events
        assert (page.has_newer, page.has_older) == (False, True)

    def test_newer_than_a_place_near_the_beginning_is_the_first_page(self, auditor: User) -> None:
        rows = [event(minutes) for minutes in range(4)]
        page = event_log.page(EventFilter(), user=auditor, place=beside(rows[1], goes_back=False), size=3)
        assert [row.pk for row in page.events] == [row.pk for row in rows[:3]]
        assert (page.has_newer, page.has_older) == (False, True)

    def test_a_page_tells_of_each_event_what_the_list_shows(self, auditor: User) -> None:
        row = event()
        EventCrop.objects.create(event=row, jpeg=b"a crop")
        EventOverride.objects.create(event=row, outcome="refused", reason="a stranger")
        verdict = reviews.give(event=row, code=ReviewVerdict.SPOOF, note="", actor=auditor, now=fakes.NOW)
        (shown,) = event_log.page(EventFilter(), user=auditor).events
        assert (shown.has_crop, shown.was_overridden, shown.standing) == (True, True, [verdict])  # type: ignore[attr-defined]

    @pytest.mark.parametrize(("at", "number"), [(dt.datetime(2026, 1, 1), 1), (fakes.NOW, -1), (fakes.NOW, 2**63)])  # noqa: DTZ001
    def test_a_place_that_no_event_can_have_is_refused(self, at: dt.datetime, number: int) -> None:
        with pytest.raises(ValueError, match="expected"):
            Place(at, number)


class TestFilters:
    @pytest.mark.parametrize(
        ("wanted", "kept"),
        [
            (EventFilter(), {"accepted", "refused", "claimed", "blurred"}),
            (EventFilter(since=fakes.NOW - MINUTE), {"accepted", "refused"}),
            (EventFilter(until=fakes.NOW - MINUTE), {"claimed", "blurred"}),
            (EventFilter(decisions=("accept",)), {"accepted", "claimed"}),
            (EventFilter(decisions=("reject_no_match", "error")), {"refused"}),
            (EventFilter(reason="below_threshold"), {"refused"}),
            (EventFilter(reason="pin_wrong"), {"refused"}),
            (EventFilter(reason="suspended"), set()),
            (EventFilter(similarity_from=0.5), {"accepted", "claimed"}),
            (EventFilter(similarity_to=0.5), {"refused", "claimed"}),
            (EventFilter(similarity_from=0.5, similarity_to=0.5), {"claimed"}),
            (EventFilter(policy=1), {"accepted", "refused", "claimed", "blurred"}),
            (EventFilter(policy=99), set()),
            (EventFilter(kind="verification"), {"claimed"}),
            (EventFilter(checkpoint=LIVE_PAGE), {"accepted", "refused"}),
            (EventFilter(checkpoint=VIDEO), {"blurred"}),
            (EventFilter(checkpoint=VIDEO, reason="pin_wrong"), set()),
            (EventFilter(decisions=("accept",), similarity_from=0.6), {"accepted"}),
        ],
    )
    def test_a_filter_keeps_what_fits_it(self, auditor: User, wanted: EventFilter, kept: set[str]) -> None:
        reasons = [{"reason": code, "measured": None, "required": None} for code in ("below_threshold", "pin_wrong")]
        rows = {
            "accepted": event(0, similarity=0.9),
            "refused": event(1, decision="reject_no_match", similarity=0.3, reasons=reasons),
            "claimed": event(2, similarity=0.5, kind="verification", checkpoint=fakes.checkpoint()),
            "blurred": event(3, decision="no_decision_quality", reasons=fakes.FROM_VIDEO),
        }
        assert found(wanted, auditor) == {rows[name].pk for name in kept}

    def test_a_checkpoint_keeps_its_own(self, auditor: User) -> None:
        door = fakes.checkpoint()
        mine, _ = event(checkpoint=door), event()
        assert found(EventFilter(checkpoint=door.pk), auditor) == {mine.pk}

    def test_of_a_person_is_what_they_claimed_what_accepted_them_and_what_was_closest_to_them(
        self, auditor: User
    ) -> None:
        fakes.activated_pack()
        ada, bob = fakes.person("Ada"), fakes.person("Bob")
        merged = fakes.person("Ada again")
        merged.merged_into = ada
        merged.save()
        theirs = {
            event(1, person=ada, best_person=ada).pk,
            event(2, decision="reject_no_match", best_person=ada).pk,
            event(3, claimed_person=ada, best_person=bob).pk,
            event(4, best_person=merged).pk,
        }
        event(5, person=bob, best_person=bob)
        assert found(EventFilter(person=ada), auditor) == theirs

    @pytest.mark.parametrize(
        ("text", "kept"),
        [
            ("Lovelace", {"name"}),
            ("ada love", {"name"}),
            ("E-47", {"name", "claim"}),
            ("4711", {"name"}),
            ("e-4799", {"claim"}),
            ("GUARD", {"override"}),
            ("twin", {"note"}),
            ("twin guard", set()),
            ("nobody", set()),
            ("' & !(", set()),
            ("a\\'b:*", set()),
        ],
    )
    def test_a_text_is_looked_for_in_names_ids_notes_and_overrides(
        self, auditor: User, text: str, kept: set[str]
    ) -> None:
        fakes.activated_pack()
        ada = fakes.person("Ada Lovelace")
        ada.external_id = "E-4711"
        ada.save()
        rows = {
            "name": event(1, best_person=ada),
            "claim": event(2, kind="verification", claimed_id="E-4799"),
            "override": event(3),
            "note": event(4),
            "other": event(5),
        }
        EventOverride.objects.create(event=rows["override"], outcome="admitted", reason="Known to the guard.")
        reviews.give(
            event=rows["note"], code=ReviewVerdict.FALSE_MATCH, note="twins/brothers", actor=auditor, now=fakes.NOW
        )
        assert found(EventFilter(text=text), auditor) == {rows[name].pk for name in kept}

    @given(text=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=100))
    @settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_any_text_is_looked_for_without_an_error(self, auditor: User, text: str) -> None:
        event_log.page(EventFilter(text=text), user=auditor)

    def test_a_person_and_a_text_have_both_to_fit(self, auditor: User) -> None:
        fakes.activated_pack()
        ada = fakes.person("Ada")
        rows = [event(1, best_person=ada), event(2, best_person=ada), event(3)]
        for row in rows[1:]:
            EventOverride.objects.create(event=row, outcome="admitted", reason="Known to the guard.")
        assert found(EventFilter(person=ada, text="guard"), auditor) == {rows[1].pk}

    def test_review_states_are_told_apart(self, auditor: User) -> None:
        colleague = fakes.user()
        rows = {
            name: event(number) for number, name in enumerate(("agreed", "disputed", "settled", "overridden", "other"))
        }
        for name, by, code in (
            ("agreed", auditor, "spoof"),
            ("agreed", auditor, "true_match"),
            ("disputed", auditor, "true_match"),
            ("disputed", colleague, "false_match"),
        ):
            reviews.give(event=rows[name], code=ReviewVerdict(code), note="", actor=by, now=fakes.NOW)
        for by, code in ((colleague, "spoof"), (auditor, "true_match"), (auditor, "spoof")):
            reviews.give(event=rows["settled"], code=ReviewVerdict(code), note="", actor=by, now=fakes.NOW)
        EventOverride.objects.create(event=rows["overridden"], outcome="refused", reason="a stranger")
        expected = {
            "reviewed": {"agreed", "disputed", "settled"},
            "unreviewed": {"overridden", "other"},
            "disputed": {"disputed"},
            "overridden": {"overridden"},
            "waiting": set(),
            "true_match": {"agreed", "disputed"},
            "false_match": {"disputed"},
            "spoof": {"settled"},
        }
        for state, names in expected.items():
            assert found(EventFilter(review=state), auditor) == {rows[name].pk for name in names}, state

    def test_what_waits_for_a_second_verdict_looks_as_if_it_had_none(self, auditor: User) -> None:
        row = event(similarity=0.9, thresholds={"identification_threshold": 0.5})
        design = Design(since=fakes.NOW, until=fakes.NOW + MINUTE, accepts=1, refusals=0, second_share=1.0)
        item = reviews.draw(design=design, actor=auditor, now=design.until).items.get()
        first = fakes.user("view_verdict", "add_verdict")
        reviews.give(event=row, code=ReviewVerdict.SPOOF, note="a mask", actor=first, now=fakes.NOW, item=item)
        assert found(EventFilter(review="spoof"), first) == found(EventFilter(text="mask"), first) == {row.pk}
        for wanted in (EventFilter(review="spoof"), EventFilter(review="reviewed"), EventFilter(text="mask")):
            assert found(wanted, auditor) == set()
        assert found(EventFilter(review="waiting"), auditor) == found(EventFilter(review="unreviewed"), auditor)
        assert event_log.page(EventFilter(), user=auditor).events[0].standing == []  # type: ignore[attr-defined]

    def test_a_review_state_that_is_none_is_refused(self) -> None:
        with pytest.raises(ValueError, match="review: expected one of"):
            EventFilter(review="nonsense")
