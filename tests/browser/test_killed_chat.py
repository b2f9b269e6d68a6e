"""A chat whose process is killed in the middle of an answer, and begun again."""

import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import ROOT, TRANSOM, running, visiting
from tests.browser.steps import ask, name_of, wait_for_answer

pytestmark = pytest.mark.browser

_DOCUMENT = ROOT / "examples/documents/walled-garden.html"
_QUESTION = "Who may visit the walled garden?"


@pytest.fixture
def home(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The environment of a chat over one document."""
    own = {**environment, "TRANSOM_HOME": str(tmp_path)}
    subprocess.run([TRANSOM, "ingest", str(_DOCUMENT)], env=own, check=True, capture_output=True)
    return own


def test_a_chat_that_is_killed_keeps_the_question_and_answers_again(browser: Browser, home: dict[str, str]) -> None:
    with running(home) as (address, process), visiting(browser, address) as page:
        ask(page, _QUESTION)
        name = name_of(page)
        expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
        process.kill()
        process.wait()
    with running(home) as (address, _), visiting(browser, f"{address}/?conversation={name}") as page:
        expect(page.get_by_test_id("stChatMessage").first).to_contain_text(_QUESTION)
        expect(page.get_by_text("Stopped after")).to_be_visible()
        page.get_by_role("button", name="Ask again").click()
        wait_for_answer(page)
        expect(page.get_by_text("Answered in")).to_have_count(1)
