import re
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import TRANSOM
from tests.browser.steps import PATIENCE, PHONE, ask, assert_for_everybody, picture, wait_for_answer

pytestmark = pytest.mark.browser


def test_a_question_is_answered_with_its_source(page: Page) -> None:
    ask(page, "When was the tower first lit?")
    sequence = page.locator(".transom-sequence li")
    expect(sequence.filter(has_text="Vector DB")).to_be_visible()
    expect(sequence.filter(has_text="reading")).to_be_visible()
    wait_for_answer(page)
    expect(sequence.first).not_to_be_visible()
    main = page.get_by_role("main")
    expect(main.locator("p").filter(has_text="9 October 1861").first).to_be_visible()
    main.locator('a[href^="#cite-"]').first.click()
    expect(main.get_by_alt_text("Page 3 of keepers-handbook.pdf")).to_be_visible()
    expect(main.locator(".transom-mark").first).to_be_in_viewport()
    page.set_viewport_size({"width": 1280, "height": 1000})
    picture(page, "source")
    assert_for_everybody(page)
    expect(page.get_by_text("Answered in")).to_have_count(1)  # the page was drawn anew, beside the source
    page.get_by_text("Answered in").click()
    expect(main.get_by_text("Vector DB").first).to_be_visible()
    expect(main.get_by_text("Model").first).to_be_visible()


def test_a_follow_up_is_understood_and_reuses_the_window(page: Page) -> None:
    ask(page, "How many steps does the tower have?")
    wait_for_answer(page)
    ask(page, "And how many did it have when it was built?")
    wait_for_answer(page, 2)
    page.get_by_text("Answered in").last.click()
    reused = page.get_by_text(re.compile(r"read [\d,]+ tokens?, [\d,]+ were in the window")).last
    expect(reused).to_be_visible()
    match = re.search(r", ([\d,]+) were", reused.inner_text())
    assert match
    assert int(match.group(1).replace(",", "")) > 500


def test_what_the_documents_do_not_say(page: Page) -> None:
    ask(page, "Who won the football world cup of 1990?")
    wait_for_answer(page)
    expect(page.get_by_text("The documents do not answer this.").first).to_be_visible()
    expect(page.get_by_role("main").locator("mark")).to_have_count(0)


def test_dollars_are_no_formula(page: Page) -> None:
    ask(page, "Does a flight to Mars cost $5 or $10?")
    wait_for_answer(page)
    expect(page.get_by_text("cost $5 or $10?", exact=False).first).to_be_visible()
    expect(page.locator(".katex")).to_have_count(0)


def test_stop_ends_the_answer_and_the_next_question_works(page: Page) -> None:
    ask(page, "What must a duty keeper do in the evening?")
    page.get_by_role("button", name="Stop").click()
    wait_for_answer(page)
    expect(page.get_by_text("Stopped after")).to_be_visible()
    ask(page, "When was the tower first lit?")
    expect(page.get_by_text("Answered in")).to_be_visible(timeout=PATIENCE)


def test_an_ingest_from_a_second_terminal_is_seen_live(page: Page, environment: dict[str, str], tmp_path: Path) -> None:
    for number in range(80):
        text = "\n\n".join(f"On day {number}.{hour} the keeper saw {hour * 7} ships pass. " * 8 for hour in range(4))
        (tmp_path / f"log{number:02}.txt").write_text(text)
    command = [TRANSOM, "ingest", str(tmp_path), "--collection", "logs"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as terminal:
        live = page.locator(".transom-ingest")
        expect(live).to_contain_text(re.compile(r"\d+ of 80 files · [1-9]\d* chunks"), timeout=PATIENCE)
        expect(live).to_contain_text("log")
        assert terminal.wait(PATIENCE / 1000) == 0
    expect(live).to_have_count(0, timeout=PATIENCE)
    page.get_by_role("combobox", name="Collection").click()
    page.get_by_role("option", name="logs").click()
    expect(page.get_by_text("80 documents")).to_be_visible()


def test_a_phone_shows_answer_and_source_and_scrolls_down_only(page: Page) -> None:
    page.set_viewport_size(PHONE)
    ask(page, "What does an adult pay to climb the tower?")
    wait_for_answer(page)
    assert_for_everybody(page)
    picture(page, "answer-narrow")
    page.get_by_role("main").locator('a[href^="#cite-"]').first.click()
    expect(page.locator(".st-key-reader")).to_be_in_viewport(ratio=0.3)
    expect(page.locator(".st-key-reader .transom-cited, .st-key-reader .transom-mark").first).to_be_in_viewport()
    picture(page, "source-narrow")
    page.get_by_role("button", name="Close").click()
    ask(page, "Who won the football world cup of 1990?")
    wait_for_answer(page, 2)
