"""Who sees what: nobody without rights gets in, and an operator sees the live page alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.site import Account, Site

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def installation(shared_installation: Site) -> Site:
    """With a user without rights, and an operator."""
    shared_installation.add_users(
        Account("nobody"),
        Account("operator", ("use_live",)),
        Account("auditor", ("view_recognitionevent",), is_staff=True),
    )
    return shared_installation


@pytest.mark.parametrize(
    ("path", "permission"),
    [("/live/", "Can use the live recognition page"), ("/search/", "Can search the gallery by photo")],
)
def test_a_user_without_rights_is_told_which_one_is_missing(
    path: str, permission: str, installation: Site, shared_site: Site
) -> None:
    shared_site.complaints.expect("403")
    page = shared_site.page_of("nobody")
    page.goto(shared_site.url(path))
    expect(page.get_by_role("heading", name="You may not open this page")).to_be_visible()
    expect(page.get_by_text(permission)).to_be_visible()
    expect(page.get_by_role("navigation").get_by_role("link")).to_have_count(0)
    page.goto(shared_site.url("/admin/"))
    assert "/login/" in page.url


def test_an_operator_sees_the_live_page_alone(installation: Site, shared_site: Site) -> None:
    shared_site.complaints.expect("403")
    page = shared_site.page_of("operator")
    page.goto(shared_site.url("/live/"))
    expect(page.get_by_role("heading", name="Live")).to_be_visible()
    expect(page.get_by_role("navigation").get_by_role("link")).to_have_text(["Live"])
    page.goto(shared_site.url("/search/"))
    expect(page.get_by_role("heading", name="You may not open this page")).to_be_visible()


def test_an_auditor_finds_in_the_admin_what_they_may_see_alone(installation: Site, shared_site: Site) -> None:
    page = shared_site.page_of("auditor")
    page.goto(shared_site.url("/admin/"))
    expect(page.locator("#nav-sidebar-apps").get_by_role("link")).to_contain_text(["Recognition events"])
    expect(page.locator("#nav-sidebar-apps h2:visible")).to_have_text(["Audit"])
    expect(page.get_by_role("heading", name="Decisions", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="Model pack")).to_have_count(0)
