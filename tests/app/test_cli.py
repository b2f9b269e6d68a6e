import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.cli import main
from ingest.embedder import Embedder

EXAMPLES = Path(__file__).parents[2] / "examples/documents"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "lamp.md").write_text("# The lamp\n\nIt was lit on 3 May 1871.")
    return folder


@pytest.fixture
def transom(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], embedder: Embedder) -> "Runner":
    monkeypatch.setattr("ingest.library.Embedder", lambda settings: embedder)  # loaded once for all tests
    return Runner(monkeypatch, capsys)


class Runner:
    """Runs the command as a terminal would, in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: str | Path) -> tuple[int, str, str]:
        """Exit status, standard output, standard error."""
        self._monkeypatch.setattr(sys, "argv", ["transom", *map(str, arguments)])
        status = 0
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
        output, errors = self._capsys.readouterr()
        assert "Traceback" not in errors
        return status, output, errors


def test_help_is_there_at_once_and_loads_nothing_heavy() -> None:
    script = (
        "import sys, time; sys.argv = ['transom', '--help']\n"
        "from app.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "heavy = {'torch', 'llama_cpp', 'streamlit', 'sentence_transformers', 'qdrant_client'} & set(sys.modules)\n"
        "print('HEAVY', sorted(heavy), 'CPU', time.process_time())"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    heavy, seconds = result.stdout.rsplit("HEAVY ", 1)[1].split(" CPU ")
    assert heavy == "[]"
    assert float(seconds) < 0.5


def test_ingest_and_search_speak_json(transom: Runner, folder: Path) -> None:
    status, output, _ = transom("ingest", folder, "--json")
    events = [json.loads(line) for line in output.splitlines()]
    assert status == 0
    (indexed,) = [event for event in events if event["event"] == "indexed"]
    assert indexed == {"event": "indexed", "document": "lamp.md", "pages": 0, "chunks": 1}
    last = events[-1]
    assert last.pop("seconds") > 0
    assert last == {
        "event": "finished",
        "files": 1,
        "indexed": 1,
        "unchanged": 0,
        "removed": 0,
        "failed": 0,
        "read": 1,
        "chunks": 1,
        "embedded": 1,
    }
    status, output, _ = transom("search", "When was the lamp lit?", "-k", "3", "--json")
    (passage,) = json.loads(output)["passages"]
    assert status == 0
    assert (passage["number"], passage["document"], passage["page"]) == (1, "lamp.md", None)
    start, end = passage["span"]
    assert (folder / "lamp.md").read_text()[start:end] == passage["text"]


def test_many_queries_in_one_process(transom: Runner, folder: Path, tmp_path: Path) -> None:
    transom("ingest", folder)
    queries = tmp_path / "queries.jsonl"
    queries.write_text('{"_id": "a", "text": "lamp"}\n\n{"_id": "b", "question": "May"}\n')
    _, output, _ = transom("search", "--queries", queries)
    assert [json.loads(line)["_id"] for line in output.splitlines()] == ["a", "b"]


def test_failed_files_show_in_the_exit_status_and_in_status(transom: Runner, folder: Path) -> None:
    (folder / "bad.pdf").write_bytes(b"%PDF-1.4 broken")
    assert transom("ingest", folder)[0] == 1
    _, output, _ = transom("status")
    assert "failed" in output
    assert "damaged" in output


def test_status_lists_what_is_asked_for(transom: Runner, folder: Path) -> None:
    (folder / "bad.pdf").write_bytes(b"%PDF-1.4 broken")
    (folder / "sub").mkdir()
    (folder / "sub/boat.txt").write_text("The boat sails on Tuesdays.")
    (folder / "sub/.hidden").touch()
    (folder / "notes.log").touch()
    (folder / ".transomignore").write_text("*.log\n")
    transom("ingest", folder)
    documents = [json.loads(line) for line in transom("status", "--json")[1].splitlines()]
    assert [(row["uri"], row["state"]) for row in documents] == [
        ("bad.pdf", "failed"),
        ("lamp.md", "indexed"),
        ("sub/boat.txt", "indexed"),
    ]
    assert "bad.pdf" not in transom("status", folder / "sub")[1]
    assert "boat.txt" in transom("status", "sub")[1]
    assert "lamp.md" not in transom("status", "--failed")[1]
    assert transom("status")[1].splitlines()[-1].startswith("documents: 2 documents, 1 failed, 2 chunks, ")
    ignored = [json.loads(line) for line in transom("status", "--ignored", "--json")[1].splitlines()]
    assert {row["uri"]: row["reason"] for row in ignored} == {
        ".transomignore": "hidden",
        "notes.log": "left out by .transomignore",
        "sub/.hidden": "hidden",
    }
    assert transom("status", "--ignored", folder / "sub")[1] == "ignored     sub/.hidden  (hidden)\n"


def test_status_of_nothing(transom: Runner) -> None:
    status, output, errors = transom("status")
    assert (status, output, "There are no documents yet" in errors) == (0, "", True)
    assert transom("status", "--collection", "other")[0] == 2


def test_status_and_collections_need_no_index(transom: Runner, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    transom("ingest", folder)
    transom("ingest", folder, "--collection", "other")
    monkeypatch.setattr("ingest.library.open_index", None)  # nobody may open it
    assert "lamp.md" in transom("status")[1]
    assert len(transom("collections")[1].splitlines()) == 2
    first, _ = (json.loads(line) for line in transom("collections", "--json")[1].splitlines())
    assert first == {
        "collection": "documents",
        "documents": 1,
        "failed": 0,
        "chunks": 1,
        "bytes": (folder / "lamp.md").stat().st_size,
        "folders": [str(folder)],
        "coverage": None,
    }


def test_what_failed_is_read_again_on_demand(transom: Runner, folder: Path) -> None:
    (folder / "bad.pdf").write_bytes(b"%PDF-1.4 broken")
    transom("ingest", folder)
    assert json.loads(transom("ingest", folder, "--json")[1].splitlines()[-1])["read"] == 0
    assert json.loads(transom("ingest", folder, "--retry", "--json")[1].splitlines()[-1])["read"] == 1


def test_removed_documents_are_not_found(transom: Runner, folder: Path) -> None:
    (folder / "boat.txt").write_text("The boat sails on Tuesdays.")
    transom("ingest", folder)
    status, output, errors = transom("remove", folder / "boat.txt")
    assert (status, output) == (0, "Removed: boat.txt\n")
    assert ".transomignore" in errors
    assert "boat" not in transom("search", "boat", "-k", "10")[1]
    assert transom("remove", "boat.txt")[0] == 2
    assert json.loads(transom("remove", "lamp.md", "--json")[1]) == {"event": "removed", "document": "lamp.md"}


def test_removing_a_path_names_it_as_it_lies_before_it_names_it_as_it_is_shown(
    transom: Runner, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "sub").mkdir()
    (folder / "sub/lamp.md").write_text("Another lamp.")
    transom("ingest", folder)
    monkeypatch.chdir(folder / "sub")
    assert transom("remove", "lamp.md")[1] == "Removed: sub/lamp.md\n"
    monkeypatch.chdir(folder.parent.parent)
    assert transom("remove", folder.parent / "elsewhere")[0] == 2


def test_a_whole_collection_is_removed_only_after_asking(
    transom: Runner, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    transom("ingest", folder)
    for answer in ("", "n\n"):
        monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
        assert transom("remove", "--all")[0] == 130
    assert transom("search", "lamp")[0] == 0
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert transom("remove", "--all")[1] == "Removed: 1 documents.\n"
    assert transom("search", "lamp")[0] == 2
    assert transom("remove", "--all", "--yes")[0] == 2


def test_remove_wants_to_know_what(transom: Runner, folder: Path) -> None:
    assert transom("remove")[0] == 2
    assert transom("remove", folder, "--all")[0] == 2


@pytest.mark.parametrize("options", [[], ["--watch"]])
def test_ctrl_c_stops_soon_with_what_is_done(home: Path, folder: Path, options: list[str]) -> None:
    lines = (f"Entry {number}: the keeper saw {number} ships pass by the point.\n\n" for number in range(5_000))
    text = "".join(lines)
    for number in range(40):
        (folder / f"log{number}.txt").write_text(f"{number}\n{text}")
    # Whoever runs the tests in the background has Ctrl-C ignored, and all that is started by them inherits it.
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from app.cli import main; main()"
    command = [sys.executable, "-c", code, "ingest", str(folder), "--json", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        started = time.monotonic()
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Stopped. " in errors
    assert "the same command goes on from there" in errors
    assert "Traceback" not in errors
    assert time.monotonic() - started < 20  # a second or two where nobody else is at work


def test_a_missing_path(transom: Runner, tmp_path: Path) -> None:
    status, _, errors = transom("ingest", tmp_path / "nowhere")
    assert (status, "There is no file or folder" in errors) == (2, True)


def test_an_empty_folder(transom: Runner, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    status, _, errors = transom("ingest", tmp_path / "empty")
    assert (status, "There are no documents" in errors) == (2, True)


def test_an_empty_question(transom: Runner, folder: Path) -> None:
    transom("ingest", folder)
    status, _, errors = transom("search", "  ")
    assert (status, "The question is empty" in errors) == (2, True)


def test_a_collection_that_is_not_there(transom: Runner, folder: Path) -> None:
    transom("ingest", folder)
    status, _, errors = transom("search", "lamp", "--collection", "other")
    assert (status, "There are: documents" in errors) == (2, True)


def test_no_model(transom: Runner, folder: Path) -> None:
    status, _, errors = transom("ask", "When?")
    assert (status, "transom models pull" in errors) == (4, True)


def test_a_model_that_is_no_gguf(transom: Runner, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "model.gguf").write_text("no model")
    monkeypatch.setenv("TRANSOM_MODEL__NAME", str(folder / "model.gguf"))
    status, _, errors = transom("ask", "When?")
    assert (status, "GGUF" in errors) == (4, True)


def test_an_unknown_setting(transom: Runner, home: Path) -> None:
    home.mkdir()
    (home / "transom.toml").write_text("[chunking]\ntoken = 5\n")
    status, _, errors = transom("status")
    assert (status, "chunking.token" in errors) == (2, True)


def test_an_index_of_another_cut(transom: Runner, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    transom("ingest", folder)
    monkeypatch.setenv("TRANSOM_CHUNKING__TOKENS", "50")
    status, _, errors = transom("search", "lamp")
    assert (status, "chunking.tokens was 200 and is now 50" in errors) == (3, True)
    assert transom("ingest", folder, "--rebuild")[0] == 0
    assert transom("search", "lamp")[0] == 0


def test_a_server_that_is_down(transom: Runner, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSOM_STORAGE__HOME", "server")
    monkeypatch.setenv("TRANSOM_STORAGE__URL", "http://127.0.0.1:9")
    status, _, errors = transom("ingest", folder)
    assert (status, "http://127.0.0.1:9" in errors) == (3, True)


def test_a_damaged_catalogue(transom: Runner, folder: Path, home: Path) -> None:
    transom("ingest", folder)
    (home / "index/embedded/catalogue.sqlite").write_bytes(b"rubbish" * 1000)
    for suffix in ("-wal", "-shm"):
        (home / f"index/embedded/catalogue.sqlite{suffix}").unlink(missing_ok=True)
    status, _, errors = transom("ingest", folder)
    assert (status, "--rebuild" in errors) == (1, True)
    assert transom("ingest", folder, "--rebuild")[0] == 0


@pytest.mark.model
def test_ask_answers_with_a_checked_citation(
    transom: Runner, starter_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSOM_MODEL__NAME", str(starter_model))
    transom("ingest", EXAMPLES)
    status, output, errors = transom("ask", "When was the tower first lit?", "--json")
    answer = json.loads(output)
    assert status == 0
    assert "stand-in" in errors
    assert "1861" in answer["answer"]
    assert not answer["abstained"]
    cited = [(each["document"], each["page"], each["verified"]) for each in answer["citations"]]
    assert ("keepers-handbook.pdf", 3, True) in cited
    assert answer["usage"]["evaluated_tokens"] > 100
    _, output, _ = transom("ask", "Who won the football world cup of 1990?", "--json")
    assert json.loads(output)["abstained"]


def test_an_adapter_that_does_not_fit_is_told_before_the_model_is_loaded(
    transom: Runner, dense_gemma4: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSOM_MODEL__NAME", str(dense_gemma4))
    status, _, errors = transom("ask", "When was the tower first lit?", "--lora", f"{dense_gemma4}:0.5")
    assert (status, "dense.gguf is no adapter" in errors) == (4, True)
