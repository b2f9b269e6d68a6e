"""The index in a directory on this machine: Qdrant Edge, in this process, without a server.

::

    TRANSOM_HOME/index/embedded/vectors/
        shard/              Qdrant Edge's own files
        fingerprint.json    what made the index
        files.json          the size of each of them when it was closed; absent while it is open

The directory is built aside and renamed into place, so it is there completely or not at all. A write is safe
from a killed process as soon as it returns (write-ahead log). One process at a time can have it open; within
the process any thread may use it, as every call holds the interpreter lock.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from shutil import disk_usage
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from qdrant_edge import (
    CountRequest,
    Distance,
    EdgeConfig,
    EdgeOptimizersConfig,
    EdgeShard,
    EdgeSparseVectorParams,
    EdgeVectorParams,
    FieldCondition,
    Filter,
    Fusion,
    HnswIndexConfig,
    IntegerIndexParams,
    KeywordIndexParams,
    MatchAny,
    Memory,
    Modifier,
    Point,
    Prefetch,
    Query,
    QueryBatchRequest,
    QueryRequest,
    Record,
    ScrollRequest,
    SparseVector,
    UpdateOperation,
)

from ingest.documents import Chunk, Passage
from ingest.errors import IndexLockedError, NoIndexError, VectorIndexError
from ingest.index.schema import (
    BATCH,
    BM25,
    DENSE,
    DEPTH,
    KEYWORDS,
    MAKE,
    ORDINAL,
    REBUILD,
    TENANT,
    TEXT_KEY,
    Dense,
    Fingerprint,
    SparseTerms,
    Vectors,
    Where,
    batches,
    collect_dense,
    to_chunk,
    to_passages,
    to_payload,
    to_vectors,
)

_SEGMENT = 2_500
"""Chunks after which a segment is sealed: a quarter of a second of work, during which no other thread runs."""

_SEGMENTS = 32
"""More segments than this are merged, the small ones first, into such of eight times that size at most."""

_ROOM_MB = 512
"""Room on the disk that a write asks for: what files have laid claim to without having it, and one merge."""

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
        directory = _directory(home)
        if not directory.exists():
            if fingerprint is None:
                raise NoIndexError(f"There is no index in {directory}.", MAKE)
            _create(directory, fingerprint)
        stored = _read_fingerprint(directory)
        if fingerprint is not None:
            fingerprint.check(stored)
        return cls(directory, _load(directory), stored)

    def upsert(self, items: Sequence[tuple[Chunk, Vectors]]) -> None:
        """See :class:`~ingest.index.Index`."""
        for batch in batches(items):
            _require_room(self._directory)
            points = [_point(chunk, vectors) for chunk, vectors in batch]
            self._update(UpdateOperation.upsert_points(points))
            self.optimize()

    def search(self, dense: Dense, bm25: SparseTerms, limit: int, where: Where) -> list[Passage]:
        """See :class:`~ingest.index.Index`."""
        depth = max(limit, DEPTH)
        condition = _filter(where)
        meaning = Query.Nearest([float(value) for value in dense], using=DENSE)
        words = Query.Nearest(_sparse(bm25), using=BM25)
        fused = QueryRequest(
            limit=limit,
            query=Fusion.Dbsf(),  # type: ignore[arg-type]  # the stubs forget that it is a Fusion
            prefetches=[Prefetch(limit=depth, query=query, filter=condition) for query in (meaning, words)],
            with_payload=True,
            with_vector=[DENSE],
        )
        # planned as one batch with the query above, which needs the same scores, this costs next to nothing
        by_words = QueryRequest(limit=depth, query=words, filter=condition)
        with _translated(self._directory):
            return to_passages(dense, *self._shard.query_batch(QueryBatchRequest([fused, by_words])))

    def delete(self, where: Where, keep: Collection[str] = ()) -> None:
        """See :class:`~ingest.index.Index`."""
        if not keep:
            self._update(UpdateOperation.delete_points_by_filter(_filter(where)))
            return
        kept = frozenset(keep)
        stale = [id_ for record in self._records(where, _IDS, content=False) if (id_ := str(record.id)) not in kept]
        for ids in batches(stale):
            self._update(UpdateOperation.delete_points(list(ids)))

    def count(self, where: Where) -> int:
        """See :class:`~ingest.index.Index`."""
        with _translated(self._directory):
            return self._shard.count(CountRequest(filter=_filter(where)))

    def scroll(self, where: Where) -> Iterator[tuple[Chunk, Vectors]]:
        """See :class:`~ingest.index.Index`."""
        return map(partial(_item, self._directory), self._records(where, BATCH, content=True))

    def chunks(self, document_id: str, ordinals: Sequence[int]) -> list[Chunk]:
        """See :class:`~ingest.index.Index`."""
        condition = _filter(Where(document_ids=(document_id,)), list(ordinals))
        with _translated(self._directory):
            records, _ = self._shard.scroll(
                ScrollRequest(limit=len(ordinals) or 1, filter=condition, with_payload=True)
            )
        return sorted(map(_chunk, records), key=lambda chunk: chunk.ordinal)

    def dense_of(self, keys: Sequence[str]) -> dict[str, Dense]:
        """See :class:`~ingest.index.Index`."""
        return collect_dense(keys, self._having)

    def optimize(self) -> None:
        """See :class:`~ingest.index.Index`."""
        with _translated(self._directory):
            if self._shard.optimize():
                self._shard.flush()  # else the write-ahead log would keep all that is now elsewhere

    def flush(self) -> None:
        """See :class:`~ingest.index.Index`."""
        with _translated(self._directory):
            self._shard.flush()

    def fingerprint(self) -> Fingerprint:
        """See :class:`~ingest.index.Index`."""
        return self._fingerprint

    def close(self) -> None:
        """See :class:`~ingest.index.Index`."""
        if self._closed:
            return
        self._closed = True
        with _translated(self._directory):
            try:
                self._shard.flush()
                with suppress(OSError):  # on a full disk: then the next to open has nothing to compare with
                    _sizes_file(self._directory).write_text(json.dumps(_sizes(self._directory)), "utf-8")
            finally:
                self._shard.close()

    def _update(self, operation: UpdateOperation) -> None:
        with _translated(self._directory):
            self._shard.update(operation)

    def _records(self, where: Where, page: int, *, content: bool) -> Iterator[Record]:
        offset = None
        while True:
            request = ScrollRequest(
                offset=offset, limit=page, filter=_filter(where), with_payload=content, with_vector=content
            )
            with _translated(self._directory):
                records, offset = self._shard.scroll(request)
            yield from records
            if offset is None:
                return

    def _having(self, keys: list[str]) -> list[Record]:
        condition = Filter(must=[FieldCondition(TEXT_KEY, match=MatchAny(keys))])
        request = ScrollRequest(limit=BATCH, filter=condition, with_payload=[TEXT_KEY], with_vector=[DENSE])
        with _translated(self._directory):
            return self._shard.scroll(request)[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def drop(home: Path) -> None:
    """Removes the index below `home`, damaged or not; raises :class:`IndexLockedError` while it is in use."""
    directory = _directory(home)
    if not directory.exists():
        return
    try:
        _load(directory).close()
    except IndexLockedError:
        raise
    except VectorIndexError:
        pass  # damaged, which may be why it is to go
    with _translated(directory), TemporaryDirectory(prefix="old-", dir=directory.parent) as scrap:
        directory.rename(Path(scrap, "index"))


def _directory(home: Path) -> Path:
    return home / "index" / "embedded" / "vectors"


def _sizes_file(directory: Path) -> Path:
    return directory / "files.json"


def _sizes(directory: Path) -> dict[str, int]:
    shard = directory / "shard"
    return {str(path.relative_to(shard)): path.stat().st_size for path in shard.rglob("*") if path.is_file()}


def _check_whole(directory: Path) -> None:
    """Edge opens an index of which a file is cut short or missing, and then leaves out chunks without a word."""
    file = _sizes_file(directory)
    if not file.exists():  # open, or left by a killed process
        return
    expected, found = json.loads(file.read_text("utf-8")), _sizes(directory)
    if expected != found:
        name = min(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
        raise VectorIndexError(
            f"The index in {directory} is damaged: {name} is not as long as it was, or is gone.", REBUILD
        )
    file.unlink()


def _create(directory: Path, fingerprint: Fingerprint) -> None:
    with _translated(directory):
        directory.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix="new-", dir=directory.parent, ignore_cleanup_errors=True) as scratch:
            fresh = Path(scratch, "index")
            fresh.mkdir()
            _create_shard(fresh / "shard", fingerprint.dimension)
            (fresh / "fingerprint.json").write_text(json.dumps(fingerprint.to_json(), indent=2), "utf-8")
            try:
                fresh.rename(directory)
            except OSError:
                if not directory.exists():  # else another process was faster: its index is as good
                    raise


def _create_shard(path: Path, dimension: int) -> None:
    shard = EdgeShard.create(str(path), _config(dimension))
    for field in KEYWORDS:
        keyword = KeywordIndexParams(is_tenant=field == TENANT, memory=Memory.Cached)
        shard.update(UpdateOperation.create_field_index(field, keyword))
    shard.update(UpdateOperation.create_field_index(ORDINAL, IntegerIndexParams(memory=Memory.Cached)))
    shard.close()


def _config(dimension: int) -> EdgeConfig:
    """No graph (HNSW): building one holds up the whole process, for a minute at 100,000 chunks.

    Looking at every vector takes some milliseconds there, and the best is found for certain. What is sealed lies in
    mapped files; only what came after it takes memory.
    """
    kilobytes = _SEGMENT * dimension * 4 // 1024
    return EdgeConfig(
        vectors={DENSE: EdgeVectorParams(size=dimension, distance=Distance.Cosine, memory=Memory.Cached)},
        sparse_vectors={BM25: EdgeSparseVectorParams(modifier=Modifier.Idf, memory=Memory.Cached)},
        hnsw_config=HnswIndexConfig(m=0, ef_construct=100, full_scan_threshold=0),
        optimizers=EdgeOptimizersConfig(
            indexing_threshold=kilobytes, max_segment_size=8 * kilobytes, default_segment_number=_SEGMENTS
        ),
        id_tracker_memory=Memory.Cached,
    )


def _read_fingerprint(directory: Path) -> Fingerprint:
    try:
        return Fingerprint.from_json(json.loads((directory / "fingerprint.json").read_text("utf-8")))
    except (OSError, TypeError, ValueError) as error:
        raise VectorIndexError(f"The index in {directory} is damaged: {error}", REBUILD) from error


def _load(directory: Path) -> EdgeShard:
    shard = directory / "shard"
    if not any(shard.glob("segments/*/segment.json")):  # Edge would open it, and find it silently empty
        raise VectorIndexError(f"The index in {directory} is damaged: its segments are missing.", REBUILD)
    with _translated(directory):
        _check_whole(directory)
        return EdgeShard.load(str(shard))


@contextmanager
def _translated(directory: Path) -> Iterator[None]:
    """Edge raises plain exceptions, and its panics are no `Exception` at all but a `BaseException`."""
    try:
        yield
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        if isinstance(error, VectorIndexError):
            raise
        if "WouldBlock" in str(error):
            raise IndexLockedError(
                f"The index in {directory} is open in another process.", "Close the other Transom first."
            ) from error
        on_disk = isinstance(error, OSError)
        hint = "Check its permissions and the room on its disk." if on_disk else REBUILD
        raise VectorIndexError(f"The index in {directory} cannot be used: {error}", hint) from error


def _require_room(directory: Path) -> None:
    """Edge writes through mapped files, and the system ends a process that does so on a full disk."""
    free = disk_usage(directory).free // 2**20
    if free < _ROOM_MB:
        raise VectorIndexError(
            f"Only {free} MB are free on the disk of {directory}; the index needs {_ROOM_MB} MB to go on.",
            "What is stored stays. Make room, then run the same command again.",
        )


def _filter(where: Where, ordinals: list[int] | None = None) -> Filter:
    conditions = [FieldCondition(field, match=MatchAny(values)) for field, values in where.conditions()]
    if ordinals is not None:
        conditions.append(FieldCondition(ORDINAL, match=MatchAny(ordinals)))
    return Filter(must=list(conditions))


def _point(chunk: Chunk, vectors: Vectors) -> Point:
    dense = [float(value) for value in vectors.dense]
    return Point(chunk.id, {DENSE: dense, BM25: _sparse(vectors.bm25)}, to_payload(chunk))


def _sparse(terms: SparseTerms) -> SparseVector:
    return SparseVector(list(terms.indices), list(terms.values))


def _chunk(record: Record) -> Chunk:
    return to_chunk(record.id, record.payload or {})


def _item(directory: Path, record: Record) -> tuple[Chunk, Vectors]:
    with _translated(directory):
        return _chunk(record), to_vectors(record.vector)
