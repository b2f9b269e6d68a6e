"""The files of the embedded index: made, opened, checked, and room for them.

::

    TRANSOM_HOME/index/embedded/vectors/
        shard/              Qdrant Edge's own files
        fingerprint.json    what made the index
        files.json          how long each of Edge's files was when the index was closed; absent while it is open

The directory is built aside and renamed into place, so it is there completely or not at all.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import disk_usage
from tempfile import TemporaryDirectory

from qdrant_edge import (
    Distance,
    EdgeConfig,
    EdgeOptimizersConfig,
    EdgeShard,
    EdgeSparseVectorParams,
    EdgeVectorParams,
    HnswIndexConfig,
    IntegerIndexParams,
    KeywordIndexParams,
    Memory,
    Modifier,
    UpdateOperation,
)

from ingest.errors import IndexLockedError, VectorIndexError
from ingest.index.schema import BM25, DENSE, KEYWORDS, ORDINAL, REBUILD, TENANT, Fingerprint

_SEGMENT = 2_500
"""Chunks after which a segment is sealed: a quarter of a second of work, during which no other thread runs."""

_SEGMENTS = 32
"""More segments than this are merged, the small ones first, into such of eight times that size at most."""

_SCAN = 500
"""Chunks of a segment up to which their words are compared one by one; with the usual 5,000 a segment would never
use its inverted index for a query within a collection."""

_ROOM_MB = 512
"""Room on the disk that a write asks for: what files have laid claim to without having it, and one merge."""


def index_directory(home: Path) -> Path:
    """Where the index of a TRANSOM_HOME lies."""
    return home / "index" / "embedded" / "vectors"


def _sizes_file(directory: Path) -> Path:
    return directory / "files.json"


def _sizes(directory: Path) -> dict[str, int]:
    shard = directory / "shard"
    return {str(path.relative_to(shard)): path.stat().st_size for path in shard.rglob("*") if path.is_file()}


def note_sizes(directory: Path) -> None:
    """Notes how long each file is, for the next opening; to be called when all is written, before closing."""
    with suppress(OSError):  # on a full disk: then the next to open has nothing to compare with
        _sizes_file(directory).write_text(json.dumps(_sizes(directory)), "utf-8")


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


def create_index(directory: Path, fingerprint: Fingerprint) -> None:
    """Makes an empty index, unless another process is faster."""
    with translated(directory):
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
    """No graph (HNSW): building one holds up the whole process, for 15 s at 100,000 chunks and more.

    Looking at every vector takes some milliseconds there, and the best is found for certain. What is sealed lies in
    mapped files; only what came after it takes memory.
    """
    kilobytes = _SEGMENT * dimension * 4 // 1024
    return EdgeConfig(
        vectors={DENSE: EdgeVectorParams(size=dimension, distance=Distance.Cosine, memory=Memory.Cached)},
        sparse_vectors={
            BM25: EdgeSparseVectorParams(full_scan_threshold=_SCAN, modifier=Modifier.Idf, memory=Memory.Cached)
        },
        hnsw_config=HnswIndexConfig(m=0, ef_construct=100, full_scan_threshold=0),
        optimizers=EdgeOptimizersConfig(
            indexing_threshold=kilobytes, max_segment_size=8 * kilobytes, default_segment_number=_SEGMENTS
        ),
        id_tracker_memory=Memory.Cached,
    )


def read_fingerprint(directory: Path) -> Fingerprint:
    """What made an index; raises :class:`VectorIndexError` where that is damaged or missing."""
    try:
        return Fingerprint.from_json(json.loads((directory / "fingerprint.json").read_text("utf-8")))
    except (OSError, TypeError, ValueError) as error:
        raise VectorIndexError(f"The index in {directory} is damaged: {error}", REBUILD) from error


def load_shard(directory: Path) -> EdgeShard:
    """Opens an index; raises :class:`IndexLockedError` or, where it is damaged, :class:`VectorIndexError`."""
    shard = directory / "shard"
    if not any(shard.glob("segments/*/segment.json")):  # Edge would open it, and find it silently empty
        raise VectorIndexError(f"The index in {directory} is damaged: its segments are missing.", REBUILD)
    with translated(directory):
        _check_whole(directory)
        return EdgeShard.load(str(shard))


@contextmanager
def translated(directory: Path) -> Iterator[None]:
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
                f"The index in {directory} is open in another process.",
                "Wait until it is done; or open the chat (`transom chat`): beside it commands share the index.",
            ) from error
        on_disk = isinstance(error, OSError)
        hint = "Check its permissions and the room on its disk." if on_disk else REBUILD
        raise VectorIndexError(f"The index in {directory} cannot be used: {error}", hint) from error


def require_room(directory: Path) -> None:
    """Edge writes through mapped files, and the system ends a process that does so on a full disk."""
    free = disk_usage(directory).free // 2**20
    if free < _ROOM_MB:
        raise VectorIndexError(
            f"Only {free} MB are free on the disk of {directory}; the index needs {_ROOM_MB} MB to go on.",
            "What is stored stays. Make room, then run the same command again.",
        )
