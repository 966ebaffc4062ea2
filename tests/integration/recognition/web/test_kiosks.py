from __future__ import annotations

import datetime as dt
from http import HTTPStatus

import pytest
from django.test import Client
from django.utils import timezone

from recognition.models import Checkpoint, KioskDevice
from recognition.selectors import access
from recognition.services import kiosks
from tests import fakes

pytestmark = pytest.mark.django_db


@pytest.fixture
def gate() -> Checkpoint:
    fakes.activated_pack()
    return Checkpoint.objects.create(slug="gate", name="North gate")


def code_for(checkpoint: Checkpoint, *, made_before: dt.timedelta = dt.timedelta()) -> str:
    now = timezone.now() - made_before
    return kiosks.make_code(checkpoint=checkpoint, actor=fakes.user("pair_kiosk"), now=now)


def paired(client: Client, checkpoint: Checkpoint, *, secure: bool = False) -> str:
    """Pairs a browser; its token."""
    answer = client.post("/kiosk/", {"code": code_for(checkpoint), "label": "Tablet"}, secure=secure)
    assert answer.status_code == HTTPStatus.FOUND
    return client.cookies[access.KIOSK_COOKIE].value


class TestPairing:
    def test_is_open_to_a_browser_that_nobody_knows(self, client: Client) -> None:
        answer = client.get("/kiosk/")
        assert answer.status_code == HTTPStatus.OK
        assert "Pairing code" in answer.content.decode()

    def test_leads_to_the_checkpoint_and_leaves_a_token_that_only_this_site_gets(
        self, client: Client, gate: Checkpoint
    ) -> None:
        answer = client.post("/kiosk/", {"code": code_for(gate).lower(), "label": "Tablet"})
        assert answer.headers["Location"] == "/checkpoint/gate/"
        cookie = answer.cookies[access.KIOSK_COOKIE]
        assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["secure"]) == (True, "Strict", "/", "")
        device = KioskDevice.objects.get()
        assert (device.label, device.checkpoint) == ("Tablet", gate)
        assert cookie.value not in device.token_hash

    def test_on_a_secure_page_the_token_stays_on_secure_ones(self, client: Client, gate: Checkpoint) -> None:
        paired(client, gate, secure=True)
        assert client.cookies[access.KIOSK_COOKIE]["secure"]

    @pytest.mark.parametrize(
        ("values", "words"),
        [
            ({}, "Type in the code"),
            ({"code": "AAAA-AAAA"}, "Give the device a name"),
            ({"code": "AAAA-AAAA", "label": "Tablet"}, "This code is not valid"),
            ({"code": "A" * 200, "label": "Tablet"}, "at most 20 characters"),
            ({"code": "\u0661", "label": "Tablet"}, "This code is not valid"),
        ],
    )
    def test_a_wrong_form_is_answered_in_words(
        self, client: Client, gate: Checkpoint, values: dict[str, str], words: str
    ) -> None:
        answer = client.post("/kiosk/", values)
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert words in answer.content.decode()
        assert access.KIOSK_COOKIE not in answer.cookies

    def test_an_expired_code_is_refused(self, client: Client, gate: Checkpoint) -> None:
        code = code_for(gate, made_before=dt.timedelta(minutes=11))
        answer = client.post("/kiosk/", {"code": code, "label": "Tablet"})
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY

    def test_logs_out_whoever_paired_it_on_the_device_itself(self, client: Client, gate: Checkpoint) -> None:
        client.force_login(fakes.in_role("operator"))
        assert client.get("/live/").status_code == HTTPStatus.OK
        assert "Pairing logs you out" in client.get("/kiosk/").content.decode()
        paired(client, gate)
        for path in ("/", "/live/", "/admin/recognition/recognitionevent/"):
            assert client.get(path).status_code == HTTPStatus.FOUND
        assert client.get("/checkpoint/gate/").status_code == HTTPStatus.OK

    def test_with_a_wrong_code_logs_nobody_out(self, client: Client, gate: Checkpoint) -> None:
        client.force_login(fakes.user("use_live"))
        client.post("/kiosk/", {"code": "AAAA-AAAA", "label": "Tablet"})
        assert client.get("/live/").status_code == HTTPStatus.OK

    def test_again_ends_what_the_device_was_before(self, client: Client, gate: Checkpoint) -> None:
        before = paired(client, gate)
        beside = paired(Client(), gate)
        now = paired(client, Checkpoint.objects.create(slug="other", name="Other door"))
        assert kiosks.device_of(before) is None
        assert kiosks.device_of(beside) is not None
        assert kiosks.device_of(now) is not None

    def test_again_with_a_wrong_code_leaves_the_device_as_it_was(self, client: Client, gate: Checkpoint) -> None:
        before = paired(client, gate)
        client.post("/kiosk/", {"code": "AAAA-AAAA", "label": "Tablet"})
        assert kiosks.device_of(before) is not None

    def test_needs_the_page_that_it_was_asked_on(self, gate: Checkpoint) -> None:
        strict = Client(enforce_csrf_checks=True)
        answer = strict.post("/kiosk/", {"code": code_for(gate), "label": "Tablet"})
        assert answer.status_code == HTTPStatus.FORBIDDEN


