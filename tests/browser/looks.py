"""What a page looks like: pictures for people to judge, and what a program can judge itself."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Error, Page, expect

from tests.browser import pictures

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
GRAVE = ("serious", "critical")


# Unfold asks which theme the browser prefers when its page is loaded, or when its own choice changes. A colour on its
# way to another would be judged as if it stayed.
SETTLE_IN_THEME = """async () => {
  const root = document.documentElement;
  if (root.hasAttribute("x-data")) {
    const choice = Alpine.$data(root);
    for (const theme of ["light", "auto"]) {
      choice.adminTheme = theme;
      await Alpine.nextTick();
    }
  }
  const changes = document.getAnimations().filter((animation) => animation instanceof CSSTransition);
  await Promise.allSettled(changes.map((change) => change.finished));
  return root.hasAttribute("x-data")
    ? root.classList.contains("dark")
    : matchMedia("(prefers-color-scheme: dark)").matches;
}"""


ALL_RULES: Mapping[str, Any] = {}
RULES_OF_COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
"""What is left to judge of a page in another theme: nothing but its colours changes."""

# Only what is read of the findings is carried over: each names every rule with its texts.
FIND_BARRIERS = """async (options) => {
  const found = await axe.run(document, { resultTypes: ["violations"], ...options });
  return found.violations.map(({ id, impact, nodes }) => ({
    id, impact, nodes: nodes.map(({ target, html }) => ({ target, html }))
  }));
}"""


def in_themes(page: Page) -> Iterator[Theme]:
    """Shows a page in one theme after the other, as it is now: nothing is loaded anew. Ends in the first one."""
    for theme in THEMES:
        show(page, theme)
        yield theme
    show(page, THEMES[0])


def show(page: Page, theme: Theme) -> None:
    """Shows a page as a browser that prefers this theme does."""
    page.emulate_media(color_scheme=theme)
    assert page.evaluate(SETTLE_IN_THEME) == (theme == "dark")


def inspect(page: Page, name: str) -> None:
    """Has a page judged as it is now, in both themes, wide and narrow, and takes pictures where they are wanted."""
    page.wait_for_load_state()
    expect(page.locator("html[x-cloak]")).to_have_count(0)  # Unfold's pages are blank until their scripts have run
    problems = []
    for theme in in_themes(page):
        for size in (DESKTOP, PHONE):
            page.set_viewport_size(size)  # type: ignore[arg-type]  # Playwright's own TypedDict
            pictures.take(page, f"{name}-{size['width']}-{theme}", full_page=True)
            if size is DESKTOP or theme == "light":  # what is arranged for a phone has the same colours
                rules = ALL_RULES if theme == "light" else RULES_OF_COLOURS
                problems += [f"{name}, {size['width']} px, {theme}: {text}" for text in barriers(page, rules)]
        problems += [f"{name}, {PHONE['width']} px, {theme}: {text}" for text in overflow(page) + clipped(page)]
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    assert not problems, "\n".join(problems)


def barriers(page: Page, rules: Mapping[str, Any] = ALL_RULES) -> list[str]:
    """What keeps somebody from using the page, by axe-core's rules; no page and no part of one is left out."""
    if not page.evaluate("() => 'axe' in window"):  # half a megabyte, once for each document
        page.evaluate(AXE_SCRIPT)
    violations: list[dict[str, Any]] = page.evaluate(FIND_BARRIERS, rules)
    return [
        f"{violation['id']}: {node['target']} {node['html'][:200]}"
        for violation in violations
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
    ]


def clipped(page: Page) -> list[str]:
    """Values of a list that lose a part of their text."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("#result_list :is(td, th)")]
             .filter((cell) => cell.scrollHeight > cell.clientHeight || cell.scrollWidth > cell.clientWidth)
             .map((cell) => `cut off: ${cell.className.split(" ")[0]} "${cell.textContent.trim()}"`)"""
    )
    return found[:5]


FITS = "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"
SETTLES_WITHIN_MS = 3_000
"""Charts are drawn anew for a new width in one of the next frames; a page that is too wide stays so."""


def overflow(page: Page) -> list[str]:
    """Elements that make the page scroll sideways, once what follows the size of the window has followed."""
    with contextlib.suppress(Error):
        page.wait_for_function(FITS, timeout=SETTLES_WITHIN_MS)
        return []
    wide: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("body *")]
             .filter((element) => element.getBoundingClientRect().right > document.documentElement.clientWidth)
             .map((element) => `wider than the page: <${element.tagName} class="${element.className}">`)"""
    )
    return wide[:5] or ["the page scrolls sideways"]
