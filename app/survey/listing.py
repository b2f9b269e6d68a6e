"""What of a sort the documents name: a map over every passage that could name one.

Of each document the passages that meet the topic are gathered, by words or by meaning; the model reads them part by
part and lists what they name. An item counts only if a passage of its part holds it.
"""

import re
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Protocol

from app.answers import Surveying, Token
from app.citations import marks
from app.citations.alignment import is_claim, support
from app.citations.words import words
from app.evidence import confidence, evidence
from app.generation import Generation, Task, generate
from app.llm.dialogue import Dialogue
from app.llm.engine import Engine
from app.llm.ledger import Ledger
from app.prompting import prompt
from app.survey.found import Found, Item, Source, count
from app.survey.kinds import Listing
from app.widening import Shelf
from app.wording import shown
from ingest.documents import Passage
from ingest.index import Where


class Documents(Shelf, Protocol):
    """What a list is made from."""

    def search(self, query: str, limit: int, where: Where) -> list[Passage]:
        """The best passages for a query."""


_OF_EACH = 24
"""Passages of a document that are looked at, at most."""
_PART = 1_200
"""Tokens of passages that the model reads at once: small models overlook things in longer parts."""
_LONGEST = 384
"""Tokens of a list."""
_BULLET = re.compile(r"^\s*(?:[-*\u2022]|\d+[.)])\s*")
_AROUND = " .;,"
_SEVERAL = 3
_SHORT = 4
"""Words of an item that may stand behind others on a line."""
_NOTHING = frozenset(("none", "nothing", "no items"))


class Lister:
    """Makes lists with a model."""

    def __init__(self, documents: Documents, engine: Engine, dialogue: Dialogue, least: float) -> None:
        """`least`: confidence from which on a passage is taken to say something about a topic."""
        self._documents = documents
        self._engine = engine
        self._dialogue = dialogue
        self._least = least

    def make(
        self, wanted: Listing, where: Where, line: Callable[[Item], str]
    ) -> Generator[Surveying | Token, None, Found]:
        """Everything of a sort, each item once, with all its sources; a new one is told at once as its `line`."""
        documents = self._documents.documents(where)
        passages = yield from self._gather(wanted.topic, documents, where)
        parts = list(self._parts(passages))
        items: dict[frozenset[object], Item] = {}
        for done, part in enumerate(parts):
            yield Surveying(done, len(parts), "parts")
            for text, sources in self._listed(wanted.topic, part):
                if known := items.get(_same(text)):
                    known.add(sources)
                    continue
                item = items[_same(text)] = Item(text, sources)
                yield Token(f"{line(item)}\n")
        read = f"{count(len(passages), 'passages')} of {count(len(documents), 'documents')}"
        return Found(f"{count(len(items), 'items')}, from {read} that could name any.", list(items.values()))

    def _gather(self, topic: str, documents: Sequence[str], where: Where) -> Generator[Surveying, None, list[Passage]]:
        """The passages of all documents that meet a topic, in the order of the documents."""
        gathered: list[Passage] = []
        for done, document_id in enumerate(documents):
            yield Surveying(done, len(documents))
            found = self._documents.search(topic, _OF_EACH, Where(where.collection, (document_id,)))
            met = [each for each in found if confidence(evidence(topic, [each])) >= self._least]
            gathered += sorted(met, key=lambda passage: passage.chunk.ordinal)
        return gathered

    def _parts(self, passages: Sequence[Passage]) -> Generator[list[Passage]]:
        part: list[Passage] = []
        size = 0
        for passage in passages:
            cost = len(shown({1: passage}, self._dialogue))
            if part and size + cost > min(_PART, self._engine.window_size // 2):
                yield part
                part, size = [], 0
            part.append(passage)
            size += cost
        if part:
            yield part

    def _listed(self, topic: str, part: Sequence[Passage]) -> Generator[tuple[str, list[Source]]]:
        """What the model lists of a part, as far as a passage holds it."""
        places = {passage.chunk.uri.casefold() for passage in part}
        for text in _items(self._ask(topic, part)):
            if not is_claim(text) or text.casefold() in _NOTHING | places:
                continue
            held = [(passage, support(text, passage.chunk, topic)) for passage in part]
            if sources := [Source(passage.chunk, found.span) for passage, found in held if found.verified]:
                yield text, sources

    def _ask(self, topic: str, part: Sequence[Passage]) -> str:
        numbered = dict(enumerate(part, 1))
        ledger = Ledger(self._dialogue, prompt("list").text)
        said = shown(numbered, self._dialogue) + self._dialogue.text(prompt("list_all").render(topic=topic))
        window = ledger.tokens + ledger.question(said)
        limit = min(_LONGEST, self._engine.window_size - len(window))
        generation = Generation()
        for _ in generate(self._engine, Task(window, limit), generation):
            pass
        return generation.text


def _items(reply: str) -> Iterator[str]:
    """The items of a list, one on each line; small models put short ones behind each other, with commas."""
    for line in reply.splitlines():
        text = marks.without(_BULLET.sub("", line)).strip(_AROUND)
        parts = [part.strip(_AROUND) for part in text.split(",")]
        short = all(0 < len(part.split()) <= _SHORT for part in parts)
        yield from parts if len(parts) >= _SEVERAL and short else [text]


def _same(text: str) -> frozenset[object]:
    """What two items have in common that are one: their words and numbers, in whatever order."""
    return frozenset((*(word.key for word in words(text)), *re.findall(r"\d+", text)))
