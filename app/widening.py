"""What lies around a passage: its section, its document, its collection."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from typing import Protocol

from app.errors import WindowError
from ingest.documents import Chunk, Passage
from ingest.index import Where

_REACH = 8
"""Chunks that are looked at before and behind one for the rest of its section."""
_DOCUMENT = 2_000
"""Chunks; a longer document is more than any window holds, and is not looked at."""
_SMALLEST = 20
"""Tokens that a chunk has at least, on the average: enough to see that a collection cannot fit."""


class Shelf(Protocol):
    """What widening needs of an index."""

    def count(self, where: Where) -> int:
        """How many chunks `where` means."""

    def chunks(self, document_id: str, ordinals: Sequence[int]) -> list[Chunk]:
        """Those chunks of a document that stand at these positions, in order; a missing one is left out."""

    def documents(self, where: Where) -> list[str]:
        """The ids of the documents that `where` means, in the order of their names."""


def sections(found: Sequence[Passage], shelf: Shelf) -> list[Passage]:
    """Every passage with the rest of its section, where that is near; in the order of the passages."""
    return _passages((chunk for passage in found for chunk in _section(passage.chunk, shelf)), found)


def documents(found: Sequence[Passage], shelf: Shelf) -> list[Passage] | None:
    """The whole documents of the passages; None if one is too long to be looked at."""
    ids = dict.fromkeys(passage.chunk.document_id for passage in found)
    return _whole(ids, found, shelf)


def collection(where: Where, found: Sequence[Passage], shelf: Shelf, room: int) -> list[Passage] | None:
    """Everything that `where` means; None if it can't fit into `room` tokens."""
    if shelf.count(where) * _SMALLEST > room:
        return None
    return _whole(shelf.documents(where), found, shelf)


def pinned(document_ids: Iterable[str], shelf: Shelf) -> list[Passage]:
    """All chunks of some documents; raises :class:`WindowError` if one is longer than any window."""
    passages = _whole(document_ids, (), shelf)
    if passages is None:
        raise WindowError(
            f"A document of more than {_DOCUMENT:,} chunks is longer than any window.",
            "Pin a shorter one: `transom unpin PATH`, `transom pin PATH`.",
        )
    return passages


def _whole(ids: Iterable[str], found: Sequence[Passage], shelf: Shelf) -> list[Passage] | None:
    chunks: list[Chunk] = []
    for document_id in ids:
        count = shelf.count(Where(document_ids=(document_id,)))
        if count > _DOCUMENT:
            return None
        chunks += shelf.chunks(document_id, range(count))
    return _passages(chunks, found)


def _section(chunk: Chunk, shelf: Shelf) -> Iterator[Chunk]:
    """The chunks around one that stand under the same headings."""
    reach = _REACH if chunk.headings else 1  # a text without headings is one long section
    before = shelf.chunks(chunk.document_id, range(max(0, chunk.ordinal - reach), chunk.ordinal))
    behind = shelf.chunks(chunk.document_id, range(chunk.ordinal + 1, chunk.ordinal + 1 + reach))

    def same(other: Chunk) -> bool:
        return other.headings == chunk.headings

    yield from reversed(list(takewhile(same, reversed(before))))
    yield chunk
    yield from takewhile(same, behind)


def _passages(chunks: Iterable[Chunk], found: Sequence[Passage]) -> list[Passage]:
    """Chunks as passages, each once; those that were found keep their scores."""
    known = {passage.chunk.id: passage for passage in found}
    ordered = {chunk.id: chunk for chunk in chunks}
    return [known.get(chunk.id) or _beside(chunk) for chunk in ordered.values()]


def _beside(chunk: Chunk) -> Passage:
    return Passage(chunk, score=0.0, rank=-1, dense_score=0.0, bm25_score=0.0)
