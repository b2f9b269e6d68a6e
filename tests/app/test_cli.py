import json
import subprocess
import sys
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
    assert events[0] == {"event": "indexed", "document": "lamp.md", "pages": 0, "chunks": 1}
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
