"""Every page in light and dark, wide and narrow: no barrier, no sideways scrolling, pictures to look at."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser import live_page, looks, people
from tests.browser.looks import THEMES, Theme
from tests.browser.people import ASTRONAUT
from tests.browser.site import Account, Site

pytestmark = pytest.mark.browser

PAGES = {
    "dashboard": "/",
    "live-idle": "/live/",
    "search": "/search/",
    "compare": "/compare/",
    "people": "/admin/recognition/person/",
    "person-add": "/admin/recognition/person/add/",
    "person": "/admin/recognition/person/1/change/",
    "person-delete": "/admin/recognition/person/1/delete/",
    "enrol": "/admin/recognition/person/1/enrol/",
    "samples": "/admin/recognition/facesample/",
    "sample": "/admin/recognition/facesample/1/change/",
    "events": "/admin/recognition/recognitionevent/",
    "event": "/admin/recognition/recognitionevent/1/change/",
    "checkpoints": "/admin/recognition/checkpoint/",
    "checkpoint-add": "/admin/recognition/checkpoint/add/",
    "person-groups": "/admin/recognition/persongroup/",
    "person-group-add": "/admin/recognition/persongroup/add/",
    "person-pin": "/admin/recognition/person/1/pin/",
    "deny-list": "/admin/recognition/denylistentry/",
    "alerts": "/admin/recognition/alert/",
    "lockouts": "/admin/recognition/claimlockout/",
    "webhook-calls": "/admin/recognition/actiondelivery/",
    "policies": "/admin/recognition/thresholdpolicy/",
    "policy-add": "/admin/recognition/thresholdpolicy/add/",
    "policy": "/admin/recognition/thresholdpolicy/1/change/",
    "policy-proposed": "/admin/recognition/thresholdpolicy/2/change/",
    "policy-former": "/admin/recognition/thresholdpolicy/3/change/",
    "packs": "/admin/recognition/modelpack/",
    "pack": "/admin/recognition/modelpack/1/change/",
    "jobs": "/admin/recognition/job/",
    "audit": "/admin/recognition/auditentry/",
    "audit-entry": "/admin/recognition/auditentry/1/change/",
    "users": "/admin/auth/user/",
    "user": "/admin/auth/user/1/change/",
    "groups": "/admin/auth/group/",
    "group-add": "/admin/auth/group/add/",
}


AT_A_DOOR = """
import datetime as dt
from django.contrib.auth.models import User
from django.utils import timezone
from recognition.decision.standing import Bar
from recognition.decision.verdict import Decision, Reason
from recognition.models import ActionDelivery, Checkpoint, ClaimLockout, EventOverride, KioskDevice, Person, PersonGroup
from recognition.selectors import packs
from recognition.services import deny_list, events
from recognition.services.frames import FrameTimings
admin, now = User.objects.get(username="admin"), timezone.now()
door = Checkpoint.objects.create(name="Front door", slug="front", place="Hall", action_url="http://192.168.1.9/open")
door.allowed_groups.add(PersonGroup.objects.create(name="Staff of the whole building"))
KioskDevice.objects.create(checkpoint=door, label="Tablet on the left of the door", token_hash="h", paired_by=admin)
banned = Person.objects.create(name="Bob", external_id="B-1")
deny_list.add(person=banned, reason="Broke a window.", actor=admin)
ClaimLockout.objects.create(checkpoint=door, person=banned, failures=20, is_stopped=True)
ClaimLockout.objects.create(checkpoint=door, person=Person.objects.exclude(pk=banned.pk).get(), failures=7,
    locked_until=now + dt.timedelta(hours=1))
event = events.write(
    record=events.TransactionRecord(Decision.REJECT_NOT_ALLOWED, None, (), (), packs.active(), None, b"", 1.0,
        FrameTimings(), "none"),
    reasons=(Reason(Bar.DENY_LIST),), now=now, raises_alert=True,
    setting=events.Setting(kind="verification", checkpoint_id=door.pk, claimed_id="B-1", claimed_person_id=banned.pk),
)
override = EventOverride.objects.create(event=event, outcome="admitted", reason="Came to pay for the window.", by=admin)
ActionDelivery.objects.create(checkpoint=door, event=event, override=override, expires_at=now, state="expired",
    attempts=[{"at": now.isoformat(), "status": None, "error": "no answer within 3.0 s", "ms": 3000.2}])
"""
"""What the admin pages of a checkpoint show once it is used; nobody stands before a camera for it."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faces")


@pytest.fixture(scope="module")
def video(folder: Path) -> Path:
    return people.astronaut_and_stranger_video(folder)


@pytest.fixture(scope="module")
def used_installation(shared_installation: Site, folder: Path, video: Path) -> Site:
    """Somebody is enrolled, and she and a stranger have been seen."""
    site = shared_installation
    page = site.page_of("admin", video)
    site.enrol(page, ASTRONAUT, [people.astronaut_photo(folder)])
    live_page.start(site, page)
    expect(live_page.decision(page, ASTRONAUT)).to_be_visible()
    expect(live_page.decision(page, "Unknown")).to_be_visible()
    site.shell(AT_A_DOOR)
    site.add_users(Account("nobody"))
    # The events above were decided by version 1, which a return at the end puts in force again.
    site.shell(
        "from django.contrib.auth.models import User; from recognition.models import ModelPack, ThresholdPolicy; "
        "from recognition.services import policies; from django.utils import timezone; "
        "pack = ModelPack.objects.get(is_active=True); first = ThresholdPolicy.objects.get(); "
        "by = User.objects.get(username='nobody'); "
        "policies.propose(pack=pack, actor=by, reason='Strangers were taken for staff in the evening light.', "
        "values={'identification_threshold': 0.51, 'margin': 0.08, 'votes_needed': 4, 'strategy': 'k_nearest'}); "
        "policies.create_version(pack=pack, actor=by, reason='A trial.', values={'margin': 0.2}); "
        "policies.return_to(policy=first, actor=by, now=timezone.now())"
    )
    return site


