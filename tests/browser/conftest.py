"""A real browser on a real chat: one server for the whole suite, over the examples, with the starter model."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).parents[2]
TRANSOM = str(Path(sys.executable).with_name("transom"))
expect.set_options(timeout=20_000)

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]


def _on_path() -> str | None:
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


def _installed_by_playwright() -> str | None:
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def _install() -> str | None:
    """As root with apt-get, Debian's; else playwright's own."""
    if os.name == "posix" and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-qq"], check=False, capture_output=True)
        subprocess.run(["apt-get", "install", "-y", "-qq", "chromium"], check=False, capture_output=True)
        return _on_path()
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False, capture_output=True)
    return _installed_by_playwright()


@pytest.fixture(scope="session")
def browser_path() -> str:
    path = _on_path() or _installed_by_playwright() or _install()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("There is no browser, and none could be installed.")
        pytest.skip("THE BROWSER TESTS ARE SKIPPED: there is no browser. Install Chromium to run them.")
    return path


@pytest.fixture(scope="session")
def browser(browser_path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def environment(starter_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of the chat, and of every terminal beside it."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("TRANSOM_")}
    home = tmp_path_factory.mktemp("chat")
    # A chat that nobody asks reads ahead, and would take a core from the test that runs meanwhile.
    switched = {"TRANSOM_ANSWERING__READ_AHEAD": "off"}
    return {**outside, "TRANSOM_HOME": str(home), "TRANSOM_MODEL__NAME": str(starter_model), **switched}


@pytest.fixture(scope="session")
def chat(environment: dict[str, str]) -> Iterator[str]:
    """The address of a running chat over the examples."""
    documents = str(ROOT / "examples/documents")
    subprocess.run([TRANSOM, "ingest", documents], env=environment, check=True, capture_output=True)
    with serving(environment) as address:
        yield address


@contextmanager
def serving(environment: dict[str, str], *options: str) -> Iterator[str]:
    """A chat that runs, and its address."""
    with running(environment, *options) as (address, _):
        yield address


@contextmanager
def running(environment: dict[str, str], *options: str) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """A chat that runs: its address and its process, which may be killed."""
    home = Path(environment["TRANSOM_HOME"])
    port = _free_port()
    with (home / "chat.log").open("w") as log:
        command = [TRANSOM, "chat", "--no-open", "--port", str(port), *options]
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            _wait_for(f"http://127.0.0.1:{port}", server, home / "chat.log")
            yield f"http://127.0.0.1:{port}", server
        finally:
            server.terminate()
            server.wait(20)


@pytest.fixture(scope="session")
def empty_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of a chat without a model, which has nothing at the start."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("TRANSOM_")}
    return {**outside, "TRANSOM_HOME": str(tmp_path_factory.mktemp("empty"))}


@contextmanager
def visiting(browser: Browser, address: str, **context: Any) -> Iterator[Page]:
    """A page in a fresh browser session; no request may leave this machine."""
    session = browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **context})
    page = session.new_page()
    page.set_default_timeout(90_000)
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(address)
    yield page
    session.close()
    here = f"http://{urlsplit(address).netloc}/"
    foreign = [url for url in requested if not url.startswith((here, "data:", "blob:"))]
    assert not foreign


@pytest.fixture
def page(browser: Browser, chat: str) -> Iterator[Page]:
    """The chat, ready for a question."""
    with visiting(browser, chat) as page:
        page.get_by_test_id("stChatInput").wait_for()
        yield page


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(address: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(240):
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.25)
    raise AssertionError(f"the chat did not come up: {log.read_text()}")
