"""A door from the claim to the record: who is let in, who is not, and what a kiosk never tells."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import camera, kiosk_page, live_page, people
from tests.browser.kiosk_page import claim, expect_result, expect_state
from tests.browser.people import Cast
from tests.browser.site import Site

pytestmark = pytest.mark.browser

OWNERS_ID = "4711"
PIN = "2580"
LONG_S, SHORT_S = 20.0, 8.0


@dataclasses.dataclass(frozen=True, slots=True)
class Door:
    """An installation with people, checkpoints, and videos of who comes."""

    site: Site
    cast: Cast
    folder: Path

    def video(self, name: str) -> Path:
        """A video for the camera, by the name of who is in it."""
        owner, stranger = self.cast.owner.seen, self.cast.stranger.seen
        scenes, seconds = {
            "owner": ([[owner]], SHORT_S),
            "banned": ([[self.cast.banned.seen]], SHORT_S),
            "stranger": ([[stranger]], SHORT_S),
            "two": ([[owner, stranger]], LONG_S),
            "card": ([[people.card(OWNERS_ID)], [owner]], 4.0),
        }[name]
        path = self.folder / f"{name}.mjpeg"
        return path if path.exists() else camera.video(path, scenes, seconds_a_scene=seconds)

    def kiosk(self, slug: str, name: str) -> Page:
        """A paired kiosk whose camera shows a video."""
        return kiosk_page.kiosk(self.site, slug, self.video(name))

    def events(self, slug: str) -> list[dict[str, Any]]:
        """The events of a checkpoint as the database has them, oldest first."""
        found: list[dict[str, Any]] = self.site.read(
            "[dict(id=e.pk, kind=e.kind, decision=e.decision, reasons=[r['reason'] for r in e.reasons], "
            "claimed=e.claimed_id, person=e.person.name if e.person else None, "
            "device=e.device.label if e.device else None, votes=len(e.votes), crop=hasattr(e, 'crop'), "
            "alert=hasattr(e, 'alert'), policy=e.policy.version) "
            f"for e in RecognitionEvent.objects.filter(checkpoint__slug={slug!r}).order_by('pk')]",
            imports=kiosk_page.IMPORTS,
        )
        return found

    def policy(self, slug: str, **values: object) -> None:
        """Puts a policy of its own in force at a checkpoint."""
        self.site.shell(
            f"{kiosk_page.IMPORTS}; from recognition.services import policies; "
            f"policies.create_version(pack=ModelPack.objects.get(is_active=True), values={values!r}, "
            f"reason='a test', actor=None, checkpoint=Checkpoint.objects.get(slug={slug!r}))"
        )


@pytest.fixture(scope="module")
def installation(shared_installation: Site, tmp_path_factory: pytest.TempPathFactory) -> Door:
    """People and checkpoints; each test has a checkpoint of its own, because lockouts and policies stay there."""
    site, folder = shared_installation, tmp_path_factory.mktemp("door")
    cast = people.cast(folder)
    page = site.page_of()
    for somebody in (cast.owner, cast.banned):
        site.enrol(page, somebody.name, list(somebody.photos))
    page.context.close()
    site.shell(
        f"{kiosk_page.IMPORTS}; Person.objects.filter(name={cast.owner.name!r}).update(external_id={OWNERS_ID!r}); "
        f"DenyListEntry.objects.create(person=Person.objects.get(name={cast.banned.name!r}), reason='a test')"
    )
    return Door(site, cast, folder)


@pytest.fixture
def door(installation: Door, shared_site: Site) -> Door:
    """The installation; complaints of its pages fail the test that opened them."""
    return installation


def test_the_right_person_with_the_right_claim_is_let_in(door: Door) -> None:
    kiosk_page.make_checkpoint(door.site, "desk", "verify")
    page = door.kiosk("desk", "owner")
    claim(page, OWNERS_ID)
    expect_result(page, f"Welcome, {door.cast.owner.name}", tone="yes")
    expect_state(page, "claim")  # ready for the next one
    (event,) = door.events("desk")
    expected = {"kind": "verification", "decision": "accept", "reasons": [], "claimed": OWNERS_ID, "alert": False}
    assert event.items() >= {**expected, "person": door.cast.owner.name, "device": "Tablet", "crop": True}.items()
    assert event["votes"] >= 3


def test_a_wrong_claim_and_an_unknown_id_are_refused_alike(door: Door) -> None:
    kiosk_page.make_checkpoint(door.site, "desk-2", "verify")
    page = door.kiosk("desk-2", "stranger")
    looks = []
    for external_id in (OWNERS_ID, "no such id"):
        claim(page, external_id)
        expect_result(page, "Not confirmed", tone="no")
        looks.append(page.locator("#kiosk").inner_text())
    assert looks[0] == looks[1]
    assert door.cast.owner.name not in page.content()
    wrong, unknown = door.events("desk-2")
    assert (wrong["decision"], wrong["reasons"], wrong["person"]) == ("reject_no_match", ["below_threshold"], None)
    assert (unknown["decision"], unknown["reasons"]) == ("reject_no_match", ["claim_unknown"])


def test_a_banned_person_with_a_stolen_claim_is_refused_like_anybody_and_raises_an_alert(door: Door) -> None:
    kiosk_page.make_checkpoint(door.site, "desk-3", "verify")
    live = door.site.page_of("admin", door.video("owner"))
    live_page.start(door.site, live)
    expect(live.locator("#alert")).to_be_hidden()
    page = door.kiosk("desk-3", "banned")
    claim(page, OWNERS_ID)
    expect_result(page, "Not confirmed", tone="no")
    assert door.cast.banned.name not in page.content()
    expect(live.locator("#alert")).to_contain_text("Somebody of the deny list was met: Desk-3")
    (event,) = door.events("desk-3")
    assert event.items() >= {"decision": "reject_not_allowed", "person": None, "alert": True}.items()
    assert event["reasons"][0] == "deny_list"
    live.get_by_role("link", name="Look at the event").click()
    expect(live).to_have_url(door.site.url(f"/admin/recognition/recognitionevent/{event['id']}/change/"))


def test_a_stranger_is_not_recognised(door: Door) -> None:
    kiosk_page.make_checkpoint(door.site, "gate", "identify")
    page = door.kiosk("gate", "stranger")
    expect_result(page, "Not recognised", tone="no")
    event = door.events("gate")[0]
    assert (event["kind"], event["decision"], event["person"]) == ("identification", "reject_no_match", None)


def test_where_either_is_enough_a_face_alone_and_a_claim_are_taken_on_one_page(door: Door) -> None:
    kiosk_page.make_checkpoint(door.site, "lobby", "both")
    page = door.kiosk("lobby", "owner")
    expect_result(page, f"Welcome, {door.cast.owner.name}", tone="yes")
    page.get_by_role("button", name="Enter your id").click()
    claim(page, OWNERS_ID)
    expect_result(page, f"Welcome, {door.cast.owner.name}", tone="yes")
    page.context.close()
    events = door.events("lobby")
    by_face = [event for event in events if event["kind"] == "identification"]
    (by_claim,) = [event for event in events if event["kind"] == "verification"]
    expected = {"decision": "accept", "reasons": [], "person": door.cast.owner.name}
    assert by_face[0].items() >= {**expected, "claimed": ""}.items()
    assert by_claim.items() >= {**expected, "claimed": OWNERS_ID}.items()


def test_two_people_get_no_decision(door: Door) -> None:
    kiosk_page.make_checkpoint(door.site, "gate-2", "identify")
    page = door.kiosk("gate-2", "two")
    expect(page.get_by_role("heading", name="One person only, please")).to_be_visible()
    expect_result(page, "One person only, please", tone="unsure")
    assert door.events("gate-2")[0]["decision"] == "no_decision_multiple_faces"


def test_after_too_many_wrong_claims_the_claim_is_locked_until_staff_lift_it(door: Door) -> None:
    kiosk_page.make_checkpoint(door.site, "vault", "verify", attempt_limit=2)
    page = door.kiosk("vault", "stranger")
    for _ in range(2):
        claim(page, OWNERS_ID)
        expect_result(page, "Not confirmed", tone="no")
    claim(page, OWNERS_ID)
    expect_result(page, "Locked", tone="no")
    expect(page.locator("#detail")).to_contain_text("Too many attempts.")
    staff = door.site.page_of()
    staff.goto(door.site.url("/admin/recognition/claimlockout/"))
    staff.get_by_role("row", name="Vault").get_by_role("checkbox").check()
    staff.locator("select[name=action]").select_option(label="Lift: claims are taken again")
    staff.get_by_role("button", name="Run").click()
    expect(staff.get_by_text("1 lockout is lifted.")).to_be_visible()
    claim(page, OWNERS_ID)
    expect_result(page, "Not confirmed", tone="no")
    decisions = [event["decision"] for event in door.events("vault")]
    assert decisions == ["reject_no_match", "reject_no_match", "locked_out", "reject_no_match"]


def test_staff_override_a_decision_and_it_stays_as_it_was(door: Door) -> None:
    kiosk_page.make_checkpoint(door.site, "gate-4", "identify")
    page = door.kiosk("gate-4", "stranger")
    expect_result(page, "Not recognised", tone="no")
    page.context.close()
    event = door.events("gate-4")[0]
    staff = door.site.page_of()
    staff.goto(door.site.url(f"/admin/recognition/recognitionevent/{event['id']}/change/"))
    staff.locator("summary", has_text="Override").click()
    staff.get_by_label("let in").check()
    staff.get_by_label("Reason").fill("Known to the guard")
    staff.get_by_role("button", name="Keep this override").click()
    expect(staff.get_by_text("The override is kept; the decision stays as it was.")).to_be_visible()
    expect(staff.get_by_text("Known to the guard")).to_be_visible()
    assert door.events("gate-4")[0]["decision"] == "reject_no_match"
    kept = door.site.read(
        f"[[o.outcome, o.reason, o.by.username] for o in EventOverride.objects.filter(event_id={event['id']})]",
        imports=kiosk_page.IMPORTS,
    )
    assert kept == [["admitted", "Known to the guard", "admin"]]
    staff.goto(door.site.url("/admin/recognition/auditentry/"))
    expect(staff.get_by_role("row", name="decision overridden").first).to_be_visible()


def test_a_changed_policy_is_felt_by_an_open_page(door: Door) -> None:
    kiosk_page.make_checkpoint(door.site, "gate-3", "identify")
    page = door.kiosk("gate-3", "owner")
    expect_result(page, f"Welcome, {door.cast.owner.name}", tone="yes")
    door.policy("gate-3", identification_threshold=0.99)
    expect_result(page, "Not recognised", tone="no")
    first, *_, last = door.events("gate-3")
    assert (first["decision"], last["decision"]) == ("accept", "reject_no_match")
    assert first["policy"] < last["policy"]
    staff = door.site.page_of()
    staff.goto(door.site.url("/admin/recognition/thresholdpolicy/"))
    staff.get_by_role("row", name="gate-3").get_by_role("link").first.click()
    staff.get_by_text("Follow the site's policy again", exact=True).click()
    staff.get_by_role("button", name="Yes, follow it now").click()
    expect(staff.get_by_text("gate-3 follows the site's policy again")).to_be_visible()
    expect_result(page, f"Welcome, {door.cast.owner.name}", tone="yes")
    assert door.events("gate-3")[-1]["policy"] == first["policy"]


def test_a_card_held_before_the_camera_makes_the_claim(door: Door) -> None:
    kiosk_page.make_checkpoint(door.site, "desk-4", "verify")
    page = door.kiosk("desk-4", "card")
    expect_result(page, f"Welcome, {door.cast.owner.name}", tone="yes")
    event = door.events("desk-4")[0]
    assert (event["claimed"], event["decision"]) == (OWNERS_ID, "accept")


def test_where_the_policy_asks_for_it_the_pin_must_be_right_too(door: Door) -> None:
    kiosk_page.make_checkpoint(door.site, "safe", "verify")
    door.policy("safe", requires_pin=True)
    door.site.shell(
        f"{kiosk_page.IMPORTS}; from recognition.services import people; "
        f"people.set_pin(person=Person.objects.get(external_id={OWNERS_ID!r}), pin={PIN!r}, actor=None)"
    )
    page = door.kiosk("safe", "owner")
    claim(page, OWNERS_ID, "9999")
    expect_result(page, "Not confirmed", tone="no")
    claim(page, OWNERS_ID, PIN)
    expect_result(page, f"Welcome, {door.cast.owner.name}", tone="yes")
    wrong, right = door.events("safe")
    assert (wrong["decision"], wrong["reasons"]) == ("reject_no_match", ["pin_wrong"])
    assert right["decision"] == "accept"


def close_code(page: Page, path: str) -> int:
    """With which code the server closes a socket that the page opens."""
    code: int = page.evaluate(
        """path => new Promise((done) => {
             const socket = new WebSocket(new URL(path, location.href.replace("http", "ws")));
             socket.addEventListener("close", (event) => done(event.code));
           })""",
        path,
    )
    return code


def test_a_kiosk_reaches_its_own_checkpoint_and_nothing_else(door: Door) -> None:
    door.site.complaints.expect("403")
    for slug in ("hall", "hall-2"):
        kiosk_page.make_checkpoint(door.site, slug, "verify")
    page = door.kiosk("hall", "stranger")
    expect_state(page, "claim")
    assert close_code(page, "/ws/live/") == 4401
    assert close_code(page, "/ws/checkpoint/hall-2/") == 4405
    for path in (
        "/",
        "/live/",
        "/search/",
        "/admin/",
        "/events/1/crop/",
        "/samples/1/image/",
        "/admin/recognition/person/",
    ):
        page.goto(door.site.url(path))
        assert "/login/" in page.url, path
    for slug in ("hall-2", "no-such"):
        page.goto(door.site.url(f"/checkpoint/{slug}/"))
        expect(page.get_by_role("heading", name="This checkpoint is closed to this browser")).to_be_visible()
    page.get_by_role("link", name="Open its page").click()
    expect_state(page, "claim")


def test_a_removed_kiosk_shows_nothing_more(door: Door) -> None:
    door.site.complaints.expect("403")
    kiosk_page.make_checkpoint(door.site, "hall-3", "verify")
    page = door.kiosk("hall-3", "stranger")
    expect_state(page, "claim")
    staff = door.site.page_of()
    staff.goto(door.site.url("/admin/recognition/checkpoint/"))
    staff.get_by_role("link", name="Hall-3").click()
    staff.get_by_role("button", name="Remove Tablet").click()
    expect(page.get_by_role("heading", name="This device is not paired")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="This checkpoint is closed to this browser")).to_be_visible()


def test_a_second_window_of_a_kiosk_takes_over_until_the_first_is_told_to_go_on(door: Door) -> None:
    kiosk_page.make_checkpoint(door.site, "hall-5", "verify")
    first = door.kiosk("hall-5", "stranger")
    expect_state(first, "claim")
    second = first.context.new_page()
    second.goto(first.url)
    expect_state(second, "claim")
    elsewhere = "Open in another window"
    expect(first.get_by_role("heading", name=elsewhere)).to_be_visible()
    first.get_by_role("button", name="Go on here").click()
    expect(second.get_by_role("heading", name=elsewhere)).to_be_visible()
    expect_state(first, "claim")


def test_a_code_pairs_one_device_once(door: Door) -> None:
    door.site.complaints.expect("422")
    kiosk_page.make_checkpoint(door.site, "hall-4", "verify")
    staff = door.site.page_of()
    staff.goto(door.site.url("/admin/recognition/checkpoint/"))
    staff.get_by_role("link", name="Hall-4").click()
    staff.get_by_role("button", name="Pair a kiosk").click()
    code = staff.locator(".faceweb-code").inner_text()
    for expected in ("Enter or scan your id", None):
        page = door.site.open_browser(door.video("stranger"), permissions=["camera"]).new_page()
        page.goto(door.site.url("/kiosk/"))
        page.get_by_label("Pairing code").fill(code)
        page.get_by_label("Name of this device").fill("Tablet")
        page.get_by_role("button", name="Pair", exact=True).click()
        if expected:
            expect(page.get_by_role("heading", name=expected)).to_be_visible()
        else:
            expect(page.get_by_role("alert")).to_contain_text("This code is not valid")