@pytest.fixture
def looked_at(used_installation: Site, shared_site: Site) -> Site:
    """The installation; complaints of its pages fail the test that opened them."""
    return shared_site


@pytest.fixture(scope="module")
def browser(used_installation: Site) -> BrowserContext:
    """The administrator's, for all tests: style sheets and scripts are fetched once and not for each page."""
    return used_installation.page_of().context


@pytest.fixture
def page(looked_at: Site, browser: BrowserContext) -> Page:
    return browser.new_page()


@pytest.mark.parametrize("name", PAGES)
def test_page(name: str, looked_at: Site, page: Page) -> None:
    answer = page.goto(looked_at.url(PAGES[name]))
    assert answer is not None
    assert answer.ok
    looks.inspect(page, name)


@pytest.mark.parametrize(
    ("name", "path", "link"),
    [
        ("checkpoint", "/admin/recognition/checkpoint/", "Front door"),
        ("person-denied", "/admin/recognition/person/", "Bob"),
        ("webhook-call", "/admin/recognition/actiondelivery/", None),
        ("event-overridden", "/admin/recognition/alert/", "somebody who was erased since"),
    ],
)
def test_page_of_a_checkpoint_in_use(name: str, path: str, link: str | None, looked_at: Site, page: Page) -> None:
    page.goto(looked_at.url(path))
    looks.inspect(page, f"{name}-list")
    rows = page.locator("#result_list")
    (rows.get_by_role("link", name=link) if link else rows.locator("tbody a").first).click()
    page.wait_for_load_state()
    for closed in page.locator("details.faceweb-confirm > summary").all():
        closed.click()
    looks.inspect(page, name)


def test_pairing_code(looked_at: Site, page: Page) -> None:
    page.goto(looked_at.url("/admin/recognition/checkpoint/1/change/"))
    page.get_by_role("button", name="Pair a kiosk").click()
    expect(page.locator(".faceweb-code")).to_be_visible()
    looks.inspect(page, "checkpoint-pair")


def test_log_in(looked_at: Site) -> None:
    page = looked_at.open_browser().new_page()
    page.goto(looked_at.url("/accounts/login/"))
    looks.inspect(page, "login")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("Please enter a correct username and password.")
    looks.inspect(page, "login-refused")


def test_log_in_that_is_locked_out(looked_at: Site) -> None:
    looked_at.complaints.expect("403")
    page = looked_at.open_browser().new_page()
    for _ in range(5):
        page.goto(looked_at.url("/accounts/login/"))
        page.get_by_label("Username").fill("somebody")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Too many wrong passwords")).to_be_visible()
    looks.inspect(page, "login-locked-out")


def test_search(looked_at: Site, page: Page, folder: Path) -> None:
    page.goto(looked_at.url("/search/"))
    page.get_by_label("Choose a photo").set_input_files(people.group_photo(folder))
    expect(page.get_by_text("6 faces found")).to_be_visible()
    looks.inspect(page, "search-results")
    looked_at.complaints.expect("422")  # the browser's console names every refusal
    page.get_by_label("Choose a photo").set_input_files(people.no_photo(folder))
    expect(page.get_by_role("alert")).to_contain_text("not an image that can be read")
    looks.inspect(page, "search-refused")


def test_comparison(looked_at: Site, page: Page, folder: Path) -> None:
    page.goto(looked_at.url("/compare/"))
    page.get_by_label("First photo").set_input_files(people.astronaut_photo(folder))
    page.get_by_label("Second photo").set_input_files(people.group_photo(folder))
    page.get_by_label("Second photo").press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Not the same person")).to_be_visible()
    expect(page.get_by_role("img", name="Photo 1 with the face that was found")).to_be_visible()
    looks.inspect(page, "compare-result")
    looked_at.complaints.expect("422")  # the browser's console names every refusal
    page.get_by_label("First photo").set_input_files(people.no_photo(folder))
    page.get_by_label("Second photo").set_input_files(people.group_photo(folder))
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("alert")).to_contain_text("not an image that can be read")
    looks.inspect(page, "compare-refused")


def test_live_page_with_the_camera_on(looked_at: Site, video: Path) -> None:
    page = looked_at.page_of("admin", video)
    live_page.start(looked_at, page)
    live_page.expect_in_view(page, ASTRONAUT)
    looks.inspect(page, "live-running")


def test_not_permitted(looked_at: Site) -> None:
    looked_at.complaints.expect("403")
    page = looked_at.page_of("nobody")
    page.goto(looked_at.url("/live/"))
    looks.inspect(page, "403")


def test_not_found(looked_at: Site, page: Page) -> None:
    looked_at.complaints.expect("404")
    page.goto(looked_at.url("/nothing/"))
    looks.inspect(page, "404")


def test_camera_refused(looked_at: Site, video: Path) -> None:
    page = looked_at.page_of("admin", video, arguments=["--deny-permission-prompts"])
    page.goto(looked_at.url("/live/"))
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("heading", name="The browser does not allow the camera")).to_be_visible()
    looks.inspect(page, "live-camera-refused")


@pytest.mark.parametrize("theme", THEMES)
def test_an_admin_page_is_loaded_in_the_theme_that_the_browser_prefers(
    theme: Theme, looked_at: Site, page: Page
) -> None:
    page.emulate_media(color_scheme=theme)
    page.goto(looked_at.url("/admin/"))
    expect(page.locator("html.dark" if theme == "dark" else "html:not(.dark):not([x-cloak])")).to_have_count(1)
