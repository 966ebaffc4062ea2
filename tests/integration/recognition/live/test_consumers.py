from __future__ import annotations

import asyncio
import json
import logging
import math
from collections.abc import Callable
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client

from recognition.decision.matching import Candidate, CandidateList
from recognition.live import attention, camera_socket, frames
from recognition.live.messages import FRAME_HEADER
from recognition.models import ModelPack, Person, RecognitionEvent
from recognition.services.frames import SITE_WIDE, FrameOutcome, FrameStatus, SearchScope
from recognition.vision.images import FRAME_LIMITS
from tests import fakes
from tests.integration.recognition.live.conftest import Page, Worker, session_of

NewPage = Callable[..., Page]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("worker")]


BOX = fakes.box()
"""Where the worker sees its face."""


def like(person: Person, similarity: float = 0.9) -> CandidateList:
    sample = person.samples.get()
    return CandidateList((Candidate(person.pk, person.name, sample.pk, similarity),))


@pytest.fixture
def ada_in_view(ada: Person, worker: Worker) -> Person:
    worker.looks_like = like(ada)
    return ada


async def stored_events() -> list[dict[str, Any]]:
    def read() -> list[dict[str, Any]]:
        rows = RecognitionEvent.objects.order_by("pk").values("decision", "person_id", "operator_id")
        return [dict(row) for row in rows]

    events: list[dict[str, Any]] = await database_sync_to_async(read)()
    return events


class TestWhoMay:
    @pytest.fixture
    def stranger(self) -> str:
        return session_of(fakes.user())

    @pytest.mark.parametrize("session", [None, "no such session"])
    async def test_nobody_who_is_not_logged_in(self, page: NewPage, session: str | None) -> None:
        assert await (await page(session).opens()).is_closed() == ("not_authenticated", 4401)

    async def test_nobody_without_the_permission(self, page: NewPage, stranger: str) -> None:
        assert await (await page(stranger).opens()).is_closed() == ("not_permitted", 4403)

    @pytest.mark.parametrize(
        "origin",
        [
            None,  # not a browser
            "null",  # a file, or a page in a sandbox
            "",
            "http://evil.example",
            "http://testserver.evil.example",
            "http://testserver:8001",  # another program on this machine
            "http://[",
            "testserver",
        ],
    )
    async def test_no_page_of_another_site(self, page: NewPage, origin: str | None) -> None:
        assert await (await page(origin=origin).opens()).is_closed() == ("foreign_origin", 4404)

    async def test_no_page_that_names_a_host_which_is_not_ours_either(self, page: NewPage) -> None:
        refused = page(origin="http://evil.example", host="evil.example")
        assert await (await refused.opens()).is_closed() == ("foreign_origin", 4404)

    @pytest.mark.parametrize("host", ["testserver", "localhost:8000", "127.0.0.1:8000"])
    async def test_the_operator_on_our_own_page(self, page: NewPage, host: str) -> None:
        welcome = await page(origin=f"http://{host}", host=host).is_welcomed()
        assert welcome == {
            "type": "welcome",
            "protocol": 1,
            "window": 1,
            "max_frame_bytes": FRAME_LIMITS.max_bytes,
            "policy_version": 1,
            "pack": "fake-pack",
            "votes_needed": 3,
            "votes_of": 5,
        }


