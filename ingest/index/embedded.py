"""The index in a directory on this machine: Qdrant Edge, in this process, without a server.

Its files are looked after by :mod:`ingest.index.shard`. A write is safe from a killed
process as soon as it returns (write-ahead log). One process at a time can have it open; within the process any
thread may use it, as every call holds the interpreter lock.
"""

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from qdrant_edge import (
    CountRequest,
    EdgeShard,
    FieldCondition,
    Filter,
    MatchAny,
    Prefetch,
    Query,
    QueryBatchRequest,
    QueryRequest,
    Record,
    ScrollRequest,
    UpdateOperation,
)

from ingest.documents import Chunk, Passage
from ingest.errors import IndexLockedError, NoIndexError, VectorIndexError
from ingest.index.edge import to_filter, to_formula, to_point, to_sparse
from ingest.index.ranking import DEPTH, LOOKED_AT, Ranking, to_passages, words_weight
from ingest.index.schema import (
    BATCH,
    BM25,
    DENSE,
    MAKE,
    TEXT_KEY,
    Dense,
    Fingerprint,
    SparseTerms,
    Vectors,
    Where,
    batches,
    collect_dense,
    to_chunk,
    to_vectors,
)
from ingest.index.shard import (
    create_index,
    index_directory,
    load_shard,
    note_sizes,
    read_fingerprint,
    require_room,
    translated,
)

_IDS = 10_000
"""Points read at once where only their ids are asked for."""


class EmbeddedIndex:
    """An :class:`~ingest.index.Index` in a directory."""

    def __init__(self, directory: Path, shard: EdgeShard, fingerprint: Fingerprint) -> None:
        self._directory = directory
        self._shard = shard
        self._fingerprint = fingerprint
        self._closed = False

    @classmethod
    def open(cls, home: Path, fingerprint: Fingerprint | None) -> Self:
        """Opens the index below `home`; makes it if it is missing and `fingerprint` says how."""
        directory = index_directory(home)
        if not directory.exists():
            if fingerprint is None:
                raise NoIndexError(f"There is no index in {directory}.", MAKE)
            create_index(directory, fingerprint)
        stored = read_fingerprint(directory)
        if fingerprint is not None:
            fingerprint.check(stored)
        return cls(directory, load_shard(directory), stored)

    def upsert(self, items: Sequence[tuple[Chunk, Vectors]]) -> None:
        """See :class:`~ingest.index.Index`."""
        for batch in batches(items):
            require_room(self._directory)
            points = [to_point(chunk, vectors) for chunk, vectors in batch]
            self._update(UpdateOperation.upsert_points(points))
            self._seal()

    def search(
        self, dense: Dense, bm25: SparseTerms, limit: int, where: Where, ranking: Ranking = "final"
    ) -> list[Passage]:
        """See :class:`~ingest.index.Index`."""
        depth = max(limit, DEPTH)
        condition = to_filter(where)
        single = {
            "dense": Query.Nearest([float(value) for value in dense], using=DENSE),
            "bm25": Query.Nearest(to_sparse(bm25), using=BM25),
        }
        both = [Prefetch(limit=depth, query=query, filter=condition) for query in single.values()]
        best = QueryRequest(
            limit=max(limit, LOOKED_AT),
            query=single.get(ranking, to_formula(words_weight(bm25))),
            prefetches=[] if ranking in single else both,
            filter=condition,
            with_payload=True,
            with_vector=[DENSE],
        )
        # planned as one batch with the query above, which needs the same scores, this costs next to nothing
        by_words = QueryRequest(limit=depth, query=single["bm25"], filter=condition)
        with translated(self._directory):
            hits, weights = self._shard.query_batch(QueryBatchRequest([best, by_words]))
            return to_passages((dense, bm25), hits, weights, limit, ranking)

    def delete(self, where: Where, keep: Collection[str] = ()) -> None:
        """See :class:`~ingest.index.Index`."""
        if not keep:
            self._update(UpdateOperation.delete_points_by_filter(to_filter(where)))
            return
        kept = frozenset(keep)
        stale = [id_ for record in self._records(where, _IDS, content=False) if (id_ := str(record.id)) not in kept]
        for ids in batches(stale):
            self._update(UpdateOperation.delete_points(list(ids)))

    def count(self, where: Where) -> int:
        """See :class:`~ingest.index.Index`."""
        with translated(self._directory):
            return self._shard.count(CountRequest(filter=to_filter(where)))

    def scroll(self, where: Where) -> Iterator[tuple[Chunk, Vectors]]:
        """See :class:`~ingest.index.Index`."""
        return map(partial(_item, self._directory), self._records(where, BATCH, content=True))

    def chunks(self, document_id: str, ordinals: Sequence[int]) -> list[Chunk]:
        """See :class:`~ingest.index.Index`."""
        condition = to_filter(Where(document_ids=(document_id,)), list(ordinals))
        with translated(self._directory):
            records, _ = self._shard.scroll(
                ScrollRequest(limit=len(ordinals) or 1, filter=condition, with_payload=True)
            )
        return sorted(map(_chunk, records), key=lambda chunk: chunk.ordinal)

    def dense_of(self, keys: Sequence[str]) -> dict[str, Dense]:
        """See :class:`~ingest.index.Index`."""
        return collect_dense(keys, self._having)

    def flush(self) -> None:
        """See :class:`~ingest.index.Index`."""
        with translated(self._directory):
            self._shard.flush()

    def fingerprint(self) -> Fingerprint:
        """See :class:`~ingest.index.Index`."""
        return self._fingerprint

    def close(self) -> None:
        """See :class:`~ingest.index.Index`."""
        if self._closed:
            return
        self._closed = True
        with translated(self._directory):
            try:
                self._shard.flush()
                note_sizes(self._directory)
            finally:
                self._shard.close()

    def _seal(self) -> None:
        """Seals what was stored last, if it is much: until then no other thread of this process runs."""
        with translated(self._directory):
            if self._shard.optimize():
                self._shard.flush()  # else the write-ahead log would keep all that is now elsewhere

    def _update(self, operation: UpdateOperation) -> None:
        with translated(self._directory):
            self._shard.update(operation)

    def _records(self, where: Where, page: int, *, content: bool) -> Iterator[Record]:
        offset = None
        while True:
            request = ScrollRequest(
                offset=offset, limit=page, filter=to_filter(where), with_payload=content, with_vector=content
            )
            with translated(self._directory):
                records, offset = self._shard.scroll(request)
            yield from records
            if offset is None:
                return

    def _having(self, keys: list[str]) -> list[Record]:
        condition = Filter(must=[FieldCondition(TEXT_KEY, match=MatchAny(keys))])
        request = ScrollRequest(limit=BATCH, filter=condition, with_payload=[TEXT_KEY], with_vector=[DENSE])
        with translated(self._directory):
            return self._shard.scroll(request)[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def drop(home: Path) -> None:
    """Removes the index below `home`, damaged or not; raises :class:`IndexLockedError` while it is in use."""
    directory = index_directory(home)
    if not directory.exists():
        return
    try:
        load_shard(directory).close()
    except IndexLockedError:
        raise
    except VectorIndexError:
        pass  # damaged, which may be why it is to go
    with translated(directory), TemporaryDirectory(prefix="old-", dir=directory.parent) as scrap:
        directory.rename(Path(scrap, "index"))


def _chunk(record: Record) -> Chunk:
    return to_chunk(record.id, record.payload or {})


def _item(directory: Path, record: Record) -> tuple[Chunk, Vectors]:
    with translated(directory):
        return _chunk(record), to_vectors(record.vector)
