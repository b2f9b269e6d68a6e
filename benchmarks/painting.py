"""How soon is the first word on the screen? `python -m benchmarks.painting [--times 5] [--json]`

Starts a chat over examples/documents with the model of the settings, in a home of its own, and asks in a real browser
(Chromium, from the PATH or Playwright's). Measured in the page: from the click on "send" to the frame in which the
first word of the answer is painted, less the engine's own time to its first token, as the answer's record has it;
while the answer is written, the tasks that hold the page up for more than 50 ms, how long a key that is pressed and a
turn of the mouse's wheel take until they are painted, and whether the page stays where somebody scrolled up to. The
last line is JSON: `paint_ms_p50`, `paint_ms_max`, `long_tasks`, `longest_task_ms`, `key_ms_p50`, `key_ms_max`,
`wheel_ms_p50`, `wheel_ms_max`, `scrolled` (answers with something to scroll), `pulled_back` (of them).
"""

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # run as a file, the folder of this one would come first

from playwright.sync_api import Page, expect, sync_playwright

from app.conversations import Conversations
from app.models.resolve import resolve
from app.settings import Settings

DOCUMENTS = Path(__file__).parents[1] / "examples" / "documents"
TRANSOM = str(Path(sys.executable).with_name("transom"))
QUESTIONS = (
    "When was the tower first lit?",
    "How many steps does the tower have?",
    "What does an adult pay to climb the tower?",
    "What must a duty keeper do in the evening?",
    "How is the fog signal sounded?",
)
TYPED = "meanwhile somebody types"
_PATIENCE = 300_000
"""Milliseconds for an answer."""

_PROBE = """
(messages) => {
  const probe = window.probe = { started: 0, painted: 0, tasks: [], keys: [], wheel: [] };
  const painted = (kind) => (event) => {
    const done = () => probe[kind].push(performance.now() - event.timeStamp);
    requestAnimationFrame(() => requestAnimationFrame(done));
  };
  const text = '[data-testid="stMarkdownContainer"] p';
  document.addEventListener("click", () => { probe.started ||= performance.now(); }, { capture: true, once: true });
  document.addEventListener("keydown", painted("keys"), { capture: true });
  document.addEventListener("wheel", painted("wheel"), { capture: true, passive: true });
  new PerformanceObserver((list) => probe.tasks.push(...list.getEntries().map((each) => each.duration)))
    .observe({ type: "longtask" });
  new MutationObserver((_, observer) => {
    const answer = document.querySelectorAll('[data-testid="stChatMessage"]')[messages - 1];
    const said = [...(answer?.querySelectorAll(text) ?? [])];
    if (!said.some((each) => !each.closest('[data-testid="stExpander"], button') && each.innerText.trim())) return;
    observer.disconnect();
    requestAnimationFrame(() => { probe.painted = performance.now(); });
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}
"""

_PLACE = """
() => {
  let box = document.querySelector('[data-testid="stChatMessage"]');
  while (box && !(box.scrollHeight > box.clientHeight && /auto|scroll/.test(getComputedStyle(box).overflowY)))
    box = box.parentElement;
  return box ? box.scrollTop : 0;
}
"""


@contextmanager
def chat(home: Path) -> Iterator[str]:
    """A chat over the examples, and its address."""
    settings = Settings.load()
    model = str(resolve(settings.model.name, settings.models_folder).path)
    environment = {**os.environ, "TRANSOM_HOME": str(home), "TRANSOM_MODEL__NAME": model}
    subprocess.run([TRANSOM, "ingest", str(DOCUMENTS)], env=environment, check=True, capture_output=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    with subprocess.Popen([TRANSOM, "chat", "--no-open", "--port", port], env=environment, stdout=sys.stderr) as server:
        try:
            _wait_for(f"http://127.0.0.1:{port}/_stcore/health")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def ask(page: Page, number: int, question: str) -> dict[str, Any]:
    """Asks, types while the answer is written, and gives what the page measured."""
    page.reload()  # what listened before is gone
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(question)
    page.wait_for_timeout(1500)
    page.evaluate(_PROBE, 2 * number)
    page.get_by_test_id("stChatInputSubmitButton").click()
    page.wait_for_function("window.probe.painted", timeout=_PATIENCE, polling=100)
    bottom: float = page.evaluate(_PLACE)
    place = scroll_up(page)
    box.press_sequentially(TYPED, delay=60)
    expect(page.get_by_text(re.compile(r"^Answered in"))).to_have_count(number, timeout=_PATIENCE)
    found: dict[str, Any] = page.evaluate("window.probe")
    return found | {"scrolled": place < bottom, "pulled_back": page.evaluate(_PLACE) > place}


def scroll_up(page: Page) -> float:
    """Turns the wheel a few times; gives the place where the page is then, in pixels from its top."""
    page.mouse.move(640, 300)
    for _ in range(8):
        page.mouse.wheel(0, -30)
        page.wait_for_timeout(50)
    place: float = page.evaluate(_PLACE)
    return place


def measure(home: Path, times: int) -> dict[str, float]:
    """Asks so many questions in one conversation."""
    extra, found = [], []
    with chat(home) as address, sync_playwright() as playwright:
        path = shutil.which("chromium") or playwright.chromium.executable_path
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 600})
        page.goto(address)
        page.get_by_test_id("stChatInput").wait_for(timeout=_PATIENCE)
        for number, question in enumerate(QUESTIONS[:times], 1):
            found.append(ask(page, number, question))
            kept = Conversations(home).get(page.url.rpartition("=")[2])
            assert kept
            answer = kept.exchanges[-1].answer
            assert answer
            engine = 1000 * sum(took for step, took in answer.timings.items() if step not in ("generate", "cite"))
            extra.append(found[-1]["painted"] - found[-1]["started"] - engine)
            print(f"{question} {engine:.0f} ms + {extra[-1]:.0f} ms", flush=True)
        browser.close()
    tasks, keys, wheel = ([took for each in found for took in each[kind]] for kind in ("tasks", "keys", "wheel"))
    scrolled = [each for each in found if each["scrolled"]]
    return {
        "paint_ms_p50": round(median(extra)),
        "paint_ms_max": round(max(extra)),
        "long_tasks": len(tasks),
        "longest_task_ms": round(max(tasks, default=0)),
        "key_ms_p50": round(median(keys)),
        "key_ms_max": round(max(keys)),
        "wheel_ms_p50": round(median(wheel)),
        "wheel_ms_max": round(max(wheel)),
        "scrolled": len(scrolled),
        "pulled_back": sum(each["pulled_back"] for each in scrolled),
    }


def main() -> None:
    """Measures, and prints a line for each question and one of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=len(QUESTIONS), choices=range(1, len(QUESTIONS) + 1))
    parser.add_argument("--json", action="store_true", help="for those who read the last line only")
    options = parser.parse_args()
    with TemporaryDirectory() as home:
        print(json.dumps(measure(Path(home), options.times)))


def _wait_for(address: str) -> None:
    for _ in range(240):
        with suppress(OSError), urllib.request.urlopen(address, timeout=2):
            return
        time.sleep(0.25)
    raise SystemExit("The chat did not come up.")


if __name__ == "__main__":
    main()
