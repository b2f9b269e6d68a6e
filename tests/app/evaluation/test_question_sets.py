import json
from pathlib import Path

import pytest

from app.evaluation.questions import Evidence, read_questions
from ingest.errors import UsageError


def lines(file: Path, *rows: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    lines(tmp_path / "corpus.jsonl", {"_id": "a", "title": "Keel", "text": "A keel."}, {"_id": "b", "text": "A mast."})
    lines(tmp_path / "queries.jsonl", {"_id": "1", "text": "keel?"}, {"_id": "2", "text": "who?", "answerable": False})
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\n1\ta\t2\n1\tb\t0\n")
    return tmp_path


def test_a_folder_in_beirs_layout_is_read(texts: Path) -> None:
    found = read_questions(texts)
    assert found.by == "document"
    assert [(text.uri, text.title) for text in found.texts()] == [("a", "Keel"), ("b", "")]
    keel, who = found.questions
    assert keel.evidence == (Evidence("a", grade=2),)
    assert (who.evidence, who.answerable) == ((), False)


def test_where_an_answer_starts_in_the_text_is_evidence(texts: Path) -> None:
    lines(texts / "queries.jsonl", {"_id": "1", "text": "what?", "answers": ["keel"], "answer_start": [2]})
    found = read_questions(texts)
    assert found.by == "span"
    assert found.questions[0].evidence == (Evidence("a", span=(2, 6)),)


def test_documents_with_questions_are_read_and_those_without_their_documents_left_out(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    page = {"_id": "p", "question": "?", "evidence": [{"doc": "a.pdf", "page": 3}]}
    lines(tmp_path / "questions.jsonl", page, page | {"_id": "gone", "docs_present": False})
    found = read_questions(tmp_path)
    assert [question.id for question in found.questions] == ["p"]
    assert found.by == "page"
    assert found.questions[0].evidence == (Evidence("a.pdf", 3),)
    assert found.documents == tmp_path / "docs"


def test_what_is_no_question_set_is_told_with_its_place(tmp_path: Path, texts: Path) -> None:
    with pytest.raises(UsageError, match="holds no questions"):
        read_questions(tmp_path / "nothing")
    (texts / "queries.jsonl").write_text('{"_id": "1", "text": "x"}\n{"text": 1}\n')
    with pytest.raises(UsageError, match="Line 2"):
        read_questions(texts)
    (texts / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\n1 a 2\n")
    with pytest.raises(UsageError, match=r"test\.tsv cannot be read"):
        read_questions(texts)
