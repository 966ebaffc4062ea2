"""What a page looks like: pictures for people to judge, and what a program can judge itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from tests.browser.conftest import SCREENSHOTS

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


# Only what is read of the findings is carried over: each names every rule with its texts.
FIND_BARRIERS = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"] });
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
    """Takes pictures of a page as it is now, in both themes, wide and narrow, and has them judged."""
    page.wait_for_load_state()
    expect(page.locator("html[x-cloak]")).to_have_count(0)  # Unfold's pages are blank until their scripts have run
    problems = []
    for theme in in_themes(page):
        for size in (DESKTOP, PHONE):
            page.set_viewport_size(size)  # type: ignore[arg-type]  # Playwright's own TypedDict
            page.screenshot(path=SCREENSHOTS / f"{name}-{size['width']}-{theme}.png", full_page=True)
            if size is DESKTOP or theme == "light":  # what is arranged for a phone has the same colours
                problems += [f"{name}, {size['width']} px, {theme}: {text}" for text in barriers(page)]
        problems += [f"{name}, {PHONE['width']} px, {theme}: {text}" for text in overflow(page)]
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    assert not problems, "\n".join(problems)


def barriers(page: Page) -> list[str]:
    """What keeps somebody from using the page, by axe-core's rules; no page and no part of one is left out."""
    if not page.evaluate("() => 'axe' in window"):  # half a megabyte, once for each document
        page.evaluate(AXE_SCRIPT)
    violations: list[dict[str, Any]] = page.evaluate(FIND_BARRIERS)
    return [
        f"{violation['id']}: {node['target']} {node['html'][:200]}"
        for violation in violations
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
    ]


def overflow(page: Page) -> list[str]:
    """Elements that make the page scroll sideways."""
    if page.evaluate("() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"):
        return []
    wide: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("body *")]
             .filter((element) => element.getBoundingClientRect().right > document.documentElement.clientWidth)
             .map((element) => `wider than the page: <${element.tagName} class="${element.className}">`)"""
    )
    return wide[:5] or ["the page scrolls sideways"]
