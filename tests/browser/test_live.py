"""The main job: people enrolled from some photos are named live from others, and strangers are not."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
from playwright.sync_api import Page, expect

from tests import shared_data
from tests.browser import camera, pictures
from tests.browser.site import Site
from tests.shared_data import lfw_photo

pytestmark = [pytest.mark.browser, shared_data.needed]

# Name -> photos to enrol; the video shows another one.
ENROLLED = {
    "Wu Yi": [("Wu_Yi", 1), ("Wu_Yi", 2)],
    "Sonia Gandhi": [("Sonia_Gandhi", 1), ("Sonia_Gandhi", 2)],
    "Clint Eastwood": [("Clint_Eastwood", 3), ("Clint_Eastwood", 5)],
    "Cesar Gaviria": [("Cesar_Gaviria", 2), ("Cesar_Gaviria", 4)],
}
SHOWN = {
    "Wu Yi": ("Wu_Yi", 3),
    "Sonia Gandhi": ("Sonia_Gandhi", 3),
    "Clint Eastwood": ("Clint_Eastwood", 6),
    "Cesar Gaviria": ("Cesar_Gaviria", 7),
}
STRANGERS = [("Queen_Sofia", 1), ("George_Robertson", 12)]


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each scene has two people: a known and a stranger, or two known."""
    shown = {name: cv2.imread(str(lfw_photo(*photo))) for name, photo in SHOWN.items()}
    strangers = [cv2.imread(str(lfw_photo(*photo))) for photo in STRANGERS]
    scenes = [
        [shown["Wu Yi"], strangers[0]],
        [shown["Clint Eastwood"], shown["Sonia Gandhi"]],
        [strangers[1], shown["Cesar Gaviria"]],
    ]
    target = tmp_path_factory.mktemp("video") / "people.mjpeg"
    return camera.video(target, scenes, seconds_a_scene=3.0)  # type: ignore[arg-type]  # cv2 says Any


@pytest.fixture
def page(shared_site: Site, video: Path) -> Page:
    """An administrator's, in the module's installation without people and events.

    They are removed after the log-in: by then the last frames of an earlier test's page, closed before, are decided.
    """
    page = shared_site.log_in(shared_site.open_browser(video))
    shared_site.shell(
        "from recognition.models import Person, RecognitionEvent; "
        "RecognitionEvent.objects.all().delete(); Person.objects.all().delete()"
    )
    return page


def names_shown(page: Page) -> set[str]:
    return set(page.locator("#decisions [data-state=known] .decision-name").all_inner_texts())


def recorded(site: Site) -> list[dict[str, object]]:
    """The events as the database has them, read by another process."""
    rows = site.read(
        "[[e.decision, e.person.name if e.person else None, e.similarity, len(e.votes), "
        "e.policy.version, e.pack.name, hasattr(e, 'crop')] for e in E.objects.all()]",
        imports="from recognition.models import RecognitionEvent as E",
    )
    keys = ("decision", "person", "similarity", "votes", "policy", "pack", "crop")
    return [dict(zip(keys, row, strict=True)) for row in rows]


def watch_until(page: Page, *, known: set[str], unknown: int) -> None:
    """Starts the camera and waits until so many decisions of each kind are in the strip."""
    page.get_by_role("button", name="Start", exact=True).click()
    for name in known:
        expect(page.locator("#decisions [data-state=known] .decision-name", has_text=name).first).to_be_visible()
    page.wait_for_function(
        "count => document.querySelectorAll('#decisions [data-state=unknown]').length >= count", arg=unknown
    )


def test_people_enrolled_in_the_admin_are_named_live_and_strangers_are_not(shared_site: Site, page: Page) -> None:
    for name, photos in ENROLLED.items():
        shared_site.enrol(page, name, [lfw_photo(*photo) for photo in photos])
    pictures.take(page, "enrol", full_page=True)
    page.goto(shared_site.url("/live/"))

    watch_until(page, known=set(ENROLLED), unknown=2)

    pictures.take(page, "live")
    assert names_shown(page) == set(ENROLLED)
    events = recorded(shared_site)
    accepted = [event for event in events if event["decision"] == "accept"]
    assert {event["person"] for event in accepted} == set(ENROLLED)
    assert all(event["crop"] and event["votes"] >= 3 for event in accepted)  # type: ignore[operator]
    refused = [event for event in events if event["decision"] == "reject_no_match"]
    assert len(refused) >= 2
    assert all(event["person"] is None for event in refused)
    page.goto(shared_site.url("/admin/recognition/recognitionevent/"))
    pictures.take(page, "events", full_page=True)


def test_with_an_empty_gallery_nobody_is_named(shared_site: Site, page: Page) -> None:
    page.goto(shared_site.url("/live/"))

    watch_until(page, known=set(), unknown=6)

    assert names_shown(page) == set()
    assert {event["decision"] for event in recorded(shared_site)} == {"reject_no_match"}


def test_a_person_enrolled_under_another_name_is_shown_with_that_name(shared_site: Site, page: Page) -> None:
    shared_site.enrol(page, "Alias of Wu", [lfw_photo("Wu_Yi", 1)])
    page.goto(shared_site.url("/live/"))

    watch_until(page, known={"Alias of Wu"}, unknown=5)

    assert names_shown(page) == {"Alias of Wu"}
