"""From nothing: no model and no documents; and every page as everybody meets it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import serving, visiting
from tests.browser.steps import PATIENCE, PHONE, assert_for_everybody, picture, settled

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def empty(empty_environment: dict[str, str]) -> Iterator[str]:
    with serving(empty_environment) as address:
        yield address


def test_the_first_page_leads_to_a_model_and_documents(browser: Browser, empty: str) -> None:
    with visiting(browser, empty) as page:
        expect(page.get_by_text("There is no model yet.")).to_be_visible(timeout=PATIENCE)
        expect(page.get_by_role("button", name="Take the examples")).to_be_visible()
        picture(page, "first-run")
        assert_for_everybody(page)
        page.set_viewport_size(PHONE)
        picture(page, "first-run-narrow")
        assert_for_everybody(page)
        page.get_by_role("button", name="Take the examples").click()
        expect(page.get_by_text("14 documents are here.")).to_be_visible(timeout=PATIENCE)
        expect(page.get_by_text("1. A model")).to_be_visible()  # the other half is still to come


@pytest.mark.parametrize("path", ["", "library", "settings"])
def test_every_page_is_for_everybody(page: Page, chat: str, path: str) -> None:
    page.goto(f"{chat}/{path}")
    expect(
        page.get_by_text({"": "Ask a question", "library": "Search inside", "settings": "It fits."}[path])
    ).to_be_visible()
    assert_for_everybody(page)
    page.set_viewport_size(PHONE)
    assert_for_everybody(page)


def test_the_memory_plan_follows_what_is_chosen(page: Page, chat: str) -> None:
    page.goto(f"{chat}/settings")
    plan = page.locator(".transom-plan")
    kv = plan.locator("li").filter(has_text="Window")
    expect(kv).to_be_visible()
    at_first = kv.inner_text()
    page.get_by_label("Window (tokens)", exact=True).fill("16384")
    page.get_by_label("Window (tokens)", exact=True).press("Enter")
    expect(kv).not_to_have_text(at_first)
    settled(page)
    larger = kv.inner_text()
    page.get_by_role("combobox", name="Kept as").fill("q8_0")
    expect(page.get_by_role("option", name="q8_0")).to_be_visible()
    page.get_by_role("combobox", name="Kept as").press("Enter")
    expect(kv).not_to_have_text(larger)
    plan.scroll_into_view_if_needed()
    picture(page, "memory-plan")
