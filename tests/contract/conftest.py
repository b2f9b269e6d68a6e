"""The homes of the index, and chunks to put into them."""

import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4
from zlib import crc32

import numpy as np
import pytest
from pydantic import SecretStr
from qdrant_client import QdrantClient
from qdrant_edge import Bm25, Bm25Config
from qdrant_edge import SparseVector as EdgeSparseVector

from ingest.documents import Chunk, chunk_id, document_id
from ingest.index import Fingerprint, Index, SparseTerms, Vectors, shard
from ingest.index.embedded import EmbeddedIndex
from ingest.index.server import ServerIndex, drop
from ingest.settings import StorageSettings

DIMENSION = 16
LIVE_URL = os.environ.get("TRANSOM_TEST_QDRANT_URL")
LIVE_KEY = os.environ.get("TRANSOM_TEST_QDRANT_API_KEY")


@pytest.fixture
def fingerprint() -> Fingerprint:
    return Fingerprint("toy", dimension=DIMENSION, chunk_tokens=200, chunk_overlap=0, version=1)


@pytest.fixture(params=["embedded", "memory", "live"] if LIVE_URL else ["embedded", "memory"])
def index(request: pytest.FixtureRequest) -> Index:
    """An empty index, in each home."""
    home: Index = request.getfixturevalue(f"{request.param}_index")
    return home


@pytest.fixture
def embedded_index(tmp_path: Path, fingerprint: Fingerprint) -> Iterator[EmbeddedIndex]:
    with EmbeddedIndex.open(tmp_path, fingerprint) as opened:
        yield opened


@pytest.fixture
def sealed_index(tmp_path: Path, fingerprint: Fingerprint, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedIndex]:
    """The embedded home with segments so small that they are sealed and merged all the time."""
    monkeypatch.setattr(shard, "_SEGMENT", 20)
    monkeypatch.setattr(shard, "_SEGMENTS", 3)
    with EmbeddedIndex.open(tmp_path, fingerprint) as opened:
        yield opened


@pytest.fixture
def memory_index(fingerprint: Fingerprint) -> Iterator[ServerIndex]:
    """The server home on the client's local mode, which warns that it has no payload indexes."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Payload indexes have no effect")
        opened = ServerIndex.open(StorageSettings(), fingerprint, QdrantClient(":memory:"))
    with opened:
        yield opened


@pytest.fixture
def live_index(fingerprint: Fingerprint) -> Iterator[ServerIndex]:
    storage = StorageSettings(
        home="server",
        url=LIVE_URL or "",
        api_key=SecretStr(LIVE_KEY) if LIVE_KEY else None,
        name=f"transom-test-{uuid4()}",
    )
    try:
        with ServerIndex.open(storage, fingerprint) as opened:
            yield opened
    finally:
        drop(storage)


@pytest.fixture
def item() -> Callable[..., tuple[Chunk, Vectors]]:
    """Makes a chunk and its vectors: `topic` is what it means, `text` holds its words."""

    def make(
        text: str, topic: int = 0, *, uri: str = "notes/a.md", collection: str = "main", ordinal: int = 0
    ) -> tuple[Chunk, Vectors]:
        document = document_id(collection, "/root", uri)
        span = (ordinal * 1000, ordinal * 1000 + len(text))
        chunk = Chunk(
            id=chunk_id(document, span, text),
            collection=collection,
            document_id=document,
            uri=uri,
            title=f"Title of {uri}",
            ordinal=ordinal,
            text=text,
            headings=("Part", "Section"),
            pages=(ordinal, ordinal + 1),
            span=span,
            tokens=len(text.split()),
        )
        return chunk, Vectors(_meaning(text, topic), _terms(_BM25.embed_document(text)))

    return make


@pytest.fixture
def query() -> Callable[..., tuple[list[float], SparseTerms]]:
    """Makes the two vectors of a query."""

    def make(text: str, topic: int = 0) -> tuple[list[float], SparseTerms]:
        return _meaning(text, topic), _terms(_BM25.embed_query(text))

    return make


_BM25 = Bm25(Bm25Config(language="english"))


def _meaning(text: str, topic: int) -> list[float]:
    """A vector of length 1 near the axis of `topic`; every text has its own."""
    vector = np.random.default_rng(crc32(text.encode())).normal(scale=0.05, size=DIMENSION).astype(np.float32)
    vector[topic] += 1
    values: list[float] = (vector / np.linalg.norm(vector)).tolist()
    return values


def _terms(vector: EdgeSparseVector) -> SparseTerms:
    return SparseTerms(tuple(vector.indices), tuple(vector.values))
