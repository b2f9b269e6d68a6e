"""Ingests in the background: seen, stopped, told how they ended."""

import time
from collections.abc import Callable, Iterator
from threading import Event as Flag

import pytest

from app import turns as turns_module
from app.ingesting import Ingests, StoppedError
from ingest.errors import UsageError
from ingest.events import Event, Failed, Finished, Removed

DONE = Finished(3, 2, 0, 0, 1, 3, 9, 9, 1.0)
BAD = Failed("bad.pdf", "It is locked.", "")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns_module, "_PATIENCE", 0.02)


def wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


class Endless:
    """An ingest that goes on until somebody stops it."""

    def __init__(self) -> None:
        self.stopped = Flag()

    def __call__(self) -> Iterator[Event]:
        try:
            while True:
                time.sleep(0.005)
                yield Removed("a.txt")
        finally:
            self.stopped.set()


def test_how_an_ingest_ended_can_be_seen() -> None:
    ingests = Ingests()
    ingests.start(lambda: iter([BAD, DONE]))
    wait(lambda: ingests.ended == 1)
    assert ingests.last
    assert (ingests.last.finished, list(ingests.last.failures), ingests.last.complete) == (DONE, [BAD], True)
    assert ingests.running is None


def test_what_runs_is_stopped_from_outside_and_the_next_one_begins() -> None:
    ingests, endless = Ingests(), Endless()
    ingests.start(endless)
    wait(lambda: ingests.running is not None)
    ingests.start(lambda: iter([DONE]))
    wait(lambda: ingests.waiting == 1)
    ingests.stop()
    wait(lambda: ingests.ended == 2)
    assert endless.stopped.is_set()
    assert ingests.last
    assert ingests.last.finished == DONE


def test_somebody_elses_ingest_that_is_stopped_says_so() -> None:
    ingests, endless = Ingests(), Endless()
    events = ingests.run(endless)
    next(events)
    ingests.stop()
    with pytest.raises(StoppedError, match="stopped in the chat"):
        list(events)
    assert ingests.last
    assert isinstance(ingests.last.error, StoppedError)
    assert not ingests.last.complete


def test_errors_stay_to_be_told(capfd: pytest.CaptureFixture[str]) -> None:
    def refused() -> Iterator[Event]:
        raise UsageError("There is no folder.", "Check it.")

    def broken() -> Iterator[Event]:
        raise ZeroDivisionError
        yield

    for begin, message in ((refused, "There is no folder."), (broken, "ZeroDivisionError")):
        ingests = Ingests()
        ingests.start(begin)
        wait(lambda: ingests.ended == 1)  # noqa: B023
        assert ingests.last
        assert ingests.last.error
        assert message in ingests.last.error.message
    assert not capfd.readouterr().err


def test_closing_ends_what_runs_and_what_waits() -> None:
    ingests, endless, second = Ingests(), Endless(), Endless()
    ingests.start(endless)
    wait(lambda: ingests.running is not None)
    ingests.start(second)
    wait(lambda: ingests.waiting == 1)
    ingests.close()
    assert ingests.ended == 2
    assert endless.stopped.is_set()
