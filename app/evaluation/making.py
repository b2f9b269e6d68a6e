"""Makes a question set from one's own documents: the local model asks, and a program checks.

A chunk of a document is shown to the model, which writes a question about it and copies the answer out of it. What is
kept has its answer word for word in the chunk, so the place that answers the question is known.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain, zip_longest
from typing import Any

from app.citations.words import words
from app.generation import Generation, Task, generate
from app.llm.dialogue import Dialogue
from app.llm.engine import Engine
from app.llm.ledger import Ledger
from app.prompting import prompt
from app.widening import Shelf
from app.wording import shown
from ingest.documents import Chunk, Passage, Span
from ingest.index import Where

_REPLY = re.compile(r"Question:\s*(?P<question>[^\n]+\?)\s*\n\s*Answer:\s*(?P<answer>[^\n]+)", re.IGNORECASE)
_LONGEST = 128
"""Tokens of a reply."""
_MOST_WORDS = 20
"""Of an answer: a longer one is no answer but an excerpt."""
_LEAST_WORDS = 25
"""Of a chunk that may be asked about; shorter ones are headings and scraps."""


@dataclass(frozen=True, slots=True)
class Made:
    """A question that was made, and where its answer stands."""

    id: str
    """Of the chunk: each is asked about once."""
    question: str
    answer: str
    document: str
    span: Span
    """Characters of the document's text."""
    page: int | None

    def to_json(self) -> dict[str, Any]:
        """As a line of questions.jsonl (:mod:`app.evaluation.questions`)."""
        start, end = self.span
        evidence = {"doc": self.document, "start": start, "end": end, "page": self.page, "text": self.answer}
        return {"_id": self.id, "question": self.question, "answers": [self.answer], "evidence": [evidence]}


class Maker:
    """Asks a model for questions."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._dialogue = Dialogue(engine.runtime)

    def make(self, chunk: Chunk) -> Made | None:
        """A question about a chunk; None if the model makes none that can be used."""
        return parsed(self._ask(chunk), chunk)

    def _ask(self, chunk: Chunk) -> str:
        ledger = Ledger(self._dialogue, prompt("make_question").text)
        passage = Passage(chunk, score=0.0, rank=0, dense_score=0.0, bm25_score=0.0)
        window = ledger.tokens + ledger.question(shown({1: passage}, self._dialogue))
        generation = Generation()
        if len(window) + _LONGEST <= self._engine.window_size:
            for _ in generate(self._engine, Task(window, _LONGEST), generation):
                pass
        return generation.text


def parsed(reply: str, chunk: Chunk) -> Made | None:
    """The question of a reply, if its answer stands in the chunk, and is not given away by the question."""
    match = _REPLY.search(reply)
    if match is None:
        return None
    question, answer = match["question"].strip(), match["answer"].strip(" \"'.\u201c\u201d")
    place = _place(answer, chunk.text)
    if place is None or len(answer.split()) > _MOST_WORDS or re.search(r"\bpassage\b", question, re.IGNORECASE):
        return None
    if answer.casefold() in question.casefold():
        return None
    start, end = place
    span = (chunk.span[0] + start, chunk.span[0] + end)
    return Made(chunk.id, question, chunk.text[start:end], chunk.uri, span, chunk.page_at(start))


def drawn(shelf: Shelf, where: Where) -> Iterator[Chunk]:
    """The chunks to ask about, always in the same order: one of each document in turn, each document's by lot."""
    lots = [_by_lot(document_id, shelf) for document_id in shelf.documents(where)]
    return (chunk for chunk in chain.from_iterable(zip_longest(*lots)) if chunk is not None)


def _by_lot(document_id: str, shelf: Shelf) -> list[Chunk]:
    chunks = shelf.chunks(document_id, range(shelf.count(Where(document_ids=(document_id,)))))
    fit = (chunk for chunk in chunks if sum(1 for _ in words(chunk.text)) >= _LEAST_WORDS)
    return sorted(fit, key=lambda chunk: blake2b(chunk.id.encode()).digest())


def _place(answer: str, text: str) -> Span | None:
    """Where an answer stands, whatever the capitals and the white space."""
    pattern = r"\s+".join(map(re.escape, answer.split()))
    match = re.search(rf"(?<!\w){pattern}(?!\w)", text, re.IGNORECASE) if pattern else None
    return match.span() if match else None
