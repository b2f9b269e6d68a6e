"""Reads question sets: folders in BEIR's layout, and folders of documents with questions.jsonl.

::

    BEIR        corpus.jsonl   _id, title, text                a document a line
                queries.jsonl  _id, text; answers, answer_start, answerable
                qrels/test.tsv query-id, corpus-id, score      0 is not relevant
    documents   docs/          (or documents/) files of any kind that Transom reads
                questions.jsonl  _id, question; answers, answerable, evidence, docs_present
                               evidence: doc (its path in there); page (physical, 1-based), or start and end
                               (characters of the decoded file)
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ingest.documents import Span
from ingest.errors import UsageError

_FILES = ("docs", "documents")

By = Literal["document", "page", "span"]
"""What a passage must meet to count: the document, a page of it or the one beside it, or the very characters."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A place that answers a question."""

    document: str
    """The uri of the document."""
    page: int | None = None
    span: Span | None = None
    grade: int = 1
    """How relevant it is; 1 is the least."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and what is known of its answer."""

    id: str
    text: str
    evidence: tuple[Evidence, ...]
    """Empty where the documents do not answer it, or nobody knows where they do."""
    answers: tuple[str, ...] = ()
    """Any of these is right."""
    answerable: bool = True


@dataclass(frozen=True, slots=True)
class Text:
    """A document that is given as text rather than as a file."""

    uri: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Questions over the documents of one folder."""

    folder: Path
    questions: tuple[Question, ...]

    @property
    def name(self) -> str:
        """The folder's."""
        return self.folder.resolve().name

    @property
    def documents(self) -> Path | None:
        """The folder of the documents, where they are files; what a link leads to."""
        return next(((self.folder / name).resolve() for name in _FILES if (self.folder / name).is_dir()), None)

    @property
    def by(self) -> By:
        """The most exact place that the evidence names."""
        places = [place for question in self.questions for place in question.evidence]
        if any(place.span for place in places):
            return "span"
        return "page" if any(place.page is not None for place in places) else "document"

    def texts(self) -> Iterator[Text]:
        """The documents, where they are given as text."""
        for row in _rows(self.folder / "corpus.jsonl"):
            yield Text(str(row["_id"]), row.get("title") or "", row["text"])


def read_questions(folder: Path) -> QuestionSet:
    """Reads a question set; raises :class:`UsageError` where the folder is none or a line of it is damaged."""
    if (folder / "questions.jsonl").exists():
        present = (row for row in _rows(folder / "questions.jsonl") if row.get("docs_present", True))
        return QuestionSet(folder, tuple(_over_files(row) for row in present))
    if (folder / "corpus.jsonl").exists():
        judged = _judgements(folder / "qrels" / "test.tsv")
        rows = _rows(folder / "queries.jsonl")
        return QuestionSet(folder, tuple(_over_texts(row, judged.get(str(row["_id"]), {})) for row in rows))
    raise UsageError(
        f"{folder} holds no questions.",
        "It needs docs/ and questions.jsonl, or corpus.jsonl, queries.jsonl and qrels/test.tsv; see docs/retrieval.md.",
    )


def _over_files(row: dict[str, Any]) -> Question:
    places = [_place(place) for place in row.get("evidence", ())]
    return _question(row, row["question"], places)


def _place(place: dict[str, Any]) -> Evidence:
    span = (int(place["start"]), int(place["end"])) if "start" in place else None
    return Evidence(place["doc"], place.get("page"), span)


def _over_texts(row: dict[str, Any], judged: dict[str, int]) -> Question:
    places = [Evidence(document, grade=grade) for document, grade in judged.items()]
    if len(places) == 1 and row.get("answer_start"):
        answers = zip(row["answer_start"], row["answers"], strict=True)
        places = [Evidence(places[0].document, span=(start, start + len(answer))) for start, answer in answers]
    return _question(row, row["text"], places)


def _question(row: dict[str, Any], text: str, places: list[Evidence]) -> Question:
    answers = row.get("answers") or ([row["answer"]] if row.get("answer") else [])
    return Question(str(row["_id"]), text, tuple(places), tuple(answers), row.get("answerable", True))


def _judgements(file: Path) -> dict[str, dict[str, int]]:
    """By question, the documents that are relevant to it, each with its grade."""
    judged: dict[str, dict[str, int]] = defaultdict(dict)
    try:
        for line in file.read_text("utf-8").splitlines()[1:]:
            question, document, grade = line.split("\t")
            if int(grade) > 0:
                judged[question][document] = int(grade)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{file} cannot be read: {error}", "It is a header, then lines of query-id, corpus-id, score, with tabs."
        ) from error
    return judged


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    try:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _row(file, number, line)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error}", "Check that it is there.") from error


def _row(file: Path, number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
        row["_id"]
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"Line {number} of {file} is damaged: {error!r}", "Each line is a JSON object.") from error
    return dict(row)
