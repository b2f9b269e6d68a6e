"""Pinned documents: read once, and in every window from then on."""

import json
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.answers import Finished
from app.assistant import Assistant
from app.cli import cli
from app.errors import WindowError
from app.llm.engine import Engine
from app.llm.sampling import Sampling
from app.llm.saved import SavedWindows
from app.models.resolve import ResolvedModel
from app.orchestrator import Orchestrator
from app.pins import Pins
from app.settings import AnsweringSettings, Settings
from ingest.embedder import Embedder
from ingest.index import Where
from ingest.library import Library
from tests.fakes import ScriptedRuntime

DOCUMENTS = Where(collection="documents")
BEDS = "The hut has nine beds."


@pytest.fixture
def folder(tmp_path: Path, library: Library) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "hut.md").write_text(f"# The hut\n\n{BEDS}")
    (folder / "boat.md").write_text("# The boat\n\nIt sails on Tuesdays.")
    list(library.ingest([folder], "documents"))
    return folder


def assistant(library: Library, runtime: ScriptedRuntime) -> Assistant:
    settings = Settings.load()
    engine = Engine(runtime, SavedWindows(settings.home / "windows", "scripted", 1 << 30))
    orchestrator = Orchestrator(library.search, engine, AnsweringSettings(min_confidence=0), Sampling(), shelf=library)
    return Assistant(settings, ResolvedModel(Path("a.gguf"), None, False, ""), library, engine, orchestrator)


def the_hut(library: Library) -> list[str]:
    return [entry.document_id for entry in library.catalogue.entries() if entry.uri == "hut.md"]


def test_what_is_pinned_is_read_once_even_by_the_next_process(library: Library, folder: Path) -> None:
    with assistant(library, ScriptedRuntime()) as first:
        read = list(first.pin(the_hut(library), "documents"))
        opening = len(first.begin(DOCUMENTS).ledger.tokens)
    assert read[-1].done == opening
    runtime = ScriptedRuntime([f"{BEDS[:-1]} [1]."])
    with assistant(library, runtime) as second:
        assert [event.total for event in second.pin(the_hut(library), "documents")] == [0]
        *_, finished = second.stream("How many beds has the hut?", DOCUMENTS)
    assert isinstance(finished, Finished)
    assert finished.answer.usage.reused_tokens == opening
    assert finished.answer.citations[0].passage.chunk.uri == "hut.md"
    assert runtime.decoded[0] < opening


def test_stopped_while_it_is_read_it_goes_on_from_there(library: Library, folder: Path) -> None:
    (folder / "hut.md").write_text("# The hut\n\n" + "\n\n".join(f"Bed number {n} is cold." for n in range(40)))
    list(library.ingest([folder], "documents"))
    with assistant(library, ScriptedRuntime()) as first, closing(first.pin(the_hut(library), "documents")) as read:
        done = list(islice(read, 4))[-1].done
    assert done
    with assistant(library, ScriptedRuntime()) as second:
        first_event = next(iter(second.pin(the_hut(library), "documents")))
    assert first_event.total == len(second.begin(DOCUMENTS).ledger.tokens) - done


def test_what_is_pinned_in_another_part_is_not_shown(library: Library, folder: Path) -> None:
    with assistant(library, ScriptedRuntime()) as open_assistant:
        list(open_assistant.pin(the_hut(library), "documents"))
        assert open_assistant.begin(DOCUMENTS).pinned
        assert not open_assistant.begin(Where(collection="documents", path_prefix="boat.md")).pinned
        assert not open_assistant.begin(Where(collection="others")).pinned


def test_a_removed_document_is_pinned_no_more(library: Library, folder: Path) -> None:
    with assistant(library, ScriptedRuntime()) as open_assistant:
        list(open_assistant.pin(the_hut(library), "documents"))
        list(library.remove([folder / "hut.md"], "documents"))
        assert not open_assistant.begin(DOCUMENTS).pinned


def test_more_than_fits_is_refused_and_nothing_changes(library: Library, folder: Path) -> None:
    (folder / "long.md").write_text("word " * 4_000)
    list(library.ingest([folder], "documents"))
    every = library.documents(DOCUMENTS)
    with assistant(library, ScriptedRuntime()) as open_assistant:
        with pytest.raises(WindowError, match="leaves too little room"):
            list(open_assistant.pin(every, "documents"))
        assert Pins(open_assistant.settings.home).of("documents") == []


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [*map(str, arguments)])


@pytest.fixture
def starter(monkeypatch: pytest.MonkeyPatch, starter_model: Path, embedder: Embedder) -> Iterator[None]:
    monkeypatch.setenv("TRANSOM_MODEL__NAME", str(starter_model))
    monkeypatch.setattr("ingest.library.Embedder", lambda settings: embedder)
    yield


@pytest.mark.model
def test_pinned_in_a_terminal_the_next_question_pays_for_its_own_words(
    starter: None, library: Library, folder: Path
) -> None:
    library.close()
    done = run("pin", folder / "hut.md")
    assert done.exit_code == 0
    assert "Pinned: hut.md" in done.output
    assert run("pin").output == "Pinned: hut.md\n"
    answer = json.loads(run("ask", "How many beds has the hut?", "--json", "--scope", "passages").stdout)
    assert "nine" in answer["answer"]
    assert answer["usage"]["reused_tokens"] > 100
    assert answer["usage"]["evaluated_tokens"] < 60
    assert run("unpin", "hut.md").exit_code == 0
    assert run("pin").output == ""


def test_a_path_that_names_nothing_is_told(library: Library, folder: Path) -> None:
    library.close()
    for command in ("pin", "unpin"):
        result = run(command, "nowhere.md")
        assert "holds nothing at nowhere.md" in str(result.exception)
    assert "Name what is no longer to be pinned." in str(run("unpin").exception)
