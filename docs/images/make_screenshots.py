"""Makes the README's screenshots: a fresh installation, a real Chromium, and one public-domain portrait.

    .venv/bin/python -m docs.images.make_screenshots

Needs Chromium and the test tools (`make setup-test`, then `apt-get install chromium fonts-dejavu-core`). The only
face shown is `skimage.data.astronaut()`, a portrait of Eileen Collins by NASA, in the public domain.
"""

from __future__ import annotations

import contextlib
import io
import math
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright
from skimage import data

from tests.browser import site
from tests.processes import CommandLine

TARGET = Path(__file__).parent
NAME = "Eileen Collins"
PASSWORD = "only-for-a-moment"  # noqa: S105  (of an installation that is thrown away)
ARGUMENTS = (*site.ARGUMENTS, *site.NO_PROMPT, *site.FAKE_CAMERA)
FRAMES_A_SECOND = 30
LIMIT_BYTES = 200_000
SIZE = {"width": 1200, "height": 780}
TIMEOUT_MS = 120_000
SETTLE_MS = 4000
RESULT_SETTLE_MS = 1000  # a kiosk shows its result for four seconds
SWAY_PX = 12
SECONDS = 12  # three whole sways, so that the loop has no jump


def portrait() -> NDArray[np.uint8]:
    """The astronaut's head and shoulders, (400, 400, 3) uint8 in the order blue, green, red."""
    return np.ascontiguousarray(data.astronaut()[0:400, 20:420, ::-1])


def film(target: Path) -> Path:
    """A camera's view of the portrait: it fills the picture and moves a little; a Motion JPEG file that loops."""
    width, height = 640, 480
    scene = cv2.resize(np.ascontiguousarray(data.astronaut()[..., ::-1]), (width + 2 * SWAY_PX, width + 2 * SWAY_PX))
    with target.open("wb") as file:
        for number in range(SECONDS * FRAMES_A_SECOND):
            x = SWAY_PX + round(SWAY_PX * math.sin(2 * math.pi * number / (4 * FRAMES_A_SECOND)))
            _, jpeg = cv2.imencode(".jpg", scene[:height, x : x + width], [cv2.IMWRITE_JPEG_QUALITY, 90])
            file.write(jpeg.tobytes())
    return target


def photos(folder: Path) -> list[Path]:
    """Four to enrol: a good one, the same mirrored, one that is blurred, one too dark; a fifth to search with."""
    picture = portrait()
    made = {
        "portrait.jpg": picture,
        "mirrored-and-dimmed.jpg": np.clip(picture[:, ::-1].astype(np.float32) * 0.7, 0, 255).astype(np.uint8),
        "out-of-focus.jpg": cv2.GaussianBlur(picture, (0, 0), 9),
        "lights-off.jpg": (picture.astype(np.float32) * 0.08).astype(np.uint8),
        "visitor.jpg": cv2.convertScaleAbs(cv2.resize(picture[20:, 10:], (300, 300)), alpha=1.1, beta=10),
    }
    for name, image in made.items():
        cv2.imwrite(str(folder / name), image)
    return [folder / name for name in made]


@contextlib.contextmanager
def logged_in(folder: Path) -> Iterator[tuple[str, Page]]:
    """The address of a fresh installation, and a page that is logged in there; its camera shows the portrait."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("Chromium is not installed: apt-get install chromium")
    video = film(folder / "camera.mjpeg")
    variables = {"FACEWEB_ADMIN_PASSWORD": PASSWORD}
    with CommandLine(folder / "state", variables=variables) as command_line, sync_playwright() as playwright:
        address = command_line.up().address
        context = playwright.chromium.launch_persistent_context(
            folder / "profile",
            executable_path=chromium,
            headless=True,
            viewport=SIZE,
            color_scheme="light",
            args=[*ARGUMENTS, f"--use-file-for-fake-video-capture={video}"],
        )
        context.set_default_timeout(TIMEOUT_MS)
        # Chromium calls its fake camera by the path of the file.
        context.add_init_script("Object.defineProperty(MediaDeviceInfo.prototype, 'label', {get: () => 'Fake camera'})")
        expect.set_options(timeout=TIMEOUT_MS)
        try:
            page = context.new_page()
            page.goto(f"{address}/accounts/login/")
            page.get_by_label("Username").fill("admin")
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Log in").click()
            page.wait_for_url(lambda url: "/accounts/" not in url)
            yield address, page
        finally:
            context.close()


def save(page: Page, name: str, *, height: int | None = None, settle_ms: int = SETTLE_MS) -> None:
    """Writes the visible page as a PNG of at most 256 colours."""
    page.wait_for_timeout(settle_ms)
    shot = page.screenshot(clip={"x": 0, "y": 0, "width": SIZE["width"], "height": height or SIZE["height"]})
    with Image.open(io.BytesIO(shot)) as image:
        image.convert("RGB").quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.FLOYDSTEINBERG).save(
            TARGET / f"{name}.png", optimize=True
        )
    size = (TARGET / f"{name}.png").stat().st_size
    sys.stdout.write(f"{name}.png: {size:,} bytes\n")
    if size > LIMIT_BYTES:
        sys.exit(f"{name}.png is larger than {LIMIT_BYTES:,} bytes")


def kiosk(address: str, page: Page) -> None:
    """Makes a checkpoint, and a picture of its page at the moment of the answer."""
    page.goto(f"{address}/admin/recognition/checkpoint/add/")
    page.get_by_label("Name").fill("North gate")
    page.get_by_label("Place").fill("Ground floor")
    expect(page.get_by_label("Address")).to_have_value("north-gate")  # made of the name when that is left
    page.get_by_label("Admits").select_option("everyone")
    page.get_by_role("button", name="Save", exact=True).click()
    # Stored, before the page is left: leaving it aborts what it sends.
    page.wait_for_url(f"{address}/admin/recognition/checkpoint/")
    page.goto(f"{address}/checkpoint/north-gate/")
    expect(page.get_by_text("Welcome")).to_be_visible()
    save(page, "kiosk", settle_ms=RESULT_SETTLE_MS)


def main() -> None:
    """Makes all of them."""
    with tempfile.TemporaryDirectory(prefix="faceweb-screenshots-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # as root, PostgreSQL runs as another user, who must get in
        files = photos(folder)
        with logged_in(folder) as (address, page):
            page.goto(f"{address}/admin/recognition/person/add/")
            page.get_by_label("Name").fill(NAME)
            page.get_by_role("button", name="Save", exact=True).click()
            page.locator("#id_photos").set_input_files(files[:4])
            page.get_by_role("button", name="Enrol photos").click()
            expect(page.locator("#enrol-results li")).to_have_count(4)
            expect(page.locator("#enrol-results li.is-accepted")).to_have_count(1)
            page.locator("#enrol-results li").last.scroll_into_view_if_needed()
            save(page, "enrol")
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                page.goto(f"{address}/live/")
                page.get_by_role("button", name="Start", exact=True).click()
                expect(page.locator("#decisions [data-state=known]").first).to_be_visible()
                save(page, f"live-{scheme}")
            page.emulate_media(color_scheme="light")
            page.goto(f"{address}/search/")
            page.locator("#photo").set_input_files(files[4])
            page.get_by_role("button", name="Search", exact=True).click()
            expect(page.locator(".candidate").first).to_be_visible()
            save(page, "search")
            page.goto(f"{address}/admin/recognition/recognitionevent/")
            page.locator(".faceweb-log a").first.click()
            page.wait_for_load_state("networkidle")
            save(page, "event", height=690)
            kiosk(address, page)


if __name__ == "__main__":
    main()
