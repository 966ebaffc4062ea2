"""The same way with an InsightFace pack: it decides nothing until it is measured, and recognises afterwards."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import expect

from tests import shared_data
from tests.browser import camera, live_page, pictures
from tests.browser.site import Site
from tests.shared_data import lfw_photo

pytestmark = [pytest.mark.browser, shared_data.needed]

PACK = shared_data.FOLDER / "packs" / "scrfd_mbf"
NAME = "Wu Yi"

# FMR -> threshold and TMR, as `faceweb evaluate pairs --all-pairs` printed them for this pack and these images. To
# measure them here again would take minutes, and with few images the command rightly records nothing.
MEASURED = {1e-3: (0.3432, 0.9803), 1e-4: (0.4129, 0.9586), 1e-5: (0.4729, 0.9063)}
MEASURED_ON = "LFW view 1, all pairs of 4,992 images"


def picture(person: str, number: int) -> NDArray[np.uint8]:
    image: NDArray[np.uint8] = np.asarray(cv2.imread(str(lfw_photo(person, number))), np.uint8)
    return image


def record_measurement(site: Site) -> None:
    points = ", ".join(
        f"OperatingPoint(fmr={fmr}, threshold={threshold}, tmr={tmr})" for fmr, (threshold, tmr) in MEASURED.items()
    )
    site.shell(
        "from recognition.models import ModelPack; from recognition.services import packs; "
        "from recognition.vision.model_packs import OperatingPoint; "
        "packs.record_measurement(pack=ModelPack.objects.get(is_active=True), "
        f"operating_points=({points}), measured_on={MEASURED_ON!r}, actor=None)"
    )


def test_names_nobody_before_it_is_measured_and_the_right_person_after(own_site: Site, tmp_path: Path) -> None:
    status, output = own_site.command_line.run("models", "use", str(PACK))
    assert status == 0, output
    assert "shows similarities and decides nothing" in output
    scene = [picture("Wu_Yi", 3), picture("Queen_Sofia", 1)]
    page = own_site.page_of("admin", camera.video(tmp_path / "people.mjpeg", [scene], seconds_a_scene=4.0))
    own_site.enrol(page, NAME, [lfw_photo("Wu_Yi", 1), lfw_photo("Wu_Yi", 2)])
    page.goto(own_site.url("/admin/"))
    expect(page.get_by_text("has no measured thresholds")).to_be_visible()

    live_page.start(own_site, page)
    expect(page.locator("#notice")).to_contain_text("similarities are shown, but nobody is recognised")
    face = page.locator("#in-view .face", has_text="Not decided").first
    expect(face.locator(".face-detail")).to_contain_text("similarity 0.")
    expect(page.locator("#decisions .decision")).to_have_count(0)

    pictures.take(page, "live-without-thresholds")

    record_measurement(own_site)
    expect(live_page.decision(page, NAME)).to_have_attribute("data-state", "known")
    expect(live_page.decision(page, "Unknown")).to_have_attribute("data-state", "unknown")
    expect(page.locator("#notice")).to_be_hidden()
