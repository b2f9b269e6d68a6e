"""The download of a model in the background."""

import time
from collections.abc import Callable
from pathlib import Path
from threading import Event as Flag

import pytest

from app.errors import ModelError
from app.models import fetching as fetching_module
from app.models.fetching import Fetching
from app.models.resolve import Progress


def wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


class Hub:
    """Sends a model of a hundred bytes, one by one, as long as it may."""

    def __init__(self) -> None:
        self.go_on, self.asked = Flag(), list[str | None]()
        self.go_on.set()

    def __call__(self, named: str | None, folder: Path, progress: Progress) -> None:
        self.asked.append(named)
        for done in range(20, 101):
            self.go_on.wait(10)
            progress("Gemma", done, 100)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    hub = Hub()
    monkeypatch.setattr(fetching_module, "pull", hub)
    return hub


def test_what_has_come_is_followed_by_what_was_wanted_then(hub: Hub, tmp_path: Path) -> None:
    fetching, done = Fetching(tmp_path), Flag()
    fetching.start("gemma-4-e2b", done.set)
    wait(lambda: fetching.ended == 1)
    assert done.is_set()
    assert hub.asked == ["gemma-4-e2b"]
    assert fetching.last
    assert (fetching.last.complete, fetching.last.done, fetching.last.error) == (True, 100, None)


def test_one_at_a_time_and_it_can_be_stopped(hub: Hub, tmp_path: Path) -> None:
    fetching, done = Fetching(tmp_path), Flag()
    hub.go_on.clear()
    fetching.start("gemma-4-e2b", done.set)
    fetching.start("starter", done.set)
    assert fetching.running
    fetching.stop()
    hub.go_on.set()
    wait(lambda: fetching.ended == 1)
    assert hub.asked == ["gemma-4-e2b"]
    assert not done.is_set()
    assert fetching.last
    assert not fetching.last.complete
    assert fetching.last.error is None


def test_why_it_failed_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise ModelError("The hub cannot be reached.", "Check the connection.")

    monkeypatch.setattr(fetching_module, "pull", refused)
    fetching = Fetching(tmp_path)
    fetching.start("gemma-4-e2b", lambda: None)
    wait(lambda: fetching.ended == 1)
    assert fetching.last
    assert fetching.last.error
    assert fetching.last.error.message == "The hub cannot be reached."


def test_how_long_it_takes_is_reckoned_from_what_came_this_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    fetch = fetching_module.Fetch("gemma-4-e2b")
    assert fetch.seconds_left is None
    fetch.take("Gemma", 60, 100)
    now[0] = 2.0
    fetch.take("Gemma", 70, 100)
    assert fetch.seconds_left == 6.0
