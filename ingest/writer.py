"""Embeds the chunks of many documents together and stores them; the catalogue says which documents are whole.

A document's row is `indexing` before its first chunk is stored and `indexed` after its last, and chunks are
stored as soon as they are embedded. So whatever ends a run, the next one sees what is not whole, and finds the
vectors that are there already by the text they were made from.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from ingest.catalogue import Catalogue, Entry
from ingest.context import in_context, text_key
from ingest.documents import Chunk
from ingest.embedder import Embedder
from ingest.events import Indexed
from ingest.index import Index, Vectors, Where
from ingest.index.schema import Dense
from ingest.language import detect
from ingest.meter import Meter
from ingest.preparing import Prepared
from ingest.terms import document_terms

_GATHERED = 1024
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
        self._share: dict[str, float] = {}
        """Bytes of a document's file for each of its chunks."""
        self._originals: dict[str, str] = {}
        """By the hash of a content, the title it was first found under."""
        self._titles: dict[str, str] = {}
        """By document, the title that its texts are embedded with."""

    def add(self, entry: Entry, prepared: Prepared) -> Iterator[Indexed | None]:
        """Takes a document in; yields the documents that were completed meanwhile."""
        stale = self._catalogue.get(entry.document_id) is not None
        language = detect([chunk.text for chunk in prepared.chunks])
        entry = replace(entry, language=language)
        self._catalogue.put(entry)
        twin = self._catalogue.twin(entry)
        first = self._originals.setdefault(entry.sha256, twin.title if twin else prepared.title)
        self._titles[entry.document_id] = first
        self._share[entry.document_id] = entry.size / max(len(prepared.chunks), 1)
        for chunk in prepared.chunks:
            self._chunks.append(replace(chunk, language=language))
            if len(self._chunks) >= _GATHERED:
                yield from self.flush()
        if not prepared.chunks:
            self._meter.done(entry.size)
        done = replace(
            entry,
            state="indexed",
            title=prepared.title,
            media_type=prepared.media_type,
            pages=prepared.pages,
            chunks=len(prepared.chunks),
            warning=" ".join(prepared.warnings),
        )
        self._whole.append(_Whole(done, tuple(chunk.id for chunk in prepared.chunks), stale))

    def _embedded_as(self, chunk: Chunk) -> Chunk:
        """The chunk as it stands in the first file that was found with this content.

        The name of a file stands before its text where there is no better title. So a copy has the vectors of its
        original, and a file that was renamed those made with its old name; its words are found by the new one.
        """
        return replace(chunk, title=self._titles[chunk.document_id])

    def flush(self) -> Iterator[Indexed | None]:
        """Stores what is waiting."""
        yield from self._store()
        self._chunks = []
        for whole in self._whole:
            if whole.stale:
                self._index.delete(Where(document_ids=(whole.entry.document_id,)), keep=whole.ids)
            self._catalogue.put(whole.entry)
            yield Indexed(whole.entry.uri, whole.entry.pages, whole.entry.chunks)
            del self._share[whole.entry.document_id], self._titles[whole.entry.document_id]
        self._whole, self._originals = [], {}

    def _store(self) -> Iterator[None]:
        """Embeds each distinct text that has no vector yet, once."""
        same_text: dict[str, list[Chunk]] = defaultdict(list)
        for chunk in self._chunks:
            same_text[text_key(self._embedded_as(chunk))].append(chunk)
        known = self._index.dense_of(list(same_text))
        self._upsert((same_text.pop(key), vector) for key, vector in known.items())
        unknown = list(same_text.values())
        if unknown:
            texts = [in_context(self._embedded_as(chunks[0])) for chunks in unknown]
            for positions, vectors in self._embedder().embed_in_batches(texts):
                self._upsert((unknown[position], vector) for position, vector in zip(positions, vectors, strict=True))
                self._meter.embedded += len(positions)
                self._meter.current = unknown[positions[0]][0].uri
                yield

    def _upsert(self, groups: Iterable[tuple[list[Chunk], Dense]]) -> None:
        items = [
            (chunk, Vectors(vector, document_terms(in_context(chunk), chunk.language)))
            for chunks, vector in groups
            for chunk in chunks
        ]
        if items:
            self._index.upsert(items)
            self._meter.stored(len(items), sum(self._share[chunk.document_id] for chunk, _ in items))
