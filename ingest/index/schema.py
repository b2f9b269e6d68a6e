"""What is stored and what is asked: the types of the index, and the one form a chunk takes as payload.

Both homes store exactly this, so an index can be copied from one to the other and answers the same.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import islice
from typing import Any, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from ingest.context import text_key
from ingest.documents import Chunk
from ingest.errors import FingerprintError

DENSE = "dense"
"""Name of the dense vector of a point."""

BM25 = "bm25"
"""Name of the sparse vector of a point."""

BATCH = 256
"""Points written or read at once when there are many."""

Dense = Sequence[float] | NDArray[np.float32]

T = TypeVar("T")

TENANT = "collection"
"""The payload field by which points are kept together: most searches stay within one collection."""

TEXT_KEY = "text_key"
"""The payload field that chunks with the same dense vector have in common."""

KEYWORDS = (TENANT, "document_id", "paths", TEXT_KEY)
"""Payload fields with a keyword index: what :class:`Where` can ask for, and what vectors are found again by."""

ORDINAL = "ordinal"
"""The payload field with an integer index: a server in strict mode filters by nothing that has none."""

MAKE = "Make one: `transom ingest PATH...`"
REBUILD = "If this goes on, make the index anew from the documents: `transom ingest --rebuild PATH...`"


@dataclass(frozen=True, slots=True)
class SparseTerms:
    """A sparse vector: the terms of a text, and the weight of each."""

    indices: tuple[int, ...]
    values: tuple[float, ...]
    words: int = 0
    """Of a query, how many words the terms stand for: stemmed in several languages, a word has several terms."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """The two vectors of a chunk."""

    dense: Dense
    """Of length 1: then it is stored, and read back, bit for bit."""
    bm25: SparseTerms
    """Without idf, which the index applies."""


@dataclass(frozen=True, slots=True)
class Where:
    """Which chunks are meant: those that meet every condition given; all of them if none is."""

    collection: str | None = None
    document_ids: tuple[str, ...] = ()
    """Any of these; empty means any document at all."""
    path_prefix: str = ""
    """A folder or a file, as the beginning of the uri: "reports" holds "reports/a.pdf", not "reports.pdf"."""

    def conditions(self) -> Iterator[tuple[str, list[str]]]:
        """Pairs of a payload field and the values of which it must hold one."""
        if self.collection is not None:
            yield TENANT, [self.collection]
        if self.document_ids:
            yield "document_id", list(self.document_ids)
        if path := self.path_prefix.strip("/"):
            yield "paths", [path]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What made an index. Vectors of another embedder or chunks of another cut do not belong into it."""

    embedder: str
    dimension: int
    chunk_tokens: int
    chunk_overlap: int
    version: int
    """Of the chunker."""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The fingerprint that :meth:`to_json` wrote; raises :class:`ValueError` if it is none."""
        if set(value) != {field.name for field in fields(cls)}:
            raise ValueError(f"not a fingerprint: {value!r}")
        return cls(**value)

    def to_json(self) -> dict[str, Any]:
        """Plain data, to be kept beside the index."""
        return asdict(self)

    def check(self, stored: Self) -> None:
        """Raises :class:`FingerprintError` where the `stored` fingerprint of an index is not this one."""
        differing = [name for name in _SETTING if getattr(self, name) != getattr(stored, name)]
        if not differing:
            return
        changes = "; ".join(
            f"{_SETTING[name]} was {getattr(stored, name)!r} and is now {getattr(self, name)!r}" for name in differing
        )
        raise FingerprintError(
            f"The index was made with other settings: {changes}.",
            "Set it back, or make the index anew from the documents: `transom ingest --rebuild PATH...`",
        )


_SETTING = {
    "embedder": "embedding.model",
    "dimension": "the length of a vector",
    "chunk_tokens": "chunking.tokens",
    "chunk_overlap": "chunking.overlap",
    "version": "the version of the chunker",
}


def to_payload(chunk: Chunk) -> dict[str, Any]:
    """The payload of a chunk's point; the point's id is the chunk's."""
    return {
        "collection": chunk.collection,
        "document_id": chunk.document_id,
        "uri": chunk.uri,
        "title": chunk.title,
        ORDINAL: chunk.ordinal,
        "text": chunk.text,
        "headings": list(chunk.headings),
        "pages": list(chunk.pages),
        "page_starts": list(chunk.page_starts),
        "start": chunk.span[0],
        "end": chunk.span[1],
        "tokens": chunk.tokens,
        "language": chunk.language,
        "paths": _paths(chunk.uri),
        TEXT_KEY: text_key(chunk),
    }


def to_chunk(point_id: object, payload: Mapping[str, Any]) -> Chunk:
    """The chunk of a point: the inverse of :func:`to_payload`."""
    return Chunk(
        id=str(point_id),
        collection=payload["collection"],
        document_id=payload["document_id"],
        uri=payload["uri"],
        title=payload["title"],
        ordinal=payload[ORDINAL],
        text=payload["text"],
        headings=tuple(payload["headings"]),
        pages=tuple(payload["pages"]),
        span=(payload["start"], payload["end"]),
        tokens=payload["tokens"],
        page_starts=tuple(payload["page_starts"]),
        language=payload.get("language", ""),  # older indexes know none
    )


def to_vectors(named: Any) -> Vectors:
    """The vectors of a point, as both homes return them."""
    terms = named[BM25]
    return Vectors(named[DENSE], SparseTerms(tuple(terms.indices), tuple(terms.values)))


class Stored(Protocol):
    """A point that was read, as both homes return it."""

    @property
    def id(self) -> Any:
        """Of the point."""

    @property
    def payload(self) -> Any:
        """As :func:`to_payload` made it, if it was asked for."""

    @property
    def vector(self) -> Any:
        """By name, those that were asked for."""


def collect_dense(keys: Iterable[str], find: Callable[[list[str]], Sequence[Stored]]) -> dict[str, Dense]:
    """The dense vectors stored under `keys`; `find` gives some of the points under any of these, at most BATCH.

    A key may stand for more points than that: what hides behind them is asked for again.
    """
    found: dict[str, Dense] = {}
    for batch in batches(dict.fromkeys(keys)):
        pending = set(batch)
        while pending:
            hits = find(list(pending))
            found.update((hit.payload[TEXT_KEY], hit.vector[DENSE]) for hit in hits)
            pending -= found.keys()
            if len(hits) < BATCH:
                break
    return found


def batches(items: Iterable[T]) -> Iterator[list[T]]:
    """`items` in lists of :data:`BATCH`."""
    remaining = iter(items)
    while batch := list(islice(remaining, BATCH)):
        yield batch


def _paths(uri: str) -> list[str]:
    """The folders above `uri`, and itself: a prefix becomes an exact match, which every Qdrant can do."""
    parts = uri.split("/")
    return ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]
