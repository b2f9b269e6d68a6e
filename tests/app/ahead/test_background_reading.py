"""The owner reads while nothing else happens, and makes room at once."""

import errno
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Event as Flag
from typing import Any

import pytest

from app.ahead.background import Background
from app.ahead.tidying import outdated
from app.assistant import Assistant
from app.holdings import removal
from app.ingesting import Ingests
from app.llm.passages import Trial
from app.llm.sampling import Sampling
from app.llm.spare import LlamaSpare
from app.settings import Settings
from app.shared import Shared
from app.turns import Turns
from ingest.errors import TransomError, UsageError
from ingest.events import Event
from ingest.library import Library
from tests.app.ahead.conftest import write_paper


class Owner:
    """A background reader with what it makes room for."""

    def __init__(self, assistant: Assistant, quiet: float) -> None:
        self.turns, self.ingests = Turns(), Ingests()
        self.assistant: Assistant | None = assistant
        self.ahead = Background(
            lambda: self.assistant.reader if self.assistant else None, self.turns, self.ingests, quiet
        )

    @property
    def read(self) -> int:
        assert self.assistant
        return self.assistant.reader.read_before("documents")


@pytest.fixture
def owner(assistant: Assistant) -> Iterator[Callable[..., Owner]]:
    with ExitStack() as stack:

        def begin(quiet: float = 0.0) -> Owner:
            owner = Owner(assistant, quiet)
            stack.callback(owner.ahead.close)
            return owner

        yield begin


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When each batch began; each takes a twentieth of a second."""
    begun: list[float] = []
    decode = LlamaSpare.decode

    def slowly(self: LlamaSpare, tokens: Any) -> None:
        begun.append(time.monotonic())
        time.sleep(0.05)
        decode(self, tokens)

    monkeypatch.setattr(LlamaSpare, "decode", slowly)
    return begun


def nothing() -> Iterator[Event]:
    yield from ()


def wait(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def total(library: Library) -> int:
    return sum(entry.chunks for entry in library.catalogue.entries("documents"))


def test_it_reads_everything_once_and_then_rests(
    owner: Callable[..., Owner], shelf: Library, slow: list[float]
) -> None:
    here = owner()
    here.ahead.begin()
    wait(lambda: here.read == total(shelf) and here.ahead.doing is None)
    batches = len(slow)
    time.sleep(0.6)
    assert len(slow) == batches
    assert here.ahead.trouble is None


def test_it_waits_for_a_quiet_time(owner: Callable[..., Owner], slow: list[float]) -> None:
    here = owner(quiet=1.0)
    begun = time.monotonic()
    here.ahead.begin()
    time.sleep(0.5)
    with here.turns.turn(lambda _: None):
        time.sleep(0.5)
    ended = time.monotonic()
    wait(lambda: slow)
    assert slow[0] - begun > 1.5
    assert slow[0] - ended > 0.7  # what is looked at five times a second is known a fifth of one late


def test_a_question_waits_for_one_batch_at_most(owner: Callable[..., Owner], shelf: Library, slow: list[float]) -> None:
    here = owner()
    here.ahead.begin()
    wait(lambda: len(slow) >= 4)
    for _ in range(3):
        wait(lambda: here.ahead.doing is not None)
        with here.turns.turn(lambda _: None):
            assert here.assistant
            before = len(slow)
            window = list(range(10, 40))
            next(iter(here.assistant.engine.complete(window, 1, Sampling())))
            assert len(slow) <= before + 1
            time.sleep(0.3)
            assert len(slow) <= before + 1  # nor does it begin again before the turn is over
    wait(lambda: here.read == total(shelf))


def test_an_ingest_stops_it_and_what_is_new_is_read_after_it(
    owner: Callable[..., Owner], shelf: Library, papers: Path, slow: list[float]
) -> None:
    here = owner()
    here.ahead.begin()
    wait(lambda: len(slow) >= 4)
    going_on, let_go = Flag(), Flag()

    def ingest() -> Iterator[Event]:
        yield from shelf.ingest([write_paper(papers, 9)], "documents")
        going_on.set()
        assert let_go.wait(30)

    here.ingests.start(ingest)
    assert going_on.wait(30)
    time.sleep(0.2)
    batches = len(slow)
    time.sleep(0.5)
    assert len(slow) == batches
    let_go.set()
    wait(lambda: here.read == total(shelf))
    assert total(shelf) > batches / 3
    before = len(slow)
    write_paper(papers, 9, "was broken")
    here.ingests.start(lambda: shelf.ingest([papers], "documents"))
    wait(lambda: here.ingests.ended == 2)
    wait(lambda: len(slow) > before and here.ahead.doing is None and here.read == total(shelf))
    assert here.assistant
    assert not list(outdated(here.assistant.settings.home, shelf.catalogue))


def test_it_keeps_the_limit(owner: Callable[..., Owner], shelf: Library, home: Path) -> None:
    here = owner()
    assert here.assistant
    assert here.assistant.engine.states
    here.assistant.engine.states.limit = 500_000
    here.ahead.begin()
    wait(lambda: here.read > 0)
    wait(lambda: here.ahead.doing is None)
    time.sleep(0.5)
    assert sum(file.stat().st_size for file in home.glob("passages/*/*/*.state")) <= 500_000
    assert 0 < here.read < total(shelf)


def test_a_full_disk_ends_it_until_the_next_ingest(
    owner: Callable[..., Owner], shelf: Library, slow: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    here = owner()
    with monkeypatch.context() as patched:
        patched.setattr("app.llm.passages.write_state", full)
        here.ahead.begin()
        wait(lambda: here.ahead.trouble)
        assert here.ahead.trouble
        assert "No space left on device" in here.ahead.trouble.message
        batches = len(slow)
        time.sleep(0.6)
        assert len(slow) == batches
    here.ingests.start(nothing)
    wait(lambda: here.read == total(shelf))
    assert here.ahead.trouble is None


def test_on_battery_it_rests_but_does_what_a_person_wants(
    owner: Callable[..., Owner], shelf: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Battery:
        power_plugged = False

    monkeypatch.setattr("psutil.sensors_battery", Battery)
    here = owner()
    here.ahead.begin()
    time.sleep(0.6)
    assert here.read == 0
    job = here.ahead.read_now("documents")
    assert job.over.wait(60)
    assert here.read == total(shelf)


def test_what_a_person_wants_makes_room_for_questions_and_can_be_stopped(
    owner: Callable[..., Owner], shelf: Library, slow: list[float]
) -> None:
    here = owner(quiet=1000.0)
    here.ahead.begin()
    job = here.ahead.read_now("documents")
    with pytest.raises(UsageError, match="is being read ahead already"):
        here.ahead.read_now("documents")
    wait(lambda: len(slow) >= 4)
    with here.turns.turn(lambda _: None):
        wait(lambda: here.ahead.doing is None)
        batches = len(slow)
        time.sleep(0.5)
        assert len(slow) == batches
        assert not job.over.is_set()
    wait(lambda: len(slow) > batches)
    here.ahead.stop()
    assert job.over.wait(10)
    assert 0 < here.read < total(shelf)
    assert job.trouble is None
    again = here.ahead.read_now("documents")
    assert again.over.wait(60)
    assert here.read == total(shelf)


def test_stopped_by_a_person_it_rests_until_the_next_ingest(
    owner: Callable[..., Owner], shelf: Library, slow: list[float]
) -> None:
    here = owner()
    here.ahead.begin()
    wait(lambda: len(slow) >= 4)
    here.ahead.stop()
    wait(lambda: here.ahead.doing is None)
    batches = len(slow)
    time.sleep(0.6)
    assert len(slow) == batches
    here.ingests.start(nothing)
    wait(lambda: here.read == total(shelf))


def test_followed_it_tells_how_far_it_is_and_who_hangs_up_stops_it(
    owner: Callable[..., Owner], shelf: Library, slow: list[float]
) -> None:
    here = owner()
    followed = here.ahead.follow("documents")
    for progress in followed:
        if progress.read and progress.read.passages:
            break
    followed.close()  # type: ignore[attr-defined]
    assert here.ahead.job
    assert here.ahead.job.over.wait(10)
    assert 0 < here.read < total(shelf)
    *_, last = here.ahead.follow("documents")
    assert last.read
    assert last.read.passages == last.read.total == total(shelf)


def test_who_follows_hears_why_it_ended(owner: Callable[..., Owner], slow: list[float]) -> None:
    here = owner()
    followed = here.ahead.follow("documents")
    next(iter(followed))
    here.ahead.stop()
    with pytest.raises(TransomError, match="stopped in the chat"):
        list(followed)
    assert here.assistant
    settings = here.assistant.settings
    careful = settings.model_copy(update={"answering": settings.answering.model_copy(update={"read_ahead": "auto"})})
    engine = here.assistant.engine
    assert engine.states
    engine.states.trial = Trial(0.4, 0.6)
    here.assistant = Assistant(
        careful, here.assistant.model, here.assistant.library, engine, here.assistant.orchestrator
    )
    with pytest.raises(TransomError, match="suffer from reading ahead"):
        list(here.ahead.follow("documents"))


def test_closing_takes_one_batch(owner: Callable[..., Owner], slow: list[float]) -> None:
    here = owner()
    here.ahead.begin()
    wait(lambda: len(slow) >= 4)
    before = len(slow)
    here.ahead.close()
    closed = len(slow)
    assert closed <= before + 1
    time.sleep(0.3)
    assert len(slow) == closed


def test_while_a_model_is_replaced_nothing_is_read(
    owner: Callable[..., Owner], shelf: Library, slow: list[float]
) -> None:
    here = owner()
    here.ahead.begin()
    wait(lambda: here.read > 0)
    with here.ahead.apart():
        assert here.ahead.doing is None
        assert here.ahead.estimate("documents") is None
        batches = len(slow)
        time.sleep(0.4)
        assert len(slow) == batches
    wait(lambda: here.read == total(shelf))


@pytest.fixture
def shared(shelf: Library) -> Iterator[Shared]:
    shared = Shared(lambda: shelf, lambda library: Assistant.open(Settings.load(), library))
    yield shared
    shared.close()


def test_another_model_reads_for_itself(shared: Shared, shelf: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared.ahead, "_quiet", 0.0)
    shared.ahead.begin()
    first = shared.assistant()
    wait(lambda: first.reader.read_before("documents") > 0)
    monkeypatch.setenv("TRANSOM_WINDOW__TOKENS", "3072")
    shared.reload()
    second = shared.assistant()
    assert second.engine is not first.engine
    wait(lambda: second.reader.read_before("documents") == total(shelf))


def test_what_an_ingest_of_the_owner_removes_leaves_no_state(shared: Shared, shelf: Library, home: Path) -> None:
    list(shared.ahead.follow("documents") if shared.assistant() else ())
    gone = next(iter(shelf.catalogue.entries("documents")))
    assert list(home.glob(f"passages/*/{gone.document_id}/*.state"))
    list(shared.ingests.run(lambda: shelf.forget([gone.document_id])))
    assert not list(home.glob(f"passages/*/{gone.document_id}"))
    list(shared.ingests.run(lambda: removal(shelf, "documents")))
    assert not list(home.glob("passages/*/*/"))
