"""Embeds the chunks of many documents together and stores them; the catalogue says which documents are whole.

A document's row is `indexing` before its first chunk is stored and `indexed` after its last, and chunks are
stored as soon as they are embedded. So whatever ends a run, the next one sees what is not whole, and finds the
vectors that are there already by the text they were made from.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from ingest.catalogue import Catalogue, Entry
from ingest.context import bm25_text, dense_text, text_key
from ingest.documents import Chunk
from ingest.embedder import Embedder
from ingest.events import Indexed
from ingest.index import Index, SparseTerms, Vectors, Where
from ingest.index.schema import Dense
from ingest.meter import Meter
from ingest.preparing import Prepared
from ingest.terms import document_vector

_GATHERED = 512
"""Chunks embedded together: sorted by length across documents, they need little padding."""


@dataclass(frozen=True, slots=True)
class _Whole:
    """A document whose chunks are all stored, or waiting to be."""

    entry: Entry
    ids: tuple[str, ...]
    stale: bool
    """Whether chunks of an earlier state may be there."""


class Writer:
    """Takes documents in and stores them; its iterators yield None where work was done that no event tells of."""

    def __init__(self, catalogue: Catalogue, index: Index, embedder: Callable[[], Embedder], meter: Meter) -> None:
        self._catalogue = catalogue
        self._index = index
        self._embedder = embedder
        self._meter = meter
        self._chunks: list[Chunk] = []
        self._whole: list[_Whole] = []

    def add(self, entry: Entry, prepared: Prepared) -> Iterator[Indexed | None]:
        """Takes a document in; yields the documents that were completed meanwhile."""
        stale = self._catalogue.get(entry.document_id) is not None
        self._catalogue.put(entry)
        share = entry.size / max(len(prepared.chunks), 1)
        for chunk in prepared.chunks:
            self._chunks.append(chunk)
            self._meter.done(share)
            if len(self._chunks) >= _GATHERED:
                yield from self.flush()
        done = replace(
            entry,
            state="indexed",
            title=prepared.title,
            media_type=prepared.media_type,
            pages=prepared.pages,
            chunks=len(prepared.chunks),
        )
        self._whole.append(_Whole(done, tuple(chunk.id for chunk in prepared.chunks), stale))

    def flush(self) -> Iterator[Indexed | None]:
        """Stores what is waiting."""
        yield from self._store()
        self._chunks = []
        for whole in self._whole:
            if whole.stale:
                self._index.delete(Where(document_ids=(whole.entry.document_id,)), keep=whole.ids)
            self._catalogue.put(whole.entry)
            yield Indexed(whole.entry.uri, whole.entry.pages, whole.entry.chunks)
        self._whole = []

    def _store(self) -> Iterator[None]:
        """Embeds each distinct text that has no vector yet, once."""
        same_text: dict[str, list[Chunk]] = defaultdict(list)
        for chunk in self._chunks:
            same_text[text_key(chunk)].append(chunk)
        known = self._index.dense_of(list(same_text))
        self._upsert((same_text.pop(key), vector) for key, vector in known.items())
        unknown = list(same_text.values())
        if unknown:
            texts = [dense_text(chunks[0]) for chunks in unknown]
            for positions, vectors in self._embedder().embed_in_batches(texts):
                self._upsert((unknown[position], vector) for position, vector in zip(positions, vectors, strict=True))
                self._meter.embedded += len(positions)
                yield

    def _upsert(self, groups: Iterable[tuple[list[Chunk], Dense]]) -> None:
        items = [(chunk, Vectors(vector, _bm25(chunk))) for chunks, vector in groups for chunk in chunks]
        if items:
            self._index.upsert(items)
            self._meter.stored(len(items))


def _bm25(chunk: Chunk) -> SparseTerms:
    vector = document_vector(bm25_text(chunk))
    return SparseTerms(tuple(vector.indices), tuple(vector.values))
