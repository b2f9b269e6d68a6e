"""The questions about `examples/` stay true to the documents they are asked of."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ingest.readers import read

EXAMPLES = Path(__file__).parents[1] / "examples"
DOCUMENTS = EXAMPLES / "documents"
QUESTIONS: list[dict[str, Any]] = [
    json.loads(line) for line in (EXAMPLES / "questions.jsonl").read_text("utf-8").splitlines()
]
EVIDENCE = [
    pytest.param(evidence, id=f"{question['_id']}-{number}")
    for question in QUESTIONS
    for number, evidence in enumerate(question["evidence"])
]


def squeeze(text: str) -> str:
    """`text` with every run of white space as one blank."""
    return " ".join(text.split())


@cache
def pages(doc: str) -> dict[int, str]:
    """The text of a document by page, as Transom reads it; a format without pages has one."""
    return {page.number: squeeze(page.text) for page in read(DOCUMENTS / doc).pages}


@pytest.mark.parametrize("evidence", EVIDENCE)
def test_evidence_occurs_on_its_page(evidence: dict[str, Any]) -> None:
    texts = pages(evidence["doc"])
    searched = " ".join(texts.values()) if evidence["page"] is None else texts[evidence["page"]]
    assert squeeze(evidence["text"]) in searched


def test_every_document_is_asked_about() -> None:
    stored = {path.relative_to(DOCUMENTS).as_posix() for path in DOCUMENTS.rglob("*") if path.is_file()}
    assert {evidence["doc"] for question in QUESTIONS for evidence in question["evidence"]} == stored


def test_ids_are_unique() -> None:
    ids = [question["_id"] for question in QUESTIONS]
    assert len(set(ids)) == len(ids)


def test_answers_and_evidence_come_together() -> None:
    for question in QUESTIONS:
        assert bool(question["answers"]) == bool(question["evidence"]) == question["answerable"], question["_id"]


def test_a_follow_up_comes_after_what_it_follows() -> None:
    seen: set[str] = set()
    for question in QUESTIONS:
        assert question.get("follows") is None or question["follows"] in seen, question["_id"]
        seen.add(question["_id"])


def test_the_folder_stays_small() -> None:
    files = [path for path in DOCUMENTS.rglob("*") if path.is_file()]
    assert len({path.suffix for path in files}) >= 7
    assert sum(path.stat().st_size for path in files) < 400 * 1024
