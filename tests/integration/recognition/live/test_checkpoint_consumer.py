"""A kiosk as the server sees it, on the real application, services and database; only the worker is a fake."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.utils import timezone

from recognition.decision.matching import Candidate, CandidateList
from recognition.live import camera_socket, checkpoint
from recognition.models import Alert, Checkpoint, DenyListEntry, KioskDevice, ModelPack, Person, RecognitionEvent
from recognition.services import kiosks, people, policies
from recognition.services.frames import FrameOutcome, FrameStatus, FrameTask, SearchKind
from tests import fakes
from tests.integration.recognition.live.conftest import PATIENCE_S, Page, Worker, session_of

NewPage = Callable[..., Page]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("worker")]

PATH = "/ws/checkpoint/desk/"
DOOR_PATH = "/ws/checkpoint/door/"


def make_checkpoint(slug: str, mode: Checkpoint.Mode) -> Checkpoint:
    return Checkpoint.objects.create(slug=slug, name=slug.title(), mode=mode, admits=Checkpoint.Admits.EVERYONE)


@pytest.fixture
def desk(active: object) -> Checkpoint:
    return make_checkpoint("desk", Checkpoint.Mode.VERIFY)


@pytest.fixture
def door(active: object) -> Checkpoint:
    return make_checkpoint("door", Checkpoint.Mode.IDENTIFY)


def token_of(place: Checkpoint) -> str:
    code = kiosks.make_code(checkpoint=place, actor=fakes.user("pair_kiosk"), now=timezone.now())
    return kiosks.pair(code=code, label="Tablet", now=timezone.now()).token


@pytest.fixture
def token(desk: Checkpoint) -> str:
    return token_of(desk)


@pytest.fixture
def ada(active: object) -> Person:
    ada = fakes.person("Ada Lovelace", fakes.probe())
    ada.external_id = "4711"
    ada.save()
    return ada


class Eyes:
    """What the fake worker sees; who is enrolled is in the real database."""

    def __init__(self, worker: Worker) -> None:
        self.like: CandidateList = CandidateList()
        self.denied: CandidateList = CandidateList()
        self.codes: tuple[str, ...] = ()
        self._active = worker.active
        worker.answer = self._look

    def _look(self, task: FrameTask) -> FrameOutcome:
        if task.scope.reads_codes:
            return dataclasses.replace(fakes.outcome(active=self._active), codes=self.codes)
        track = task.hints[0].track_id if task.hints else None
        face = fakes.seen_face(self.like, track_id=track)
        if task.scope.kind is SearchKind.VERIFY:
            face = dataclasses.replace(face, denied=self.denied)
        return fakes.outcome(face, active=self._active)


@pytest.fixture
def eyes(worker: Worker) -> Eyes:
    return Eyes(worker)


def like(person: Person, similarity: float = 0.9) -> CandidateList:
    return CandidateList((Candidate(person.pk, person.name, person.samples.get().pk, similarity),))


async def concludes(page: Page) -> dict[str, Any]:
    """Shows frames until the page hears how it ended."""
    while True:
        await page.shows()
        message = await page.hears_any("conclusion", "result")
        if message["type"] == "conclusion":
            return message


async def claims(page: Page, external_id: str = "4711", pin: str = "") -> None:
    await page.says(json.dumps({"type": "claim", "external_id": external_id, "pin": pin}))
    while (await page.hears("state"))["phase"] != "looking":
        pass


async def stored(*fields: str) -> list[tuple[Any, ...]]:
    def read() -> list[tuple[Any, ...]]:
        return list(RecognitionEvent.objects.order_by("pk").values_list(*fields))

    rows: list[tuple[Any, ...]] = await database_sync_to_async(read)()
    return rows


class TestWhoMay:
    async def test_nobody_without_kiosk_or_login(self, page: NewPage, desk: Checkpoint) -> None:
        assert await (await page(None, path=PATH).opens()).is_closed() == ("not_authenticated", 4401)

    async def test_no_user_without_the_permission(self, page: NewPage, desk: Checkpoint, session_key: str) -> None:
        assert await (await page(session_key, path=PATH).opens()).is_closed() == ("not_permitted", 4403)

    @pytest.mark.parametrize("kiosk", ["no such token", "", '"; x="'])
    async def test_no_kiosk_with_a_token_that_was_never_given(
        self, page: NewPage, desk: Checkpoint, kiosk: str
    ) -> None:
        error, _ = await (await page(None, path=PATH, kiosk=kiosk).opens()).is_closed()
        assert error in ("not_paired", "not_authenticated")

    async def test_no_kiosk_of_another_checkpoint(self, page: NewPage, door: Checkpoint, token: str) -> None:
        assert await (await page(None, path=DOOR_PATH, kiosk=token).opens()).is_closed() == ("not_paired", 4405)

    async def test_no_kiosk_on_the_live_page(self, page: NewPage, token: str) -> None:
        assert await (await page(None, kiosk=token).opens()).is_closed() == ("not_authenticated", 4401)

    async def test_no_page_of_another_site(self, page: NewPage, token: str) -> None:
        foreign = page(None, path=PATH, kiosk=token, origin="http://evil.example")
        assert await (await foreign.opens()).is_closed() == ("foreign_origin", 4404)

    async def test_the_kiosk_that_was_paired(self, page: NewPage, token: str) -> None:
        welcome = await page(None, path=PATH, kiosk=token).is_welcomed()
        assert (welcome["name"], welcome["mode"], welcome["needs_pin"]) == ("Desk", "verify", False)

    async def test_a_user_with_the_permission(self, page: NewPage, desk: Checkpoint) -> None:
        session = await database_sync_to_async(lambda: session_of(fakes.user("use_checkpoint")))()
        assert (await page(session, path=PATH).is_welcomed())["mode"] == "verify"

    async def test_at_an_address_that_no_checkpoint_has(self, page: NewPage, active: object) -> None:
        session = await database_sync_to_async(lambda: session_of(fakes.user("use_checkpoint")))()
        opened = await page(session, path="/ws/checkpoint/nowhere/").opens()
        await opened.says('{"type": "hello", "protocol": 1}')
        assert await opened.is_closed() == ("no_such_checkpoint", 4406)

    async def test_a_removal_ends_the_page_at_once(self, page: NewPage, token: str, operator: User) -> None:
        opened = page(None, path=PATH, kiosk=token)
        await opened.is_welcomed()
        device = await database_sync_to_async(KioskDevice.objects.get)()
        # No check is due before ten seconds.
        await database_sync_to_async(kiosks.remove)(device=device, actor=operator, now=timezone.now())
        assert await opened.is_closed() == ("not_paired", 4405)

    async def test_a_removal_that_nobody_told_of_is_noticed_at_the_next_check(
        self, page: NewPage, token: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(camera_socket, "RECHECK_INTERVAL_S", 0.05)
        opened = page(None, path=PATH, kiosk=token)
        await opened.is_welcomed()
        await database_sync_to_async(KioskDevice.objects.update)(revoked_at=timezone.now())
        assert await opened.is_closed() == ("not_paired", 4405)

    async def test_a_kiosk_that_opens_a_second_page_goes_on_there_alone(
        self, page: NewPage, token: str, ada: Person, eyes: Eyes
    ) -> None:
        first, second = page(None, path=PATH, kiosk=token), page(None, path=PATH, kiosk=token)
        await first.is_welcomed()
        await claims(first)
        await second.is_welcomed()
        assert await first.is_closed() == ("opened_elsewhere", 4409)
        await first.leaves()
        assert await stored("decision", "reasons__0__reason") == [("no_decision_timeout", "left")]
        eyes.like = await database_sync_to_async(like)(ada)
        await claims(second)
        assert (await concludes(second))["outcome"] == "accepted"

    async def test_of_two_pages_that_open_at_once_one_stays(self, page: NewPage, token: str) -> None:
        older, newer = page(None, path=PATH, kiosk=token), page(None, path=PATH, kiosk=token)
        hello = '{"type": "hello", "protocol": 1}'
        await older.opens()
        await newer.opens()
        # The one that opened first may well be the last to hear its welcome.
        await older.says(hello)
        await older.hears("welcome")
        await newer.says(hello)
        await newer.hears("welcome")
        assert await older.is_closed() == ("opened_elsewhere", 4409)
        await newer.says('{"type": "enter_id"}')
        await newer.hears("state")

    async def test_a_page_goes_on_beside_those_of_other_kiosks_and_of_users(
        self, page: NewPage, desk: Checkpoint, token: str, ada: Person, eyes: Eyes
    ) -> None:
        session = await database_sync_to_async(lambda: session_of(fakes.user("use_checkpoint")))()
        other_token = await database_sync_to_async(token_of)(desk)
        first = page(None, path=PATH, kiosk=token)
        await first.is_welcomed()
        for beside in (page(None, path=PATH, kiosk=other_token), page(session, path=PATH), page(session, path=PATH)):
            await beside.is_welcomed()
        eyes.like = await database_sync_to_async(like)(ada)
        await claims(first)
        assert (await concludes(first))["outcome"] == "accepted"

    @pytest.mark.parametrize("message", ['{"type": "claim"}', '{"type": "hello", "protocol": 1}', "[]", "{"])
    async def test_a_message_that_the_protocol_does_not_allow_ends_it(
        self, page: NewPage, token: str, message: str
    ) -> None:
        opened = page(None, path=PATH, kiosk=token)
        await opened.is_welcomed()
        await opened.says(message)
        assert await opened.is_closed() == ("malformed", 4415)


class TestClaims:
    @pytest.fixture(autouse=True)
    def short_results(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(checkpoint, "SHOWN_S", 0.1)

    async def test_the_right_person_is_let_in_and_recorded(
        self, page: NewPage, token: str, ada: Person, eyes: Eyes
    ) -> None:
        eyes.like = await database_sync_to_async(like)(ada)
        opened = page(None, path=PATH, kiosk=token)
        await opened.is_welcomed()
        await claims(opened)
        said = await concludes(opened)
        assert (said["outcome"], said["person"]) == ("accepted", "Ada Lovelace")
        device = await database_sync_to_async(KioskDevice.objects.get)()
        rows = await stored("decision", "claimed_id", "person_id", "device_id", "operator_id", "kind")
        assert rows == [("accept", "4711", ada.pk, device.pk, None, "verification")]

    async def test_the_worker_is_told_whom_and_by_whose_policy(
        self, page: NewPage, token: str, ada: Person, eyes: Eyes, worker: Worker, desk: Checkpoint
    ) -> None:
        eyes.like = await database_sync_to_async(like)(ada)
        opened = page(None, path=PATH, kiosk=token)
        await opened.is_welcomed()
        await opened.shows()
        await opened.hears("result")
        await claims(opened)
        await concludes(opened)
        scopes = [task.scope for task in worker.tasks]
        assert scopes[0].reads_codes
        assert {(scope.checkpoint_id, scope.person_id, scope.reads_codes) for scope in scopes[1:4]} == {
            (desk.pk, ada.pk, False)
        }

    async def test_wrong_face_unknown_id_and_wrong_pin_are_answered_alike(
        self, page: NewPage, token: str, ada: Person, eyes: Eyes, desk: Checkpoint
    ) -> None:
        await database_sync_to_async(people.set_pin)(person=ada, pin="2580", actor=None)
        opened = page(None, path=PATH, kiosk=token)
        await opened.is_welcomed()
        eyes.like = await database_sync_to_async(like)(ada, 0.1)
        answers = []
        for external_id in ("4711", "0815"):
            await claims(opened, external_id)
            answers.append(await concludes(opened))
        assert answers[0] == answers[1]
        assert answers[0]["sentence"] == "not_confirmed"
        assert "Ada" not in json.dumps(answers)
        assert [row[0] for row in await stored("reasons__0__reason")] == ["below_threshold", "claim_unknown"]

    async def test_a_banned_face_is_answered_the_same_and_raises_an_alert(
        self, page: NewPage, token: str, ada: Person, eyes: Eyes
    ) -> None:
        def banned() -> Person:
            somebody = fakes.person("Mallory", fakes.like_probe(0.0))
            DenyListEntry.objects.create(person=somebody, reason="a test")
            return somebody

        mallory = await database_sync_to_async(banned)()
        watcher = await database_sync_to_async(lambda: session_of(fakes.user("use_live", "view_alert")))()
        blind = await database_sync_to_async(lambda: session_of(fakes.user("use_live")))()
        watching, unaware = page(watcher), page(blind)
        for opened in (watching, unaware):
            await opened.is_welcomed()
        eyes.like = await database_sync_to_async(like)(ada)
        eyes.denied = await database_sync_to_async(like)(mallory)
        opened = page(None, path=PATH, kiosk=token)
        await opened.is_welcomed()
        await claims(opened)
        said = await concludes(opened)
        assert (said["outcome"], said["sentence"], said["person"]) == ("refused", "not_confirmed", None)
        alert = await watching.hears("alert")
        event = await database_sync_to_async(RecognitionEvent.objects.get)()
        assert (alert["open"], alert["event"], alert["place"]) == (1, event.pk, "Desk")
        assert event.decision == "reject_not_allowed"
        # The next frame is answered without a word of it to who may not see alerts.
        await unaware.shows()
        assert (await unaware.hears_any("alert", "result"))["type"] == "result"
        assert await database_sync_to_async(Alert.objects.count)() == 1

    async def test_a_locked_claim_is_answered_without_a_look(
        self, page: NewPage, token: str, ada: Person, eyes: Eyes, desk: Checkpoint
    ) -> None:
        await database_sync_to_async(Checkpoint.objects.update)(attempt_limit=1)
        eyes.like = await database_sync_to_async(like)(ada, 0.1)
        opened = page(None, path=PATH, kiosk=token)
        await opened.is_welcomed()
        await claims(opened)
        assert (await concludes(opened))["sentence"] == "not_confirmed"
        await opened.says('{"type": "claim", "external_id": "4711", "pin": ""}')
        said = await opened.hears("conclusion")
        assert (said["outcome"], said["locked_for_s"] > 0) == ("locked_out", True)
        assert await stored("decision") == [("reject_no_match",), ("locked_out",)]

    async def test_a_claim_whose_page_closes_is_recorded(self, page: NewPage, token: str, ada: Person) -> None:
        opened = page(None, path=PATH, kiosk=token)
        await opened.is_welcomed()
        await claims(opened)
        await opened.leaves()
        assert await stored("decision", "claimed_id") == [("no_decision_timeout", "4711")]

    async def test_claims_that_a_stopping_server_cuts_short_are_recorded_once(
        self, page: NewPage, token: str, ada: Person, eyes: Eyes, session_key: str
    ) -> None:
        eyes.like = await database_sync_to_async(like)(ada, 0.1)
        opened, idle = page(None, path=PATH, kiosk=token), page(session_key)
        await idle.is_welcomed()
        await opened.is_welcomed()
        await claims(opened)
        for _ in range(2):
            await opened.shows()
            await opened.hears("result")
        await asyncio.wait(camera_socket.leave_all(), timeout=PATIENCE_S)
        assert await opened.is_closed() == ("server_stopped", 4512)
        ((decision, claimed_id, reason, votes),) = await stored("decision", "claimed_id", "reasons__0__reason", "votes")
        assert (decision, claimed_id, reason, len(votes)) == ("error", "4711", "server_stopped", 2)
        assert camera_socket.leave_all() == set()
        await opened.shows()  # nothing begins any more
        await opened.leaves()
        assert len(await stored("pk")) == 1

    @pytest.mark.usefixtures("broken_events_table")
    async def test_a_stop_ends_though_nothing_can_be_stored(
        self, page: NewPage, token: str, ada: Person, caplog: pytest.LogCaptureFixture
    ) -> None:
        opened = page(None, path=PATH, kiosk=token)
        await opened.is_welcomed()
        await claims(opened)
        await asyncio.wait(camera_socket.leave_all(), timeout=PATIENCE_S)
        assert await opened.is_closed() == ("server_stopped", 4512)
        assert "a decision could not be stored" in caplog.text

    async def test_a_claim_whose_page_closes_after_some_votes_is_recorded_with_them(
        self, page: NewPage, token: str, ada: Person, eyes: Eyes
    ) -> None:
        eyes.like = await database_sync_to_async(like)(ada)
        opened = page(None, path=PATH, kiosk=token)
        await opened.is_welcomed()
        await claims(opened)
        for _ in range(2):
            await opened.shows()
            await opened.hears("result")
        await opened.leaves()
        ((decision, claimed_id, votes, crop),) = await stored("decision", "claimed_id", "votes", "crop__jpeg")
        assert (decision, claimed_id, bytes(crop)) == ("no_decision_timeout", "4711", b"a crop")
        assert [(vote["best_person"], vote["similarity"], vote["counts"]) for vote in votes] == [
            (ada.pk, 0.9, False)
        ] * 2

    @pytest.mark.parametrize("answers", [FrameOutcome(FrameStatus.FAILED), None])
    async def test_a_claim_whose_frames_nobody_analyses_is_recorded_as_an_error(
        self, page: NewPage, token: str, ada: Person, worker: Worker, answers: FrameOutcome | None
    ) -> None:
        def hurry() -> None:
            pack = ModelPack.objects.get(is_active=True)
            policies.create_version(pack=pack, values={"timeout_s": 1.0}, reason="a test", actor=None)

        await database_sync_to_async(hurry)()
        worker.held = answers is None
        worker.answer = lambda task: answers or FrameOutcome(FrameStatus.FAILED)
        opened = page(None, path=PATH, kiosk=token)
        await opened.is_welcomed()
        await claims(opened)
        await opened.shows()
        said = await opened.hears("conclusion")
        assert (said["outcome"], said["person"]) == ("error", None)
        assert await stored("decision", "claimed_id", "reasons__0__reason") == [("error", "4711", "not_analysed")]

    async def test_the_kiosk_is_told_at_once_when_frames_fail_and_when_they_are_analysed_again(
        self, page: NewPage, token: str, worker: Worker
    ) -> None:
        opened = page(None, path=PATH, kiosk=token)
        await opened.is_welcomed()
        before = (await opened.hears("notice"))["code"]
        await claims(opened)
        analyse, worker.answer = worker.answer, lambda task: FrameOutcome(FrameStatus.FAILED)
        await opened.shows()
        assert (await opened.hears("notice"))["code"] == "worker_unavailable"
        worker.answer = analyse
        await opened.shows()
        assert (await opened.hears("notice"))["code"] == before

    async def test_a_code_that_the_camera_reads_is_told_to_the_page(
        self, page: NewPage, token: str, eyes: Eyes
    ) -> None:
        eyes.codes = ("4711",)
        opened = page(None, path=PATH, kiosk=token)
        await opened.is_welcomed()
        await opened.shows()
        assert await opened.hears("scanned") == {"type": "scanned", "external_id": "4711"}

    async def test_a_banned_face_on_a_claim_is_kept_though_the_mode_changes_before_the_end(
        self, page: NewPage, token: str, ada: Person, eyes: Eyes
    ) -> None:
        def banned() -> CandidateList:
            somebody = fakes.person("Mallory", fakes.like_probe(0.0))
            DenyListEntry.objects.create(person=somebody, reason="a test")
            return like(somebody)

        eyes.like = await database_sync_to_async(like)(ada)
        eyes.denied = await database_sync_to_async(banned)()
        opened = page(None, path=PATH, kiosk=token)
        await opened.is_welcomed()
        await claims(opened)
        await database_sync_to_async(Checkpoint.objects.update)(mode=Checkpoint.Mode.IDENTIFY)
        await concludes(opened)
        assert await stored("decision", "claimed_id", "alert__acknowledged_at") == [
            ("reject_not_allowed", "4711", None)
        ]
        assert await database_sync_to_async(Alert.objects.count)() == 1

    async def test_taken_out_of_use_in_the_middle_a_claim_is_recorded_as_that(
        self, page: NewPage, token: str, ada: Person, eyes: Eyes
    ) -> None:
        eyes.like = await database_sync_to_async(like)(ada)
        opened = page(None, path=PATH, kiosk=token)
        await opened.is_welcomed()
        await claims(opened)
        await database_sync_to_async(Checkpoint.objects.update)(is_active=False)
        said = await concludes(opened)
        assert (said["outcome"], said["person"]) == ("error", None)
        assert await stored("decision", "reasons__0__reason") == [("error", "out_of_use")]

    async def test_taken_out_of_use_it_takes_no_claim(
        self, page: NewPage, token: str, ada: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(camera_socket, "RECHECK_INTERVAL_S", 0.05)
        opened = page(None, path=PATH, kiosk=token)
        await opened.is_welcomed()
        await database_sync_to_async(Checkpoint.objects.update)(is_active=False)
        while (await opened.hears("notice"))["code"] != "out_of_use":
            pass
        await opened.says('{"type": "claim", "external_id": "4711", "pin": ""}')
        assert (await opened.hears("state"))["phase"] == "claim"
        assert await stored("pk") == []


class TestIdentification:
    async def test_a_stranger_is_not_recognised_and_the_nearest_name_never_leaves_the_server(
        self, page: NewPage, door: Checkpoint, ada: Person, eyes: Eyes
    ) -> None:
        eyes.like = await database_sync_to_async(like)(ada, 0.3)
        opened = page(None, path=DOOR_PATH, kiosk=await database_sync_to_async(token_of)(door))
        await opened.is_welcomed()
        said = await concludes(opened)
        assert (said["sentence"], said["person"]) == ("not_recognised", None)
        assert await stored("decision", "kind", "person_id") == [("reject_no_match", "identification", None)]

    @pytest.mark.usefixtures("broken_events_table")
    async def test_what_cannot_be_stored_is_not_accepted(
        self, page: NewPage, door: Checkpoint, ada: Person, eyes: Eyes, caplog: pytest.LogCaptureFixture
    ) -> None:
        eyes.like = await database_sync_to_async(like)(ada)
        opened = page(None, path=DOOR_PATH, kiosk=await database_sync_to_async(token_of)(door))
        await opened.is_welcomed()
        said = await concludes(opened)
        assert (said["outcome"], said["person"]) == ("error", None)
        assert await stored("pk") == []
        assert "a decision could not be stored" in caplog.text
        assert "Ada" not in caplog.text
