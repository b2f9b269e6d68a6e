"""What the owner does for others, over a real connection: the same as if they had done it themselves."""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import TypeGuard, cast

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.answers import Event as AnswerEvent
from app.answers import Finished, Fitted, Token, Waiting, Wish, whole
from app.api import routes
from app.assistant import Assistant
from app.errors import ModelError
from app.llm.engine import Engine
from app.llm.sampling import Sampling
from app.models.resolve import ResolvedModel
from app.orchestrator import Orchestrator
from app.pins import Pins
from app.remote import RemoteAssistant
from app.server import _listening
from app.settings import AnsweringSettings, Settings
from app.shared import Shared
from app.wire import answer_event_from_json, answer_event_json
from ingest.embedder import Embedder
from ingest.errors import IndexUnavailableError, TransomError, UsageError
from ingest.events import Event, Progressed, Removed
from ingest.events import Finished as Done
from ingest.index import Where
from ingest.library import Library
from ingest.owner import Owner, Ownership
from ingest.remote import Line, RemoteLibrary, open_library
from tests.fakes import ScriptedRuntime

DOCUMENTS = Where(collection="documents")


class Served:
    """An owner's API on a real socket, and what its clients need to reach it."""

    def __init__(self, shared: Shared, ownership: Ownership | None = None) -> None:
        self.settings = Settings.load()
        self.closing_down = Flag()
        self._socket = _listening("127.0.0.1", 0)
        address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        unknown = Owner(address, "secret", 1, "1", self.settings.model_dump(mode="json"))
        self.owner = ownership.announce(address, self.settings) if ownership else unknown
        self.app = Starlette(routes=routes(shared, self.owner, self.closing_down.is_set))
        self._server = uvicorn.Server(uvicorn.Config(self.app, log_level="warning", timeout_graceful_shutdown=1))
        self._thread = Thread(target=self._server.run, args=([self._socket],))
        self._thread.start()

    def library(self) -> RemoteLibrary:
        return RemoteLibrary(self.settings, self.owner)

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()