class TestHello:
    async def test_must_come_in_time(self, page: NewPage, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(camera_socket, "HELLO_TIMEOUT_S", 0.05)
        assert await (await page().opens()).is_closed() == ("hello_timeout", 4408)

    async def test_in_time_the_page_may_stay_silent(self, page: NewPage, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(camera_socket, "HELLO_TIMEOUT_S", 0.3)
        opened = page()
        await opened.is_welcomed()
        await asyncio.sleep(0.4)  # the time that the time-out would have taken
        await opened.shows()
        assert (await opened.hears("result"))["status"] == "analysed"

    @pytest.mark.parametrize("protocol", [-1, 0, 2, int("9" * 900)])
    async def test_must_speak_our_protocol(self, page: NewPage, protocol: int) -> None:
        opened = await page().opens()
        await opened.says(json.dumps({"type": "hello", "protocol": protocol}))
        assert await opened.is_closed() == ("unsupported_protocol", 4410)

    @pytest.mark.parametrize(
        "message",
        [
            "",
            "hello",
            "null",
            "[]",
            "{}",
            '{"type": "hello"}',
            '{"type": "hello", "protocol": "1"}',
            '{"type": "hello", "protocol": NaN}',
            "[" * 1000,  # a bomb for a parser that recurses
            '{"a":' * 200,
            '{"type": "hello", "protocol": 1}' + " " * 2000,
            b"",
            b"a frame before the hello",
        ],
    )
    async def test_must_come_first_and_be_well_formed(self, page: NewPage, message: str | bytes) -> None:
        opened = await page().opens()
        await opened.says(message)
        assert await opened.is_closed() == ("malformed", 4415)

    @pytest.mark.usefixtures("ada")
    async def test_is_answered_with_the_state_of_the_installation(self, page: NewPage) -> None:
        opened = page()
        await opened.is_welcomed()
        assert await opened.hears("notice") == {"type": "notice", "code": "ready", "people": 1}

    async def test_without_an_active_pack_ends_with_a_server_error(self, page: NewPage) -> None:
        await database_sync_to_async(ModelPack.objects.update)(is_active=False)
        opened = await page().opens()
        await opened.says('{"type": "hello", "protocol": 1}')
        assert await opened.is_closed() == ("server_error", 4500)


class TestOffences:
    """Each ends the session that commits it, and no other."""

    @pytest.mark.parametrize(
        ("message", "error", "code"),
        [
            ('{"type": "hello", "protocol": 1}', "malformed", 4415),  # a second one
            ("[" * 1000, "malformed", 4415),
            (b"", "malformed", 4415),
            (bytes(FRAME_HEADER.size), "malformed", 4415),  # a header without an image
            (bytes(FRAME_HEADER.size + FRAME_LIMITS.max_bytes + 1), "frame_too_large", 4413),
        ],
        ids=["hello twice", "JSON bomb", "empty", "no image", "too large"],
    )
    async def test_a_message_that_the_protocol_does_not_allow(
        self, page: NewPage, message: str | bytes, error: str, code: int
    ) -> None:
        bystander, offender = page(), page()
        await bystander.is_welcomed()
        await offender.is_welcomed()
        await offender.says(message)
        assert await offender.is_closed() == (error, code)
        await bystander.shows()
        assert (await bystander.hears("result"))["status"] == "analysed"

    @pytest.mark.parametrize(
        ("status", "error", "code"),
        [(FrameStatus.UNREADABLE, "malformed", 4415), (FrameStatus.TOO_LARGE, "frame_too_large", 4413)],
    )
    async def test_a_frame_that_the_worker_cannot_decode(
        self, page: NewPage, worker: Worker, status: FrameStatus, error: str, code: int
    ) -> None:
        usual = worker.answer
        worker.answer = lambda task: FrameOutcome(status) if task.jpeg == b"bad" else usual(task)
        bystander, offender = page(), page()
        await bystander.is_welcomed()
        await offender.is_welcomed()
        await offender.shows(b"bad")
        assert await offender.is_closed() == (error, code)
        await bystander.shows()
        assert (await bystander.hears("result"))["status"] == "analysed"

    async def test_a_flood(self, page: NewPage, worker: Worker) -> None:
        bystander, offender = page(), page()
        await bystander.is_welcomed()
        await offender.is_welcomed()
        worker.held = True
        for _ in range(400):
            await offender.shows()
        assert await offender.is_closed() == ("too_fast", 4429)
        worker.release()
        await bystander.shows()
        assert (await bystander.hears("result"))["status"] == "analysed"

    async def test_the_largest_frame_is_none(self, page: NewPage, worker: Worker) -> None:
        opened = page()
        await opened.is_welcomed()
        await opened.shows(bytes(FRAME_LIMITS.max_bytes))
        assert (await opened.hears("result"))["status"] == "analysed"
        assert len(worker.tasks[0].jpeg) == FRAME_LIMITS.max_bytes

    async def test_are_logged_by_the_number_of_the_user(
        self, page: NewPage, operator: User, caplog: pytest.LogCaptureFixture
    ) -> None:
        offender = page()
        await offender.is_welcomed()
        with caplog.at_level(logging.WARNING, "recognition.live.camera_socket"):
            await offender.says("[]")
            await offender.is_closed()
        assert f"live session of user {operator.pk} closed: malformed" in caplog.text
        assert operator.username not in caplog.text


class TestFrames:
    async def test_every_frame_is_answered_with_its_number(self, page: NewPage) -> None:
        opened = page()
        await opened.is_welcomed()
        for expected in (1, 2, 3):
            assert await opened.shows() == expected
            assert (await opened.hears("result"))["sequence"] == expected

    async def test_one_is_in_the_worker_at_a_time_and_the_newest_comes_next(
        self, page: NewPage, worker: Worker
    ) -> None:
        opened = page()
        await opened.is_welcomed()
        worker.held = True
        for number in (1, 2, 3, 4):
            await opened.shows(b"frame %d" % number)
        dropped = [await opened.hears("result") for _ in range(2)]
        assert [(answer["sequence"], answer["status"]) for answer in dropped] == [(2, "dropped"), (3, "dropped")]
        assert [task.jpeg for task in worker.tasks] == [b"frame 1"]
        worker.release()
        analysed = [await opened.hears("result") for _ in range(2)]
        assert [(answer["sequence"], answer["status"]) for answer in analysed] == [(1, "analysed"), (4, "analysed")]
        assert analysed[1]["dropped"] == 2
        assert [task.jpeg for task in worker.tasks] == [b"frame 1", b"frame 4"]

    async def test_a_frame_that_waits_for_the_one_before_it_may_be_looked_at(
        self, page: NewPage, worker: Worker
    ) -> None:
        opened = page()
        await opened.is_welcomed()
        worker.held = True
        for number in (1, 2):
            await opened.shows(b"frame %d" % number)
        # Dropping the second one tells that it has arrived.
        await opened.shows(b"frame 3")
        await opened.hears("result")
        assert [task.jpeg for task in worker.tasks] == [b"frame 1"]
        assert worker.prepared == [(b"frame 2", SITE_WIDE), (b"frame 3", SITE_WIDE)]
        worker.release()
        for _ in range(2):
            await opened.hears("result")
        # The very object: that is what a lane knows it by.
        assert worker.tasks[1].jpeg is worker.prepared[1][0]

    async def test_the_worker_is_told_of_the_tracks(self, page: NewPage, worker: Worker) -> None:
        opened = page()
        await opened.is_welcomed()
        for _ in range(2):
            await opened.shows()
            await opened.hears("result")
        assert worker.tasks[0].hints == ()
        assert [hint.track_id for hint in worker.tasks[1].hints] == ["1"]

    async def test_a_face_that_is_decided_about_is_looked_for_where_it_was(
        self, page: NewPage, worker: Worker, ada_in_view: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(attention, "EVERYWHERE_EVERY_S", math.inf)
        opened = page()
        await opened.is_welcomed()
        results: list[dict[str, Any]] = []
        while len(results) < 5:
            await opened.shows()
            results.append(await opened.hears("result"))
        places = [task.scope.near for task in worker.tasks]
        assert places == [(), (), (), (BOX,), (BOX,)]
        assert [result["everywhere"] for result in results] == [True, True, True, False, False]
        worker.held = True
        await opened.shows(b"in hand")
        await opened.shows(b"waits")
        # Dropping it tells that it has arrived.
        await opened.shows(b"newer")
        await opened.hears("result")
        assert worker.prepared[-1] == (b"newer", SearchScope(near=(BOX,)))
        worker.release()

    async def test_the_worker_is_told_how_the_last_face_was_tilted(self, page: NewPage, worker: Worker) -> None:
        opened = page()
        await opened.is_welcomed()
        tilted = fakes.seen_face(view=fakes.quality(roll_degrees=85.0))
        answers = iter([fakes.outcome(*seen, active=worker.active) for seen in ([tilted], [], [])])
        worker.answer = lambda task: next(answers)
        for _ in range(3):
            await opened.shows()
            await opened.hears("result")
        assert [task.scope.tilt_degrees for task in worker.tasks] == [0.0, 85.0, 85.0]

    async def test_sessions_do_not_share_tracks(self, page: NewPage, worker: Worker) -> None:
        for _ in range(2):
            opened = page()
            await opened.is_welcomed()
            await opened.shows()
            await opened.hears("result")
        assert [task.hints for task in worker.tasks] == [(), ()]

    async def test_without_a_worker_frames_fail_and_the_page_is_told_of_it(
        self, page: NewPage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(frames, "_workers", [])
        opened = page()
        await opened.is_welcomed()
        assert (await opened.hears("notice"))["code"] != "worker_unavailable"
        await opened.shows()
        assert (await opened.hears("result"))["status"] == "failed"
        assert (await opened.hears("notice"))["code"] == "worker_unavailable"

    async def test_the_page_is_told_at_once_when_frames_fail_and_when_they_are_analysed_again(
        self, page: NewPage, worker: Worker
    ) -> None:
        opened = page()
        await opened.is_welcomed()
        before = (await opened.hears("notice"))["code"]
        analyse, worker.answer = worker.answer, lambda task: FrameOutcome(FrameStatus.FAILED)
        await opened.shows()
        assert (await opened.hears("notice"))["code"] == "worker_unavailable"
        worker.answer = analyse
        await opened.shows()
        assert (await opened.hears("notice"))["code"] == before

    async def test_a_long_link_is_covered_by_more_frames_in_flight(self, page: NewPage) -> None:
        opened = page()
        await opened.is_welcomed()
        for _ in range(30):
            await opened.shows(link_us=4_000_000_000)
            answer = await opened.hears("result")
        assert answer["window"] == 3


class TestAccessIsCheckedAgain:
    @pytest.fixture(autouse=True)
    def often(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(camera_socket, "RECHECK_INTERVAL_S", 0.05)

    async def test_who_may_still_goes_on(self, page: NewPage) -> None:
        opened = page()
        await opened.is_welcomed()
        for _ in range(10):
            await opened.shows()
            assert (await opened.hears("result"))["status"] == "analysed"
            await asyncio.sleep(0.02)  # several checks pass meanwhile

    async def test_a_removed_permission_ends_the_session(self, page: NewPage, operator: User) -> None:
        opened = page()
        await opened.is_welcomed()
        await database_sync_to_async(operator.user_permissions.clear)()
        assert await opened.is_closed() == ("not_permitted", 4403)

    async def test_a_deactivated_user_is_logged_out(self, page: NewPage, operator: User) -> None:
        opened = page()
        await opened.is_welcomed()
        await database_sync_to_async(User.objects.filter(pk=operator.pk).update)(is_active=False)
        assert await opened.is_closed() == ("not_authenticated", 4401)

    async def test_a_deleted_user_is_logged_out(self, page: NewPage, operator: User) -> None:
        opened = page()
        await opened.is_welcomed()
        await database_sync_to_async(User.objects.filter(pk=operator.pk).delete)()
        assert await opened.is_closed() == ("not_authenticated", 4401)

    async def test_an_ended_browser_session_ends_the_socket(self, page: NewPage) -> None:
        opened = page()
        await opened.is_welcomed()
        await database_sync_to_async(Session.objects.all().delete)()
        assert await opened.is_closed() == ("not_authenticated", 4401)

    async def test_a_changed_password_ends_the_sessions_that_knew_the_old_one(
        self, page: NewPage, operator: User
    ) -> None:
        opened = page()
        await opened.is_welcomed()
        operator.set_password("a new one")
        await database_sync_to_async(operator.save)()
        assert await opened.is_closed() == ("not_authenticated", 4401)


class TestLogout:
    @pytest.fixture
    def browser(self, operator: User) -> Client:
        browser = Client()
        browser.force_login(operator)
        return browser

    async def test_closes_the_sockets_of_that_browser_at_once_and_no_other(
        self, page: NewPage, browser: Client
    ) -> None:
        elsewhere, here, here_too = page(), page(browser.session.session_key), page(browser.session.session_key)
        for opened in (elsewhere, here, here_too):
            await opened.is_welcomed()
        # No check is due before ten seconds.
        response = await database_sync_to_async(browser.post)("/accounts/logout/")
        assert response.status_code == 302
        for opened in (here, here_too):
            assert await opened.is_closed() == ("not_authenticated", 4401)
        await elsewhere.shows()
        assert (await elsewhere.hears("result"))["status"] == "analysed"


class TestDecisions:
    async def test_three_votes_make_an_event_and_the_page_is_told_when_it_is_stored(
        self, page: NewPage, ada_in_view: Person, operator: User
    ) -> None:
        opened = page()
        await opened.is_welcomed()
        for state in ("deciding", "deciding", "known"):
            await opened.shows()
            (face,) = (await opened.hears("result"))["faces"]
            assert face["state"] == state
        assert face["person"] == {"id": ada_in_view.pk, "name": "Ada Lovelace"}
        news = await opened.hears("decision")
        assert (news["decision"], news["person"], news["similarity"]) == ("accept", face["person"], 0.9)
        assert await stored_events() == [
            {"decision": "accept", "person_id": ada_in_view.pk, "operator_id": operator.pk}
        ]

    async def test_a_stranger_is_unknown_and_the_nearest_name_never_leaves_the_server(
        self, page: NewPage, ada: Person, worker: Worker
    ) -> None:
        worker.looks_like = await database_sync_to_async(like)(ada, 0.3)
        opened = page()
        await opened.is_welcomed()
        heard = []
        for _ in range(3):
            await opened.shows()
            heard.append(await opened.hears("result"))
        heard.append(await opened.hears("decision"))
        assert heard[2]["faces"][0]["state"] == "unknown"
        assert heard[3]["decision"] == "reject_no_match"
        assert "Ada" not in json.dumps(heard)

    @pytest.mark.usefixtures("ada_in_view")
    async def test_a_decision_is_stored_though_the_page_closes_right_after_it(self, page: NewPage) -> None:
        opened = page()
        await opened.is_welcomed()
        for _ in range(3):
            await opened.shows()
            await opened.hears("result")
        await opened.leaves()
        assert [event["decision"] for event in await stored_events()] == ["accept"]

    @pytest.mark.usefixtures("ada_in_view")
    async def test_what_was_undecided_with_votes_is_stored_when_the_page_closes(self, page: NewPage) -> None:
        opened = page()
        await opened.is_welcomed()
        await opened.shows()
        await opened.hears("result")
        await opened.leaves()
        (event,) = await stored_events()
        assert (event["decision"], event["person_id"]) == ("no_decision_timeout", None)

    @pytest.mark.usefixtures("ada_in_view")
    async def test_what_was_undecided_is_stored_though_its_operator_was_deleted(
        self, page: NewPage, operator: User
    ) -> None:
        opened = page()
        await opened.is_welcomed()
        await opened.shows()
        await opened.hears("result")
        await database_sync_to_async(User.objects.filter(pk=operator.pk).delete)()
        await opened.leaves()
        (event,) = await stored_events()
        assert event["operator_id"] is None


@pytest.mark.usefixtures("broken_events_table", "ada_in_view")
async def test_a_decision_that_cannot_be_stored_is_not_shown_and_ends_the_session(
    page: NewPage, caplog: pytest.LogCaptureFixture
) -> None:
    opened = page()
    await opened.is_welcomed()
    for _ in range(2):
        await opened.shows()
        assert (await opened.hears("result"))["faces"][0]["state"] == "deciding"
    await opened.shows()
    assert (await opened.hears_any("result", "decision", "error"))["type"] == "error"
    assert (await opened.is_closed())[1] == 4504
    assert await stored_events() == []
    assert "a decision could not be stored" in caplog.text
    assert "Ada" not in caplog.text
