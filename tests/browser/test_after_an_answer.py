"""What is done with a question and its answer; and a browser that is killed while it looks on."""

import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.conversations import Conversations, Kept
from tests.browser.conftest import FLAGS, visiting
from tests.browser.steps import PATIENCE, ask, name_of, settled, wait_for_answer

pytestmark = pytest.mark.browser

_FOREIGN = "Who won the football world cup of 1990?"
"""Answered at once: the model is not asked."""


def kept(environment: dict[str, str], name: str) -> Kept:
    found = Conversations(Path(environment["TRANSOM_HOME"])).get(name)
    assert found
    return found


def test_copied_judged_asked_again_and_edited(browser: Browser, chat: str, environment: dict[str, str]) -> None:
    with visiting(browser, chat, permissions=["clipboard-read", "clipboard-write"]) as page:
        ask(page, _FOREIGN)
        name = name_of(page)
        wait_for_answer(page)
        page.get_by_role("link", name="Copy").click()
        expect(page.locator("a[data-copied]")).to_have_count(1)
        assert page.evaluate("navigator.clipboard.readText()") == "The documents do not answer this."
        page.get_by_role("radio", name="Thumbs down").click()
        page.get_by_label("Why?").fill("It does say so.")
        page.get_by_label("Why?").press("Enter")
        _judged(page, environment, name)
        page.get_by_role("button", name="Ask again").click()
        expect(page.get_by_label("Why?")).to_have_count(0)  # another answer, which nobody has judged
        expect(page.get_by_role("radio", name="Thumbs down")).not_to_be_checked()
        wait_for_answer(page)
        page.get_by_role("button", name="Edit").click()
        page.get_by_label("Ask instead").fill("Who won the world cup of 1994?")
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(page.get_by_test_id("stChatMessage").first).to_contain_text("1994")
        wait_for_answer(page)
    (exchange,) = kept(environment, name).exchanges
    assert (exchange.question, exchange.state) == ("Who won the world cup of 1994?", "answered")


def _judged(page: Page, environment: dict[str, str], name: str) -> None:
    for _ in range(50):
        verdict = kept(environment, name).exchanges[0].verdict
        if verdict and verdict.reason:
            break
        page.wait_for_timeout(200)
    assert verdict
    assert (verdict.good, verdict.reason) == (False, "It does say so.")


def test_a_browser_that_is_killed_leaves_a_whole_conversation(
    browser: Browser, browser_path: str, chat: str, environment: dict[str, str], page: Page, tmp_path: Path
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [browser_path, *FLAGS, "--headless", f"--remote-debugging-port={port}", f"--user-data-dir={tmp_path}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as doomed, ExitStack() as ending:
        ending.callback(doomed.kill)  # else a failure would wait for it for ever
        assert doomed.stderr
        assert any("listening" in line for line in doomed.stderr)
        other = browser.browser_type.connect_over_cdp(f"http://127.0.0.1:{port}").new_page()
        other.goto(chat)
        other.get_by_test_id("stChatInput").wait_for()
        settled(other)
        ask(other, "What must a duty keeper do in the evening?")
        name = name_of(other)
        expect(other.get_by_role("button", name="Stop", exact=True)).to_be_visible()
        ending.close()
    page.goto(f"{chat}/?conversation={name}")
    wait_for_answer(page)
    expect(page.get_by_text("Answered in")).to_have_count(1, timeout=PATIENCE)
    assert [exchange.state for exchange in kept(environment, name).exchanges] == ["answered"]
