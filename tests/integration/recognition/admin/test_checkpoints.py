"""Checkpoints, standing, alerts, lockouts and overrides in the admin."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from recognition.decision.verdict import Decision, Vote
from recognition.models import (
    ActionDelivery,
    Alert,
    Checkpoint,
    ClaimLockout,
    DenyListEntry,
    EventOverride,
    KioskDevice,
    ModelPack,
    Person,
    PersonGroup,
    RecognitionEvent,
)
from recognition.selectors import packs
from recognition.services import deny_list, events, kiosks, people, policies
from recognition.services.events import Setting, TransactionRecord
from recognition.services.frames import FrameTimings
from tests import fakes

pytestmark = pytest.mark.django_db

ADMIN = "/admin/recognition"


@pytest.fixture(autouse=True)
def pack() -> None:
    fakes.activated_pack()


@pytest.fixture
def door() -> Checkpoint:
    return fakes.checkpoint("door", name="Front door", action_url="http://192.168.0.9/open")


@pytest.fixture
def ada() -> Person:
    return fakes.person("Ada Lovelace", fakes.probe())


def staff(*permissions: str, is_superuser: bool = False) -> Client:
    account = fakes.user(*permissions)
    User.objects.filter(pk=account.pk).update(is_staff=True, is_superuser=is_superuser)
    client = Client()
    client.force_login(account)
    return client


def in_role(name: str) -> Client:
    client = Client()
    client.force_login(fakes.in_role(name))
    return client


def text_of(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def recorded(door: Checkpoint, *, raises_alert: bool = False, best: Person | None = None) -> RecognitionEvent:
    decision = Decision.REJECT_NOT_ALLOWED if raises_alert else Decision.REJECT_NO_MATCH
    nearest = fakes.candidates(0.6, first_person=best.pk).best if best else None
    record = TransactionRecord(
        decision=decision,
        leading=Vote(decision, nearest, None, None) if nearest else None,
        votes=(),
        faults=(),
        active=packs.active(),
        quality=None,
        crop_jpeg=b"",
        duration_s=1.0,
        timings=FrameTimings(),
        runtime="fake",
    )
    setting = Setting(kind=RecognitionEvent.Kind.VERIFICATION, checkpoint_id=door.pk, claimed_id="A-1")
    return events.write(record=record, reasons=(), setting=setting, now=timezone.now(), raises_alert=raises_alert)


def test_every_page_opens_for_a_superuser(door: Checkpoint, ada: Person) -> None:
    client = staff(is_superuser=True)
    group = PersonGroup.objects.create(name="staff")
    event = recorded(door, raises_alert=True)
    lockout = ClaimLockout.objects.create(checkpoint=door, person=ada, failures=9, is_stopped=True)
    delivery = ActionDelivery.objects.create(
        checkpoint=door,
        event=event,
        expires_at=timezone.now(),
        attempts=[{"at": "2026-01-01T00:00:00", "status": None, "error": "no answer", "ms": 3000.1}],
    )
    entry = deny_list.add(person=ada, reason="Broke a window.", actor=fakes.user())
    KioskDevice.objects.create(checkpoint=door, label="Tablet", token_hash="h")
    pages = {
        "checkpoint": door.pk,
        "persongroup": group.pk,
        "alert": Alert.objects.get().pk,
        "claimlockout": lockout.pk,
        "actiondelivery": delivery.pk,
        "denylistentry": entry.pk,
        "recognitionevent": event.pk,
        "person": ada.pk,
    }
    for name, number in pages.items():
        assert client.get(f"{ADMIN}/{name}/").status_code == 200
        assert client.get(f"{ADMIN}/{name}/{number}/change/").status_code == 200
    assert client.get(f"{ADMIN}/person/{ada.pk}/pin/").status_code == 200
    overview = text_of(client.get("/admin/"))
    assert "1 alert is open" in overview
    assert "1 person is locked out of a checkpoint" in overview


class TestACheckpoint:
    FIELDS = {
        "name": "Side door",
        "slug": "side-door",
        "place": "",
        "mode": "both",
        "is_active": "on",
        "admits": "groups",
        "attempt_limit": "",
        "action_url": "",
        "action_deadline_s": "10",
    }

    def saved(self, client: Client, number: int | None = None, **changes: Any) -> Any:
        where = f"{number}/change/" if number else "add/"
        return client.post(f"{ADMIN}/checkpoint/{where}", {**self.FIELDS, **changes})

    def test_is_made_with_the_groups_that_were_ticked(self) -> None:
        group = PersonGroup.objects.create(name="staff")
        client = staff("view_checkpoint", "add_checkpoint", "change_checkpoint")
        assert self.saved(client, allowed_groups=[group.pk]).status_code == 302
        assert list(Checkpoint.objects.get(slug="side-door").allowed_groups.all()) == [group]

    @pytest.mark.parametrize(("limit", "is_taken"), [("19", True), ("20", False), ("30000", False)])
    def test_has_an_attempt_limit_below_the_policys_stop(self, limit: str, is_taken: bool) -> None:
        client = staff("view_checkpoint", "add_checkpoint", "change_checkpoint")
        response = self.saved(client, attempt_limit=limit)
        assert Checkpoint.objects.filter(slug="side-door").exists() is is_taken
        assert ("after 20 failed claims, by the policy" in response.content.decode()) is not is_taken

    def test_has_an_attempt_limit_below_the_stop_of_its_own_policy(self) -> None:
        client = staff("view_checkpoint", "add_checkpoint", "change_checkpoint")
        self.saved(client, attempt_limit="5")
        door = Checkpoint.objects.get(slug="side-door")
        policies.create_version(
            pack=ModelPack.objects.get(is_active=True),
            values={"attempts_before_stop": 8},
            reason="a test",
            actor=None,
            checkpoint=door,
        )
        assert "after 8 failed claims" in self.saved(client, door.pk, attempt_limit="8").content.decode()
        assert self.saved(client, door.pk, attempt_limit="7").status_code == 302
        door.refresh_from_db()
        assert door.attempt_limit == 7

    def test_takes_an_attempt_limit_where_no_pack_is_in_use_yet(self) -> None:
        ModelPack.objects.update(is_active=False)
        client = staff("view_checkpoint", "add_checkpoint", "change_checkpoint")
        assert self.saved(client, attempt_limit="30").status_code == 302

    def test_that_admits_groups_without_any_says_that_nobody_passes(self) -> None:
        client = staff("view_checkpoint", "add_checkpoint", "change_checkpoint")
        self.saved(client)
        listed = text_of(client.get(f"{ADMIN}/checkpoint/"))
        assert "Nobody may pass Side door: it admits groups only, and none is chosen. Open it, and choose" in listed
        assert "nobody: no group is chosen" in listed
        page = text_of(client.get(f"{ADMIN}/checkpoint/{Checkpoint.objects.get().pk}/change/"))
        assert "Nobody may pass here" in page

    @pytest.mark.parametrize("choice", ["everyone", "group", "_continue"])
    def test_is_saved_without_a_warning_where_somebody_passes_or_its_page_says_it(self, choice: str) -> None:
        group = PersonGroup.objects.create(name="Night staff")
        changes: dict[str, dict[str, Any]] = {
            "everyone": {"admits": "everyone"},
            "group": {"allowed_groups": [group.pk]},
            "_continue": {"_continue": "1"},
        }
        client = staff("view_checkpoint", "add_checkpoint", "change_checkpoint")
        self.saved(client, **changes[choice])
        listed = text_of(client.get(f"{ADMIN}/checkpoint/"))
        assert "Nobody may pass" not in listed
        shown = {"everyone": "everybody who is enrolled", "group": "Night staff", "_continue": "nobody:"}
        assert shown[choice] in listed

    @pytest.mark.parametrize("url", ["ftp://door.example/open", "javascript:alert(1)"])
    def test_takes_no_webhook_that_is_not_http(self, url: str) -> None:
        client = staff("view_checkpoint", "add_checkpoint")
        assert self.saved(client, action_url=url).status_code == 200
        assert not Checkpoint.objects.exists()

    @pytest.mark.parametrize("who", ["user:secret@", "user@"])
    def test_takes_no_webhook_with_a_password_that_no_call_would_send(self, who: str) -> None:
        client = staff("view_checkpoint", "add_checkpoint")
        answer = self.saved(client, action_url=f"http://{who}192.168.0.9/open")
        assert not Checkpoint.objects.exists()
        assert "are not sent" in text_of(answer)
        self.saved(client, action_url="http://192.168.0.9/open?as=me@home")
        assert Checkpoint.objects.get().action_url == "http://192.168.0.9/open?as=me@home"

    @pytest.mark.parametrize("role", ["operator", "auditor", "administrator"])
    @pytest.mark.parametrize("action_url", ["", "http://192.168.0.9/open"])
    def test_says_to_everybody_who_sees_it_that_a_photo_opens_the_door(self, role: str, action_url: str) -> None:
        door = fakes.checkpoint("door", action_url=action_url)
        page = text_of(in_role(role).get(f"{ADMIN}/checkpoint/{door.pk}/change/"))
        assert page.count("a photo of somebody who may pass opens this door") == 1

    def test_that_is_new_says_that_too(self) -> None:
        page = text_of(in_role("administrator").get(f"{ADMIN}/checkpoint/add/"))
        assert "a photo of somebody who may pass opens this door" in page

    @pytest.mark.parametrize(
        ("mode", "requires_pin", "warns"),
        [("verify", True, False), ("both", False, False), ("both", True, True), ("identify", True, True)],
    )
    def test_warns_where_a_pin_is_asked_for_and_the_face_alone_opens(
        self, mode: str, requires_pin: bool, warns: bool
    ) -> None:
        door = fakes.checkpoint("door", mode=mode)
        pack = ModelPack.objects.get()
        values = {"requires_pin": requires_pin}
        policies.create_version(pack=pack, values=values, reason="a test", actor=None, checkpoint=door)
        page = text_of(in_role("auditor").get(f"{ADMIN}/checkpoint/{door.pk}/change/"))
        assert ("in this mode the face alone opens without one" in page) is warns

    def test_shows_its_key_to_those_who_may_change_it_only(self, door: Checkpoint) -> None:
        address = f"{ADMIN}/checkpoint/{door.pk}/change/"
        assert door.action_secret not in staff("view_checkpoint", "pair_kiosk").get(address).content.decode()
        assert door.action_secret in staff("view_checkpoint", "change_checkpoint").get(address).content.decode()

    def test_gets_a_new_key_by_post_from_those_who_may_change_it(self, door: Checkpoint) -> None:
        address = f"{ADMIN}/checkpoint/{door.pk}/new-key/"
        before = door.action_secret
        assert staff("view_checkpoint").post(address).status_code == 403
        client = staff("view_checkpoint", "change_checkpoint")
        assert client.get(address).status_code == 405
        assert client.post(address).status_code == 302
        door.refresh_from_db()
        assert door.action_secret != before

    def test_is_paired_with_a_code_that_is_shown_once(self, door: Checkpoint) -> None:
        address = f"{ADMIN}/checkpoint/{door.pk}/pair/"
        assert staff("view_checkpoint", "change_checkpoint").post(address).status_code == 403
        response = staff("view_checkpoint", "pair_kiosk").post(address)
        code = re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}", response.content.decode())
        assert code is not None
        assert "/kiosk/" in response.content.decode()
        assert "no-store" in response["Cache-Control"]
        assert kiosks.pair(code=code.group(), label="Tablet", now=timezone.now()).checkpoint == door

    def test_loses_a_kiosk_that_is_removed(self, door: Checkpoint) -> None:
        kiosk = KioskDevice.objects.create(checkpoint=door, label="Tablet", token_hash="h")
        address = f"{ADMIN}/checkpoint/{door.pk}/remove-kiosk/"
        client = staff("view_checkpoint", "pair_kiosk")
        elsewhere = fakes.checkpoint("lobby")
        assert client.post(f"{ADMIN}/checkpoint/{elsewhere.pk}/remove-kiosk/", {"device": kiosk.pk}).status_code == 404
        assert client.post(address, {"device": kiosk.pk}).status_code == 302
        kiosk.refresh_from_db()
        assert kiosk.revoked_at is not None


class TestAPerson:
    def test_gets_groups_and_dates_from_the_form(self, ada: Person) -> None:
        group = PersonGroup.objects.create(name="staff")
        fields = {
            "name": "Ada",
            "external_id": "A-1",
            "is_active": "on",
            "groups": [group.pk],
            "valid_from": "2026-01-01T08:00:00",
            "valid_until": "2026-12-31T18:00:00",
            "notes": "",
            "samples-TOTAL_FORMS": 0,
            "samples-INITIAL_FORMS": 0,
        }
        client = staff("view_person", "change_person")
        address = f"{ADMIN}/person/{ada.pk}/change/"
        assert client.post(address, fields).status_code == 302
        ada.refresh_from_db()
        assert (list(ada.groups.all()), str(ada.valid_from)) == ([group], "2026-01-01 08:00:00+00:00")
        assert 'value="2026-01-01T08:00:00"' in client.get(address).content.decode()
        fields["valid_until"] = "2025-12-31T18:00:00"
        assert "must be later than" in text_of(client.post(address, fields))

    def test_gets_a_pin_that_was_typed_twice(self, ada: Person) -> None:
        client, address = staff("view_person", "change_person"), f"{ADMIN}/person/{ada.pk}/pin/"
        assert "not the same" in text_of(client.post(address, {"pin": "1234", "again": "1235"}))
        assert "4 to 8 digits" in text_of(client.post(address, {"pin": "12", "again": "12"}))
        assert client.post(address, {"pin": "1234", "again": "1234"}).status_code == 302
        ada.refresh_from_db()
        assert people.is_pin_right(person=ada, pin="1234") is True
        assert client.post(address, {"remove": "1"}).status_code == 302
        ada.refresh_from_db()
        assert ada.pin_hash == ""

    def test_keeps_the_pin_from_those_who_may_only_look(self, ada: Person) -> None:
        assert staff("view_person").get(f"{ADMIN}/person/{ada.pk}/pin/").status_code == 403

    def test_is_put_on_the_deny_list_and_taken_off_it(self, ada: Person) -> None:
        client = staff("view_person", "view_denylistentry", "add_denylistentry", "delete_denylistentry")
        page = f"{ADMIN}/person/{ada.pk}"
        client.post(f"{page}/deny/", {"reason": " "})
        assert not DenyListEntry.objects.exists()
        client.post(f"{page}/deny/", {"reason": "Broke a window."})
        assert "Broke a window." in text_of(client.get(f"{page}/change/"))
        client.post(f"{page}/readmit/")
        assert not DenyListEntry.objects.exists()

    def test_is_denied_by_nobody_else(self, ada: Person) -> None:
        client = staff("view_person", "change_person")
        assert client.post(f"{ADMIN}/person/{ada.pk}/deny/", {"reason": "x"}).status_code == 403

    def test_shows_the_reason_of_a_denial_to_those_who_may_see_the_list(self, ada: Person) -> None:
        deny_list.add(person=ada, reason="Broke a window.", actor=fakes.user())
        page = text_of(staff("view_person").get(f"{ADMIN}/person/{ada.pk}/change/"))
        assert "On the deny list" in page
        assert "Broke a window." not in page


def test_a_lockout_is_lifted_from_the_list_by_those_who_may(door: Checkpoint, ada: Person) -> None:
    lockout = ClaimLockout.objects.create(checkpoint=door, person=ada, failures=9, is_stopped=True)
    chosen = {"action": "lift", "_selected_action": [lockout.pk]}
    watching = staff("view_claimlockout")
    assert "locked out until staff lift it" in text_of(watching.get(f"{ADMIN}/claimlockout/"))
    watching.post(f"{ADMIN}/claimlockout/", chosen)
    lockout.refresh_from_db()
    assert lockout.is_stopped
    staff("view_claimlockout", "lift_lockout").post(f"{ADMIN}/claimlockout/", chosen)
    lockout.refresh_from_db()
    assert (lockout.failures, lockout.is_stopped) == (0, False)


def test_an_alert_is_acknowledged_from_the_list_by_those_who_may(door: Checkpoint) -> None:
    alert = Alert.objects.get(event=recorded(door, raises_alert=True))
    chosen = {"action": "acknowledge", "_selected_action": [alert.pk]}
    staff("view_alert").post(f"{ADMIN}/alert/", chosen)
    alert.refresh_from_db()
    assert alert.acknowledged_at is None
    staff("view_alert", "acknowledge_alert").post(f"{ADMIN}/alert/", chosen)
    alert.refresh_from_db()
    assert alert.acknowledged_at is not None


class TestTheReasonOfADenial:
    @pytest.fixture
    def event(self, door: Checkpoint, ada: Person) -> RecognitionEvent:
        event = recorded(door, raises_alert=True, best=ada)
        deny_list.add(person=ada, reason="Broke a window.", actor=fakes.user())
        return event

    def pages(self, client: Client, event: RecognitionEvent) -> list[str]:
        addresses = ("alert/", f"alert/{event.alert.pk}/change/", f"recognitionevent/{event.pk}/change/")
        return [text_of(client.get(f"{ADMIN}/{address}")) for address in addresses]

    @pytest.mark.parametrize("role", ["operator", "auditor"])
    def test_is_read_where_the_alert_is_though_the_list_is_closed(self, role: str, event: RecognitionEvent) -> None:
        assert all("Broke a window." in page for page in self.pages(in_role(role), event))

    def test_is_kept_from_those_who_see_no_alerts(self, event: RecognitionEvent) -> None:
        page = text_of(staff("view_recognitionevent").get(f"{ADMIN}/recognitionevent/{event.pk}/change/"))
        assert "It raised an alert" in page
        assert "Broke a window." not in page

    def test_goes_with_the_entry(self, event: RecognitionEvent, ada: Person) -> None:
        deny_list.remove(entry=ada.deny_list_entry, actor=fakes.user())
        in_list, alert, page = self.pages(in_role("operator"), event)
        assert ("not on it any more" in in_list, "not on it any more" in alert) == (True, True)
        assert "not on the deny list any more" in page
        ada.delete()
        assert "somebody who was erased since" in self.pages(in_role("operator"), event)[0]


class TestTheDenyList:
    def test_says_who_on_it_cannot_be_recognised(self) -> None:
        for name, samples in (("Bob", [fakes.probe()]), ("Eve", [])):
            DenyListEntry.objects.create(person=fakes.person(name, *samples), reason="Broke a window.")
        client = staff("view_denylistentry")
        overview = client.get("/admin/").content.decode()
        assert "1 person on the deny list cannot be recognised" in overview
        assert f"{ADMIN}/denylistentry/" in overview
        entries = client.get(f"{ADMIN}/denylistentry/").context["cl"].queryset
        assert {entry.person.name: entry.is_in_vain for entry in entries} == {"Bob": False, "Eve": True}
        ModelPack.objects.update(is_active=False)
        assert all(entry.is_in_vain for entry in client.get(f"{ADMIN}/denylistentry/").context["cl"].queryset)

    def test_is_no_matter_of_the_overview_while_everybody_on_it_is_recognised(self) -> None:
        DenyListEntry.objects.create(person=fakes.person("Bob", fakes.probe(), is_active=False), reason="A test.")
        assert "cannot be recognised" not in staff("view_denylistentry").get("/admin/").content.decode()


class TestAnOverride:
    def test_is_kept_beside_the_decision(self, door: Checkpoint) -> None:
        event = recorded(door)
        client = staff("view_recognitionevent", "add_eventoverride")
        address = f"{ADMIN}/recognitionevent/{event.pk}"
        fields = {"outcome": "admitted", "reason": "Forgot his glasses.", "opens_door": "on"}
        assert client.post(f"{address}/override/", fields).status_code == 302
        page = text_of(client.get(f"{address}/change/"))
        assert "Forgot his glasses." in page
        assert "Not recognised" in page
        assert ActionDelivery.objects.get().override == EventOverride.objects.get()

    def test_that_comes_second_is_told_so(self, door: Checkpoint) -> None:
        event = recorded(door)
        client = staff("view_recognitionevent", "add_eventoverride")
        address = f"{ADMIN}/recognitionevent/{event.pk}"
        fields = {"outcome": "admitted", "reason": "Forgot his glasses.", "opens_door": "on"}
        assert f"{address}/override/" in client.get(f"{address}/change/").content.decode()
        client.post(f"{address}/override/", fields)
        again = client.post(f"{address}/override/", {**fields, "reason": "From another tab."}, follow=True)
        assert "has overridden this decision already" in text_of(again)
        assert f"{address}/override/" not in again.content.decode()
        assert ActionDelivery.objects.count() == 1

    @pytest.mark.parametrize("fields", [{"outcome": "admitted", "reason": " "}, {"outcome": "x", "reason": "y"}, {}])
    def test_without_outcome_or_reason_is_refused(self, door: Checkpoint, fields: dict[str, str]) -> None:
        event = recorded(door)
        client = staff("view_recognitionevent", "add_eventoverride")
        client.post(f"{ADMIN}/recognitionevent/{event.pk}/override/", fields)
        assert not EventOverride.objects.exists()

    def test_is_for_those_who_may(self, door: Checkpoint) -> None:
        event = recorded(door)
        client = staff("view_recognitionevent")
        fields = {"outcome": "admitted", "reason": "Why not."}
        assert client.post(f"{ADMIN}/recognitionevent/{event.pk}/override/", fields).status_code == 403
