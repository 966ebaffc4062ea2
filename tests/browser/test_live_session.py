"""An open live page while the world around it changes: policy, account, server, camera."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser import live_page, people
from tests.browser.conftest import another_installation
from tests.browser.people import ASTRONAUT
from tests.browser.site import Account, Browsers, Site

pytestmark = pytest.mark.browser

ENDS_WITHIN_MS = 15_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faces")


@pytest.fixture(scope="module")
def video(folder: Path) -> Path:
    return people.astronaut_video(folder)


@pytest.fixture(scope="module")
def shared_installation(browsers: Browsers, prepared_state: Path) -> Iterator[Site]:
    """One for these tests alone, because one of them kills its server."""
    with another_installation(browsers, prepared_state) as running:
        yield running


@pytest.fixture(scope="module")
def enrolled(shared_installation: Site, folder: Path) -> Site:
    """The astronaut is enrolled, and there are operators beside the administrator."""
    page = shared_installation.page_of()
    shared_installation.enrol(page, ASTRONAUT, [people.astronaut_photo(folder)])
    page.context.close()
    shared_installation.add_users(
        Account("operator", ("use_live",)),
        Account("leaver", ("use_live",)),
        Account("approver", ("view_thresholdpolicy", "approve_thresholdpolicy"), is_staff=True),
    )
    return shared_installation


def test_a_policy_changed_in_the_admin_is_felt_by_an_open_page(enrolled: Site, shared_site: Site, video: Path) -> None:
    live = shared_site.page_of("operator", video)
    live_page.start(shared_site, live)
    live_page.expect_in_view(live, ASTRONAUT)

    proposing = shared_site.page_of()
    proposing.goto(shared_site.url("/admin/recognition/thresholdpolicy/add/"))
    proposing.get_by_label("Identification threshold").fill("0.99")
    proposing.get_by_label("Reason for the change").fill("a test")
    proposing.get_by_role("button", name="Save", exact=True).click()
    expect(proposing.get_by_text("It decides nothing until it is approved.")).to_be_visible()
    expect(proposing.get_by_text("another person must approve it")).to_be_visible()
    expect(proposing.get_by_role("button", name="Approve", exact=True)).to_have_count(0)

    approving = shared_site.page_of("approver")
    approving.goto(shared_site.url("/admin/"))
    approving.get_by_role("link", name="Look at it").click()
    approving.get_by_role("link", name="2", exact=True).click()
    row = approving.get_by_role("row", name="Identification threshold")
    expect(row.get_by_role("cell").last).to_have_text("0.99")
    approving.get_by_role("button", name="Approve", exact=True).click()
    expect(approving.get_by_text("open live pages follow within seconds")).to_be_visible()
    live_page.expect_in_view(live, "Unknown")

    approving.goto(shared_site.url("/admin/recognition/thresholdpolicy/"))
    approving.get_by_role("link", name="1", exact=True).click()
    approving.get_by_text("Return to this version").click()
    approving.get_by_role("button", name="Yes, return to it now").click()
    expect(approving.get_by_text("Version 3 decides from now on")).to_be_visible()
    live_page.expect_in_view(live, ASTRONAUT)


def test_logging_out_in_another_tab_ends_the_view(enrolled: Site, shared_site: Site, video: Path) -> None:
    live = shared_site.page_of("operator", video)
    shared_site.forget_log_in("operator")
    live_page.start(shared_site, live)
    other = live.context.new_page()
    other.goto(shared_site.url("/accounts/login/?next=/"))
    other.get_by_role("button", name="Log out").click()
    expect(other.get_by_role("heading", name="Log in")).to_be_visible()
    expect(live.get_by_role("heading", name="You are logged out")).to_be_visible(timeout=ENDS_WITHIN_MS)
    live_page.expect_state(live, "error")


def test_a_deactivated_user_is_shown_nothing_more(enrolled: Site, shared_site: Site, video: Path) -> None:
    live = shared_site.page_of("leaver", video)
    live_page.start(shared_site, live)
    admin = shared_site.page_of()
    admin.goto(shared_site.url("/admin/auth/user/?q=leaver"))
    admin.get_by_role("link", name="leaver").click()
    admin.get_by_label("Active").uncheck()
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(admin.get_by_text("was changed successfully")).to_be_visible()
    expect(live.get_by_role("heading", name="You are logged out")).to_be_visible(timeout=ENDS_WITHIN_MS)
    expect(live.locator("#in-view .face")).to_have_count(0)


def test_the_page_comes_back_by_itself_after_the_server_was_killed(
    enrolled: Site, shared_site: Site, video: Path
) -> None:
    live = shared_site.page_of("operator", video)
    live_page.start(shared_site, live)
    live_page.expect_in_view(live, ASTRONAUT)
    shared_site.complaints.expect("WebSocket connection to .* failed")
    shared_site.restart_after_kill(
        meanwhile=lambda: expect(live.get_by_role("heading", name="Connection lost")).to_be_visible()
    )
    live_page.expect_state(live, "running")
    live_page.expect_in_view(live, ASTRONAUT)


def test_without_a_camera_the_page_says_so(shared_site: Site) -> None:
    page = shared_site.page_of()
    page.goto(shared_site.url("/live/"))
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("heading", name="No camera found")).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()


def own_address() -> str | None:
    """An address of this machine that is not the loopback's; None where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent; the system only chooses the interface
        except OSError:
            return None
        address: str = probe.getsockname()[0]
    return None if address.startswith("127.") else address


def test_on_an_insecure_page_the_camera_is_explained(own_site: Site) -> None:
    address = own_address()
    if address is None:
        pytest.skip("this machine has no address but the loopback's")
    own_site.restart("--host", "0.0.0.0")
    port = own_site.server.address.rpartition(":")[2]
    own_site.complaints.expect(f"another host was asked: \\w+://{address}:{port}/")
    # The browser says that what only a secure page may ask for is ignored.
    own_site.complaints.expect("Cross-Origin-Opener-Policy header has been ignored")
    page = own_site.open_browser().new_page()
    page.goto(f"http://{address}:{port}/live/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(own_site.password)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="The camera needs a secure page")).to_be_visible()
    expect(page.get_by_text("faceweb up --host 0.0.0.0 --https")).to_be_visible()
