"""Answers that outlive their browser, and conversations that are come back to."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.conversations import Conversations
from tests.browser.steps import PATIENCE, ask, name_of, settled, wait_for_answer

pytestmark = pytest.mark.browser

_PAINTED = """
() => {
  const started = performance.now();
  new MutationObserver((_, observer) => {
    const said = [...document.querySelectorAll('[data-testid="stChatMessage"] [data-testid="stMarkdownContainer"] p')];
    if (!said.some((each) => !each.closest('[data-testid="stExpander"], button') && each.innerText.trim())) return;
    observer.disconnect();
    requestAnimationFrame(() => { window.painted = performance.now() - started; });
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}
"""


def test_a_reload_in_mid_answer_finds_it_where_it_is(page: Page) -> None:
    ask(page, "What must a duty keeper do in the evening?")
    name_of(page)
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    wait_for_answer(page)
    expect(page.get_by_text("Answered in")).to_have_count(1)


def test_a_closed_browser_does_not_end_the_answer_and_another_waits_in_line(
    page: Page, browser: Browser, chat: str, environment: dict[str, str]
) -> None:
    ask(page, "How is the fog signal sounded?")
    name = name_of(page)
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    second = browser.new_context().new_page()
    second.goto(chat)
    second.get_by_test_id("stChatInput").wait_for()
    settled(second)
    ask(second, "When was the tower first lit?")
    expect(second.get_by_text("yours is next").first).to_be_visible(timeout=PATIENCE)
    page.goto("about:blank")
    wait_for_answer(second)
    second.context.close()
    kept = Conversations(Path(environment["TRANSOM_HOME"])).get(name)
    assert kept
    assert [exchange.state for exchange in kept.exchanges] == ["answered"]
    page.goto(f"{chat}/?conversation={name}")
    wait_for_answer(page)


def test_conversations_are_switched_and_esc_stops(page: Page) -> None:
    ask(page, "Who may visit the walled garden?")
    first = name_of(page)
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Stopped after")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="New conversation").click()
    expect(page.get_by_test_id("stChatMessage")).to_have_count(0)
    page.get_by_role("button", name="Who may visit the walled garden?").first.click()
    expect(page.get_by_text("Stopped after")).to_be_visible()
    assert name_of(page) == first


def test_the_first_word_is_painted_as_soon_as_the_model_has_it(page: Page, environment: dict[str, str]) -> None:
    page.get_by_test_id("stChatInputTextArea").fill("When was the tower first lit?")
    page.evaluate(_PAINTED)
    page.get_by_test_id("stChatInputTextArea").press("Enter")
    wait_for_answer(page)
    painted = float(page.evaluate("window.painted")) / 1000
    kept = Conversations(Path(environment["TRANSOM_HOME"])).get(name_of(page))
    assert kept
    answer = kept.exchanges[0].answer
    assert answer
    engine = sum(seconds for step, seconds in answer.timings.items() if step not in ("generate", "cite"))
    print(f"first word painted after {painted:.3f} s, said by the model after {engine:.3f} s")  # noqa: T201
    assert painted - engine < 0.3 + 1.0  # the machine may be busy with other things
