"""What a person does in the chat, and how a page is looked at."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.faults import faults

PATIENCE = 240_000
"""Milliseconds for an answer that takes ten seconds: on a busy machine it took over a minute."""
PHONE: ViewportSize = {"width": 390, "height": 844}

_SETTLED = 700
"""Milliseconds until what unfolds has unfolded."""
_LOOKS = 4


def ask(page: Page, question: str) -> None:
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(question)
    box.press("Enter")


def wait_for_answer(page: Page, number: int = 1) -> None:
    outcome = page.get_by_text(re.compile(r"^(Answered in|Stopped after|Not answered)"))
    expect(outcome).to_have_count(number, timeout=PATIENCE)


def name_of(page: Page) -> str:
    """Of the conversation on the page."""
    page.wait_for_url(re.compile(r"conversation=\w+"))
    return page.url.rpartition("=")[2]


def in_light_and_dark(page: Page) -> Iterator[str]:
    """The page in both schemes, which are named."""
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(_SETTLED)
        yield scheme


def settled(page: Page) -> None:
    """Waits until the page's script has run through, if it has one: the login's page has none."""
    expect(page.locator('[data-test-script-state]:not([data-test-script-state="notRunning"])')).to_have_count(0)


def assert_for_everybody(page: Page) -> None:
    """Nothing on it is hard to see, hear or reach, and it scrolls down only."""
    settled(page)
    for scheme in in_light_and_dark(page):
        found = faults(page)
        for _ in range(_LOOKS):  # colours may still be on their way
            if not found:
                break
            page.wait_for_timeout(_SETTLED)
            found = faults(page)
        assert not found, (scheme, found)
    wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wider) <= 0


def picture(page: Page, name: str) -> None:
    """Light and dark, kept where TRANSOM_TEST_PICTURES says; `docs/pictures` were made this way."""
    if folder := os.environ.get("TRANSOM_TEST_PICTURES"):
        for scheme in in_light_and_dark(page):
            page.screenshot(path=Path(folder) / f"{name}-{scheme}.png")
