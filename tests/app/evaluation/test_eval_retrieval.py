import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.evaluation.cli import evaluation
from app.evaluation.corpus import fill, open_corpus
from app.evaluation.questions import read_questions
from app.settings import Settings
from ingest.errors import UsageError
from ingest.events import Finished

HARBOUR = "The harbour office opens at nine, and closes when the last pilot is home."
BRIDGE = "The bridge over the lock is painted green every seven years by the parish."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "set"
    (folder / "qrels").mkdir(parents=True)
    rows = [{"_id": "h", "title": "Harbour", "text": HARBOUR}, {"_id": "b", "title": "Bridge", "text": BRIDGE}]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)))
    asked = [
        {"_id": "1", "text": "When does the harbour office open?"},
        {"_id": "2", "text": "What colour is the bridge?"},
    ]
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, asked)))
    (folder / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\n1\th\t1\n2\tb\t1\n")
    return folder


def run(*arguments: object) -> Result:
    return CliRunner().invoke(evaluation, [str(a) for a in arguments], obj=Settings.load(), catch_exceptions=False)


def test_the_last_line_tells_each_ranking(folder: Path) -> None:
    told = json.loads(run("retrieval", folder, "--json").stdout.splitlines()[-1])
    for ranking in ("dense", "bm25", "hybrid"):
        assert told[ranking]["ndcg@10"] == told[ranking]["hit@5"] == told[ranking]["recall@5"] == 1
        assert 0 < told[ranking]["search_p50_ms"] < told[ranking]["p50_ms"] <= told[ranking]["p95_ms"]
    assert (told["by"], told["questions"]) == ("document", 2)


def test_a_run_is_kept_and_compared_with(folder: Path, tmp_path: Path) -> None:
    kept = tmp_path / "run.json"
    run("retrieval", folder, "--save", kept, "--json")
    told = run("retrieval", folder, "--compare", kept)
    assert "set: 2 questions, by document" in told.stdout
    assert "may be chance" in told.stdout
    with pytest.raises(UsageError, match="is no saved run"):
        run("retrieval", folder, "--compare", folder / "corpus.jsonl")


def test_measuring_again_embeds_nothing_and_touches_no_collection(folder: Path) -> None:
    settings = Settings.load()
    embedded = []
    for _ in range(2):
        questions = read_questions(folder)
        with open_corpus(questions, settings, settings.home / "evaluation") as corpus:
            *_, finished = fill(corpus, questions)
            assert isinstance(finished, Finished)
            embedded.append(finished.embedded)
    assert embedded == [2, 0]
    assert not (settings.home / "index").exists()


def test_evidence_is_told_by_the_page_of_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    (folder / "docs").mkdir(parents=True)
    (folder / "docs/bridge.txt").write_text(BRIDGE)
    row = {
        "_id": "1",
        "question": "Who paints the bridge?",
        "evidence": [{"doc": "bridge.txt", "start": 60, "end": 74}],
    }
    (folder / "questions.jsonl").write_text(json.dumps(row))
    told = json.loads(run("retrieval", folder, "--json").stdout.splitlines()[-1])
    assert told["by"] == "span"
    assert told["hybrid"]["mrr@10"] == 1
