"""The index: one contract, two homes. `embedded` is a directory on this machine, `server` a Qdrant server.

Both keep the same points with the same payload and answer a query the same way; the contract suite in
`tests/contract` runs on both. What is stored is in :mod:`ingest.index.schema`.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol, Self

from ingest.documents import Chunk, Passage
from ingest.index.ranking import Ranking
from ingest.index.schema import Dense, Fingerprint, SparseTerms, Vectors, Where
from ingest.settings import IngestSettings

__all__ = ["Fingerprint", "Index", "Ranking", "SparseTerms", "Vectors", "Where", "drop_index", "open_index"]


class Index(Protocol):
    """Chunks and their vectors. Safe to use from several threads.

    Every method raises :class:`~ingest.errors.VectorIndexError` where the home fails it.
    """

    def upsert(self, items: Sequence[tuple[Chunk, Vectors]]) -> None:
        """Stores chunks; one with the same id is replaced. What is stored when this returns stays."""

    def search(
        self, dense: Dense, bm25: SparseTerms, limit: int, where: Where, ranking: Ranking = "final"
    ) -> list[Passage]:
        """The best `limit` chunks for a query, by meaning and by words; the best comes first.

        The other rankings are there to be compared with (:mod:`ingest.index.ranking`).
        """

    def delete(self, where: Where, keep: Collection[str] = ()) -> None:
        """Removes what `where` means, except the chunks with the ids in `keep`; an empty `where` means everything."""

    def count(self, where: Where) -> int:
        """How many chunks `where` means."""

    def scroll(self, where: Where) -> Iterator[tuple[Chunk, Vectors]]:
        """The chunks `where` means, in the order of their ids, read in pages."""

    def chunks(self, document_id: str, ordinals: Sequence[int]) -> list[Chunk]:
        """Those chunks of a document that stand at these positions, in order; a missing one is left out."""

    def dense_of(self, keys: Sequence[str]) -> dict[str, Dense]:
        """The dense vectors already stored for texts, in any document, by :func:`~ingest.context.text_key`.

        A key of which no chunk is stored is left out.
        """

    def flush(self) -> None:
        """Writes to disk what only the write-ahead log holds."""

    def fingerprint(self) -> Fingerprint:
        """What made this index."""

    def close(self) -> None:
        """Releases the index; harmless when done twice."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def open_index(settings: IngestSettings, fingerprint: Fingerprint | None) -> Index:
    """Opens the index that the settings name, and makes it where there is none.

    With None for the fingerprint an existing index is taken as it is, and a missing one is an error: this is
    for work that embeds nothing (copying, counting, removing).

    Raises :class:`~ingest.errors.FingerprintError` where it was made with other settings, and another
    :class:`~ingest.errors.VectorIndexError` where it is locked, damaged or its server does not answer.
    """
    if settings.storage.home == "server":
        from ingest.index.server import ServerIndex

        return ServerIndex.open(settings.storage, fingerprint)
    from ingest.index.embedded import EmbeddedIndex

    return EmbeddedIndex.open(settings.home, fingerprint)


def drop_index(settings: IngestSettings) -> None:
    """Removes the index that the settings name, with all its chunks, whatever state it is in."""
    if settings.storage.home == "server":
        from ingest.index.server import drop as drop_server

        return drop_server(settings.storage)
    from ingest.index.embedded import drop as drop_embedded

    return drop_embedded(settings.home)