Serve = Callable[..., Served]


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:
        yield lambda *parts: stack.enter_context(closing(Served(*parts)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    (folder / "old").mkdir(parents=True)
    (folder / "lamp.md").write_text("# The lamp\n\nIt was lit on 3 May 1871.")
    (folder / "old/gate.txt").write_text("The gate costs 7 pounds on Sundays.")
    return folder


def no_model(_: Library) -> Assistant:
    raise ModelError("There is no model yet.", "Fetch one.")


def counted(events: Sequence[Event]) -> list[Event]:
    """What an ingest did, without its clock."""
    done = [event for event in events if not isinstance(event, Progressed)]
    return [event for event in done if not isinstance(event, Done)]


def said(events: Sequence[AnswerEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, Token))


class Endless:
    """A library whose ingest goes on until somebody stops it."""

    def __init__(self) -> None:
        self.started, self.stopped = Flag(), Flag()
        self.runs = 0

    def ingest(self, *_: object, **__: object) -> Iterator[Event]:
        self.runs += 1
        self.started.set()
        try:
            while True:
                time.sleep(0.05)
                yield Progressed(1, 9, 0.0, None, 3, 0, 1.0, 3.0, None, "a.txt")
        finally:
            self.stopped.set()

    def search(self, *_: object) -> list[object]:
        return []

    def close(self) -> None:
        pass


def test_ingest_search_and_remove_are_as_they_are_here(
    serve: Serve, library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = serve(Shared(lambda: library, no_model))
    monkeypatch.chdir(folder.parent)
    with served.library() as remote:
        first = list(remote.ingest([Path("papers")], "documents"))
        assert {event.document for event in counted(first)} == {"lamp.md", "old/gate.txt"}  # type: ignore[union-attr]
        assert counted(list(remote.ingest([folder], "documents"))) == counted(
            list(library.ingest([folder], "documents"))
        )
        found = remote.search("When was the lamp lit?", 3, DOCUMENTS)
        assert found == library.search("When was the lamp lit?", 3, DOCUMENTS)
        assert found[0].chunk.uri == "lamp.md"
        assert remote.coverage("documents") is None
        assert list(remote.remove([Path("papers/old")], "documents")) == [Removed("old/gate.txt")]
        assert list(remote.remove([Path("lamp.md")], "documents")) == [Removed("lamp.md")]
        list(remote.ingest([folder], "other"))
        remote.remove_collection("other")
        assert remote.catalogue.collections() == {}


def test_errors_are_the_same_too(serve: Serve, library: Library, folder: Path) -> None:
    served = serve(Shared(lambda: library, no_model))
    with served.library() as remote:
        for work in (
            lambda: list(remote.ingest([folder / "nowhere"], "documents")),
            lambda: remote.search(" ", 3, DOCUMENTS),
            lambda: remote.require("documents"),
        ):
            with pytest.raises(UsageError) as error:
                work()
            assert error.value.exit_status == 2
            assert error.value.hint
    with Line(served.owner) as line, pytest.raises(ModelError, match="no model yet"):
        _ = RemoteAssistant(line).notice


def test_what_nobody_foresaw_is_told_as_such(serve: Serve, library: Library, tmp_path: Path) -> None:
    served = serve(Shared(lambda: library, no_model))
    with Line(served.owner) as line, pytest.raises(TransomError, match="KeyError") as error:
        list(line.request("search", query="lamp"))
    report = Path(error.value.hint.split()[-1].rstrip("."))
    assert "Traceback" in report.read_text()
    report.unlink()


def test_a_client_that_goes_away_stops_its_run(serve: Serve) -> None:
    endless = Endless()
    served = serve(Shared(lambda: endless, no_model))  # type: ignore[arg-type, return-value]
    with served.library() as remote:
        events = remote.ingest([Path("x")], "documents")
        assert isinstance(next(events), Progressed)
    del events
    assert endless.stopped.wait(2)


def test_one_ingest_at_a_time_while_search_goes_on(serve: Serve) -> None:
    endless = Endless()
    shared = Shared(lambda: endless, no_model)  # type: ignore[arg-type, return-value]
    served = serve(shared)
    with served.library() as remote, served.library() as other:
        events, waiting = remote.ingest([Path("x")], "documents"), other.ingest([Path("y")], "documents")
        next(events)
        assert shared.ingests.running
        assert shared.ingests.running.progress.total_files == 9
        told = next(waiting)
        assert isinstance(told, Progressed)
        assert told.current == "waiting for another ingest to end"
        assert other.search("lamp", 1, DOCUMENTS) == []
        assert endless.runs == 1
        events.close()  # type: ignore[attr-defined]
        assert any(event.current == "a.txt" for event in waiting if isinstance(event, Progressed))
        assert endless.runs == 2


def test_a_chat_that_is_closed_says_so(serve: Serve) -> None:
    endless = Endless()
    served = serve(Shared(lambda: endless, no_model))  # type: ignore[arg-type, return-value]
    with served.library() as remote:
        events = remote.ingest([Path("x")], "documents")
        next(events)
        served.closing_down.set()
        with pytest.raises(IndexUnavailableError, match="was closed before") as error:
            list(events)
    assert "run the same command again" in error.value.hint
    assert endless.stopped.wait(2)


def test_an_ingest_is_handed_to_an_owner_that_comes_while_it_runs(
    serve: Serve, home: Path, tmp_path: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.library.Embedder", lambda settings: embedder)
    monkeypatch.setattr("ingest.guest._LOOK", 0)
    folder = tmp_path / "logs"
    folder.mkdir()
    for number in range(60):
        (folder / f"{number}.txt").write_text(f"Page {number} of the log says that {number * 3} ships passed.")
    with open_library(Settings.load()) as guest:
        events = guest.ingest([folder], "documents")
        next(events)
        ownership = Ownership.claim(home)
        assert ownership
        with ownership:
            owners = Library(Settings.load())
            shared = Shared(lambda: owners, no_model)
            served = serve(shared, ownership)
            last = list(events)[-1]
            assert isinstance(last, Done)
            assert (last.files, last.failed) == (60, 0)
            assert shared.ingests.ended == 1
            assert owners.index.count(DOCUMENTS) == 60
            list(guest.ingest([folder], "documents"))
            assert shared.ingests.ended == 2
            served.close()
            owners.close()
        assert list(guest.ingest([folder], "documents"))
        assert shared.ingests.ended == 2


def test_what_failed_to_open_is_tried_again(serve: Serve, library: Library) -> None:
    errors = [UsageError("The index is locked.", "Wait.")]

    def opening() -> Library:
        if errors:
            raise errors.pop()
        return library

    shared = Shared(opening, no_model)
    with pytest.raises(UsageError):
        shared._library.result()
    with serve(shared).library() as remote:
        assert remote.search("lamp", 1, DOCUMENTS) == []


def scripted(library: Library) -> Assistant:
    engine = Engine(ScriptedRuntime(["The gate costs 7 pounds on Sundays [1]."] * 2))
    settings = AnsweringSettings(min_confidence=0)
    orchestrator = Orchestrator(library.search, engine, settings, Sampling(), lambda _: 0.25)
    model = ResolvedModel(Path("a.gguf"), None, False, "small")
    return Assistant(Settings.load(), model, library, engine, orchestrator)


def test_who_waits_for_an_answer_hears_where_he_stands_and_may_leave(
    serve: Serve, library: Library, folder: Path
) -> None:
    list(library.ingest([folder], "documents"))
    shared = Shared(lambda: library, scripted)
    served = serve(shared)

    def asked(line: Line) -> Generator[AnswerEvent]:
        return cast(Generator[AnswerEvent], RemoteAssistant(line).stream("What does the gate cost?", DOCUMENTS))

    with Line(served.owner) as first, Line(served.owner) as second, Line(served.owner) as third:
        with shared.turns.turn(lambda _: None):
            waiting, leaving = asked(first), asked(second)
            assert [next(waiting), next(leaving)] == [Waiting(1), Waiting(2)]
            last = asked(third)
            assert next(last) == Waiting(3)
            leaving.close()
            assert Waiting(2) in islice(last, 5)
        assert said(list(waiting)).startswith("The gate costs 7 pounds")
        assert said(list(last)).startswith("The gate costs 7 pounds")


def test_an_answer_comes_over_whole(serve: Serve, library: Library, folder: Path) -> None:
    list(library.ingest([folder], "documents"))
    shared = Shared(lambda: library, scripted)
    with Line(serve(shared).owner) as line:
        remote = RemoteAssistant(line)
        assert remote.notice == "small"
        events = list(remote.stream("What does the gate cost?", DOCUMENTS))
    here = list(shared.assistant().stream("What does the gate cost?", DOCUMENTS))
    assert [event for event in events if isinstance(event, Token)] == [
        event for event in here if isinstance(event, Token)
    ]
    assert isinstance(events[-1], Finished)
    answer, expected = whole(events), whole(here)
    assert (answer.text, answer.citations, answer.passages) == (expected.text, expected.citations, expected.passages)
    assert answer.citations
    assert answer.coverage == 0.25
    for event in here:
        assert answer_event_from_json(answer_event_json(event)) == event


def test_pins_scopes_and_conversations_reach_the_owner(serve: Serve, library: Library, folder: Path) -> None:
    list(library.ingest([folder], "documents"))
    runtime = ScriptedRuntime(["The gate costs 7 pounds on Sundays [1].", "What does it cost on Sundays?", "7 pounds."])

    def scripted(library: Library) -> Assistant:
        engine = Engine(runtime)
        orchestrator = Orchestrator(
            library.search, engine, AnsweringSettings(min_confidence=0), Sampling(), shelf=library
        )
        model = ResolvedModel(Path("a.gguf"), None, False, "")
        return Assistant(Settings.load(), model, library, engine, orchestrator)

    with Line(serve(Shared(lambda: library, scripted)).owner) as line:
        remote = RemoteAssistant(line)
        gate = [entry.document_id for entry in library.catalogue.entries() if entry.uri == "old/gate.txt"]
        read = list(remote.pin(gate, "documents"))
        assert read[-1].done == read[-1].total > 0
        assert Pins(Settings.load().home).of("documents") == gate
        scope = Wish(scope="documents")
        fitted = [event for event in remote.stream("What does it cost?", DOCUMENTS, scope, "gates") if is_fitted(event)]
        assert [event.scope for event in fitted] == ["documents"]
        list(remote.stream("And on Sundays?", DOCUMENTS, named="gates"))
    assert runtime.text().count("The gate costs 7 pounds on Sundays [1].") == 1


def is_fitted(event: AnswerEvent) -> TypeGuard[Fitted]:
    return isinstance(event, Fitted)


def refused(library: Library, client: str = "127.0.0.1", **headers: str) -> int:
    """The status that a request for a search gets; the right one is 200."""
    owner = Owner("http://127.0.0.1:9", "secret", 1, "1", {})
    app = Starlette(routes=routes(Shared(lambda: library, no_model), owner, lambda: False))
    wanted = {"query": "lamp", "limit": 1, "where": {"collection": "documents"}}
    answer = TestClient(app, client=(client, 1)).post("/api/search", json=wanted, headers=headers)
    return int(answer.status_code)


def test_only_who_shows_the_token_on_this_machine_is_let_in(library: Library) -> None:
    right = {"authorization": "Bearer secret"}
    assert refused(library, **right) == 200
    assert refused(library, client="::1", **right) == 200
    assert refused(library, origin="http://testserver", **right) == 200
    assert refused(library) == 401
    assert refused(library, authorization="Bearer wrong") == 401
    assert refused(library, origin="http://evil.example", **right) == 403
    assert refused(library, origin="null", **right) == 403
    assert refused(library, client="192.0.2.7", **right) == 403


def test_a_client_with_a_wrong_token_is_told(serve: Serve, library: Library) -> None:
    served = serve(Shared(lambda: library, no_model))
    stranger = Owner(served.owner.address, "wrong", 1, "1", {})
    with Line(stranger) as line, pytest.raises(IndexUnavailableError, match="401"):
        list(line.request("search", query="lamp"))


def test_an_owner_that_dies_in_the_middle_is_told(serve: Serve) -> None:
    endless = Endless()
    served = serve(Shared(lambda: endless, no_model))  # type: ignore[arg-type, return-value]
    with served.library() as remote:
        events = remote.ingest([Path("x")], "documents")
        next(events)
        served.close()
        with pytest.raises(IndexUnavailableError, match="has ended before it was done"):
            list(events)
