"""Documents come in, are looked into, pinned, and removed, all in the browser."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import PATIENCE, assert_for_everybody, picture

pytestmark = pytest.mark.browser

_FILES = 800


@pytest.fixture
def library(page: Page, chat: str) -> Page:
    page.goto(f"{chat}/library")
    expect(page.get_by_text("Search inside")).to_be_visible()  # the page is whole
    page.get_by_text("Add documents").click()
    return page


def into(page: Page, collection: str) -> None:
    page.get_by_label("Into the collection").fill(collection)
    page.get_by_label("Into the collection").press("Enter")
    page.wait_for_timeout(2000)  # the page is drawn anew


def choose_collection(page: Page, name: str) -> None:
    page.get_by_role("combobox", name="Collection", exact=True).click()
    page.get_by_role("option", name=name).click()


def test_a_file_is_uploaded_looked_into_and_removed(library: Page, tmp_path: Path) -> None:
    file = tmp_path / "signal-book.md"
    file.write_text("# Signals\n\nThree red flags mean that the ferry does not sail today.\n")
    into(library, "uploaded")
    library.get_by_role("tab", name="Upload").click()
    library.locator('input[type="file"]').set_input_files(file)
    library.get_by_role("button", name="Read 1 file").click()
    expect(library.get_by_text("1 indexed")).to_be_visible(timeout=PATIENCE)
    choose_collection(library, "uploaded")
    expect(library.get_by_text("1 listed.")).to_be_visible()
    expect(library.get_by_test_id("stDataFrame")).to_have_count(1)  # that of the collection before is gone
    library.get_by_test_id("stDataFrame").click(position={"x": 18, "y": 52})
    expect(library.get_by_text("Chunks of signal-book.md")).to_be_visible()
    expect(library.get_by_text("Three red flags mean")).to_be_visible()
    assert_for_everybody(library)
    library.get_by_role("button", name="Remove", exact=True).click()
    library.get_by_role("button", name="Forget 1").click()
    expect(library.get_by_text("Three red flags mean")).to_have_count(0)


def test_a_folder_is_read_and_stopped_half_way(library: Page, tmp_path: Path) -> None:
    for number in range(_FILES):
        text = "\n\n".join(f"In week {number}.{day} the keeper wrote {day * 7} letters. " * 9 for day in range(5))
        (tmp_path / f"week{number:03}.txt").write_text(text)
    into(library, "weeks")
    library.get_by_label("Path of a folder or file").fill(str(tmp_path))
    library.get_by_role("button", name="Add", exact=True).click()
    live = library.locator(".transom-ingest")
    expect(live).to_contain_text(re.compile(rf"of {_FILES} files · [1-9]\d* chunks"), timeout=PATIENCE)
    picture(library, "library")
    library.get_by_role("button", name="Stop reading").click()
    stopped = library.get_by_text(re.compile(r"Stopped at \d+ files\. What was read is kept\."))
    expect(stopped).to_be_visible(timeout=PATIENCE)
    assert int(re.findall(r"\d+", stopped.inner_text())[0]) < _FILES


def choose_pins(page: Page, *names: str) -> None:
    page.locator(".st-key-pins button").first.click()
    for name in names:
        page.get_by_role("combobox", name="In the window from the start").fill(name)
        page.get_by_role("option", name=name).click()
    page.keyboard.press("Tab")


def test_a_document_is_pinned_beside_the_meter_and_unpinned(page: Page) -> None:
    choose_pins(page, "tides/tide-notes.md")
    page.get_by_role("button", name="Read them now").click()
    expect(page.get_by_role("button", name="1 pinned")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".transom-window li").filter(has_text="Pinned")).to_be_visible()
    picture(page, "pinned")
    page.reload()
    page.get_by_role("button", name="1 pinned").click()
    page.get_by_label("Clear all").click()
    page.get_by_role("button", name="Unpin").click()
    expect(page.get_by_role("button", name="Pin documents")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".transom-window li").filter(has_text="Pinned")).to_have_count(0)


def test_reading_what_is_pinned_can_be_stopped(page: Page) -> None:
    choose_pins(page, "keepers-handbook.pdf")
    page.get_by_role("button", name="Read them now").click()
    expect(page.get_by_text(re.compile(r"Reading: [\d,]+ of"))).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text(re.compile(r"Reading: [\d,]+ of"))).to_have_count(0, timeout=PATIENCE)
    page.get_by_label("Clear all").click()
    page.get_by_role("button", name="Unpin").click()
    expect(page.get_by_role("button", name="Pin documents")).to_be_visible(timeout=PATIENCE)
