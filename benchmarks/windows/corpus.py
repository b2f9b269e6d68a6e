"""What is asked about: a folder of documents, ingested into a home of its own, and questions on them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ingest.documents import Passage
from ingest.index import Where
from ingest.library import DEFAULT_COLLECTION, Library
from ingest.settings import IngestSettings

EVERYTHING = Where(DEFAULT_COLLECTION)


@dataclass(frozen=True, slots=True)
class Corpus:
    """An index, and questions that it can answer."""

    library: Library
    questions: list[str]
    """Each stands alone: none refers to another."""

    def search(self, query: str, limit: int, where: Where) -> list[Passage]:
        """The best passages for a query."""
        return self.library.search(query, limit, where)

    def text(self) -> str:
        """What is found for all questions, each passage once: some ten thousand tokens."""
        found = [each for question in self.questions for each in self.library.search(question, 10)]
        return "\n\n".join({passage.chunk.id: passage.chunk.text for passage in found}.values())


@contextmanager
def opened(data: Path) -> Iterator[Corpus]:
    """Ingests the set in `data`: `docs/`, and `questions.jsonl` as `data/INDEX.md` describes it."""
    rows = map(json.loads, (data / "questions.jsonl").read_text("utf-8").splitlines())
    questions = [row["question"] for row in rows if row["docs_present"] and row["answerable"]]
    with TemporaryDirectory() as home, Library(IngestSettings.load(home=Path(home))) as library:
        for _ in library.ingest([data / "docs"]):
            pass
        library.search("warm-up", 1)
        yield Corpus(library, questions)
