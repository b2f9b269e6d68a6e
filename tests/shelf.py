"""A library of a few chunks in memory: what :mod:`app.widening` needs of a real one."""

from collections.abc import Sequence
from dataclasses import replace

from ingest.documents import Chunk, Passage
from ingest.index import Where
from tests.builders import chunk


class FewDocuments:
    """Documents by their id, each a list of chunks."""

    def __init__(self, **documents: Sequence[Chunk]) -> None:
        self.held = {name: list(chunks) for name, chunks in documents.items()}

    def count(self, where: Where) -> int:
        return sum(len(self.held[each]) for each in self.documents(where))

    def chunks(self, document_id: str, ordinals: Sequence[int]) -> list[Chunk]:
        return [each for each in self.held[document_id] if each.ordinal in set(ordinals)]

    def documents(self, where: Where) -> list[str]:
        return [name for name in self.held if not where.document_ids or name in where.document_ids]

    def search(self, query: str, limit: int, where: Where) -> list[Passage]:
        """Every chunk is found, far in meaning."""
        ids = self.documents(where)
        return [found(each, dense=0.1) for name in ids for each in self.held[name]][:limit]


def chunks_of(name: str, *texts: str | tuple[str, str]) -> list[Chunk]:
    """The chunks of a document; a pair is a text behind its heading."""
    made = []
    for ordinal, each in enumerate(texts):
        heading, text = each if isinstance(each, tuple) else ("", each)
        headings = (heading,) if heading else ()
        made.append(
            replace(
                chunk(text, uri=f"{name}.md", start=1000 * ordinal, headings=headings, document_id=name),
                ordinal=ordinal,
            )
        )
    return made


def found(one: Chunk, dense: float = 0.8) -> Passage:
    """A chunk as a search would return it."""
    return Passage(one, 1.0, 0, dense, 1.0)