class TestCheckpointPage:
    @pytest.mark.parametrize("slug", ["gate", "nowhere"])
    def test_is_closed_to_strangers_whether_it_exists_or_not(self, client: Client, gate: Checkpoint, slug: str) -> None:
        answer = client.get(f"/checkpoint/{slug}/")
        text = answer.content.decode()
        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert "Pair this device" in text
        assert f"/accounts/login/?next=/checkpoint/{slug}/" in text
        assert "North gate" not in text

    def test_is_open_to_its_own_kiosk(self, client: Client, gate: Checkpoint) -> None:
        paired(client, gate)
        answer = client.get("/checkpoint/gate/")
        assert answer.status_code == HTTPStatus.OK
        assert "North gate" in answer.content.decode()
        assert "no-store" in answer.headers["Cache-Control"]

    def test_is_closed_to_a_kiosk_of_another_one_which_is_led_home(self, client: Client, gate: Checkpoint) -> None:
        paired(client, Checkpoint.objects.create(slug="other", name="Other door"))
        answer = client.get("/checkpoint/gate/")
        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert "/checkpoint/other/" in answer.content.decode()

    def test_is_closed_to_a_removed_kiosk(self, client: Client, gate: Checkpoint) -> None:
        paired(client, gate)
        kiosks.remove(device=KioskDevice.objects.get(), actor=fakes.user(), now=timezone.now())
        assert client.get("/checkpoint/gate/").status_code == HTTPStatus.FORBIDDEN

    def test_is_open_to_who_may_and_closed_in_words_to_who_may_not(self, client: Client, gate: Checkpoint) -> None:
        client.force_login(fakes.user())
        refused = client.get("/checkpoint/gate/")
        assert (refused.status_code, "use_checkpoint" in refused.content.decode()) == (HTTPStatus.FORBIDDEN, True)
        client.force_login(fakes.user("use_checkpoint"))
        assert client.get("/checkpoint/gate/").status_code == HTTPStatus.OK
        assert client.get("/checkpoint/nowhere/").status_code == HTTPStatus.NOT_FOUND

    @pytest.mark.parametrize("path", ["/", "/live/", "/search/", "/admin/", "/samples/1/image/", "/events/1/crop/"])
    def test_a_kiosk_reaches_nothing_else(self, client: Client, gate: Checkpoint, path: str) -> None:
        paired(client, gate)
        answer = client.get(path)
        assert answer.status_code == HTTPStatus.FOUND
        assert "/login/" in answer.headers["Location"]

    def test_has_neither_inline_scripts_nor_inline_styles(self, client: Client, gate: Checkpoint) -> None:
        paired(client, gate)
        text = client.get("/checkpoint/gate/").content.decode()
        assert "style=" not in text
        assert "<style" not in text
        assert "onclick" not in text
