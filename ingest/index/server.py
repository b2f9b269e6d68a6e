"""The index on a Qdrant server or cluster, for many people or many millions of chunks.

One Qdrant collection holds all of Transom's collections, which are a payload field with a tenant index. What
made the index stands in the Qdrant collection's metadata, which servers keep since version 1.16.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Self

from qdrant_client import QdrantClient, models
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ApiException, ResponseHandlingException, UnexpectedResponse

from ingest.documents import Chunk, Passage
from ingest.errors import IndexUnavailableError, NoIndexError, VectorIndexError
from ingest.index.ranking import DEPTH, LOOKED_AT, Ranking, to_passages, words_weight
from ingest.index.rest import to_filter, to_formula, to_point, to_sparse
from ingest.index.schema import (
    BATCH,
    BM25,
    DENSE,
    KEYWORDS,
    MAKE,
    ORDINAL,
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
    to_vectors,
)
from ingest.settings import StorageSettings

_METADATA = "transom"
_TIMEOUT_SECONDS = 60
_IDS = 10_000
"""Points read at once where only their ids are asked for."""
_START = "Start it (`docker compose up -d qdrant`), check storage.url, or set storage.home to `embedded`."
_CHECK = "Check that storage.url is a Qdrant server, of version 1.16 or newer."
_KEY = "Set storage.api_key, for example in TRANSOM_STORAGE__API_KEY."


class ServerIndex:
    """An :class:`~ingest.index.Index` on a Qdrant server."""

    def __init__(self, client: QdrantClient, storage: StorageSettings, fingerprint: Fingerprint) -> None:
        self._client = client
        self._name = storage.name
        self._url = storage.url
        self._fingerprint = fingerprint

    @classmethod
    def open(
        cls, storage: StorageSettings, fingerprint: Fingerprint | None, client: QdrantClient | None = None
    ) -> Self:
        """Opens the Qdrant collection `storage` names; makes it if it is missing and `fingerprint` says how.

        `client` stands in for a connection to `storage.url`. It is closed with the index.
        """
        client = client or _connect(storage)
        with _translated(storage.url):
            if not client.collection_exists(storage.name):
                _create(client, storage, fingerprint)
            info = client.get_collection(storage.name)
        stored = _read_fingerprint(info, storage)
        if fingerprint is not None:
            fingerprint.check(stored)
        with _translated(storage.url):
            for field in (*KEYWORDS, ORDINAL):  # each time, as making it may have been cut short
                if field not in info.payload_schema:
                    _create_payload_index(client, storage.name, field)
        return cls(client, storage, stored)

    def upsert(self, items: Sequence[tuple[Chunk, Vectors]]) -> None:
        """See :class:`~ingest.index.Index`."""
        for batch in batches(items):
            points = [to_point(chunk, vectors) for chunk, vectors in batch]
            with _translated(self._url):
                self._client.upsert(self._name, points, wait=True)

    def search(
        self, dense: Dense, bm25: SparseTerms, limit: int, where: Where, ranking: Ranking = "final"
    ) -> list[Passage]:
        """See :class:`~ingest.index.Index`."""
        depth = max(limit, DEPTH)
        condition = to_filter(where)
        words = models.QueryRequest(query=to_sparse(bm25), using=BM25, limit=depth, filter=condition)
        meaning = models.QueryRequest(query=[float(value) for value in dense], using=DENSE, filter=condition)
        single = {"dense": meaning, "bm25": words}.get(ranking)
        both = [
            models.Prefetch(query=query.query, using=query.using, limit=depth, filter=condition)
            for query in (meaning, words)
        ]
        best = models.QueryRequest(
            query=single.query if single else to_formula(words_weight(bm25)),
            using=single.using if single else None,
            prefetch=None if single else both,
            filter=condition,
            limit=max(limit, LOOKED_AT),
            with_payload=True,
            with_vector=[DENSE],
        )
        with _translated(self._url):
            found = self._client.query_batch_points(self._name, [best, words])
        return to_passages((dense, bm25), found[0].points, found[1].points, limit, ranking)

    def delete(self, where: Where, keep: Collection[str] = ()) -> None:
        """See :class:`~ingest.index.Index`."""
        if not keep:
            self._delete(models.FilterSelector(filter=to_filter(where)))
            return
        kept = frozenset(keep)
        stale = [id_ for record in self._records(where, _IDS, content=False) if (id_ := str(record.id)) not in kept]
        for ids in batches(stale):
            self._delete(models.PointIdsList(points=list(ids)))

    def count(self, where: Where) -> int:
        """See :class:`~ingest.index.Index`."""
        with _translated(self._url):
            return self._client.count(self._name, to_filter(where), exact=True).count

    def scroll(self, where: Where) -> Iterator[tuple[Chunk, Vectors]]:
        """See :class:`~ingest.index.Index`."""
        return map(_item, self._records(where, BATCH, content=True))

    def chunks(self, document_id: str, ordinals: Sequence[int]) -> list[Chunk]:
        """See :class:`~ingest.index.Index`."""
        condition = to_filter(Where(document_ids=(document_id,)), list(ordinals))
        with _translated(self._url):
            records, _ = self._client.scroll(self._name, condition, limit=len(ordinals) or 1)
        return sorted(map(_chunk, records), key=lambda chunk: chunk.ordinal)

    def dense_of(self, keys: Sequence[str]) -> dict[str, Dense]:
        """See :class:`~ingest.index.Index`."""
        return collect_dense(keys, self._having)

    def flush(self) -> None:
        """Nothing to do: every write waits until the server has it."""

    def fingerprint(self) -> Fingerprint:
        """See :class:`~ingest.index.Index`."""
        return self._fingerprint

    def close(self) -> None:
        """See :class:`~ingest.index.Index`."""
        self._client.close()

    def _delete(self, points: models.PointsSelector) -> None:
        with _translated(self._url):
            self._client.delete(self._name, points, wait=True)

    def _records(self, where: Where, page: int, *, content: bool) -> Iterator[models.Record]:
        offset = None
        while True:
            with _translated(self._url):
                records, offset = self._client.scroll(
                    self._name,
                    to_filter(where),
                    limit=page,
                    offset=offset,
                    with_payload=content,
                    with_vectors=content,
                )
            yield from records
            if offset is None:
                return

    def _having(self, keys: list[str]) -> list[models.Record]:
        condition = models.Filter(must=[models.FieldCondition(key=TEXT_KEY, match=models.MatchAny(any=keys))])
        with _translated(self._url):
            return self._client.scroll(
                self._name, condition, limit=BATCH, with_payload=[TEXT_KEY], with_vectors=[DENSE]
            )[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def drop(storage: StorageSettings, client: QdrantClient | None = None) -> None:
    """Removes the Qdrant collection named in `storage`, if it is there."""
    client = client or _connect(storage)
    with _translated(storage.url):
        client.delete_collection(storage.name)


def _connect(storage: StorageSettings) -> QdrantClient:
    """A client that asks nothing of the server yet.

    The key goes as a header, as with `api_key` the client would warn about every http address, loopback too.
    """
    headers = {"api-key": storage.api_key.get_secret_value()} if storage.api_key else None
    try:
        return QdrantClient(url=storage.url, headers=headers, timeout=_TIMEOUT_SECONDS, check_compatibility=False)
    except ValueError as error:
        raise IndexUnavailableError(
            f"{storage.url!r} is no address of a Qdrant server: {error}", "Check storage.url."
        ) from error


def _create(client: QdrantClient, storage: StorageSettings, fingerprint: Fingerprint | None) -> None:
    if fingerprint is None:
        raise NoIndexError(f"There is no index {storage.name!r} at {storage.url}.", MAKE)
    client.create_collection(
        storage.name,
        vectors_config={DENSE: models.VectorParams(size=fingerprint.dimension, distance=models.Distance.COSINE)},
        sparse_vectors_config={BM25: models.SparseVectorParams(modifier=models.Modifier.IDF)},
        metadata={_METADATA: fingerprint.to_json()},
    )


def _create_payload_index(client: QdrantClient, name: str, field: str) -> None:
    keyword = models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=field == TENANT)
    kind = models.PayloadSchemaType.INTEGER if field == ORDINAL else keyword
    client.create_payload_index(name, field, kind, wait=True)


def _read_fingerprint(info: models.CollectionInfo, storage: StorageSettings) -> Fingerprint:
    try:
        return Fingerprint.from_json((info.config.metadata or {})[_METADATA])
    except (KeyError, TypeError, ValueError) as error:
        raise VectorIndexError(
            f"The Qdrant collection {storage.name!r} at {storage.url} was not made by Transom.",
            "Give Transom another one (storage.name). The server must be Qdrant 1.16 or newer.",
        ) from error


@contextmanager
def _translated(url: str) -> Iterator[None]:
    try:
        yield
    except ResponseHandlingException as error:
        reason = str(error.source).partition("\n")[0]
        raise IndexUnavailableError(f"The Qdrant server at {url} does not answer: {reason}", _START) from error
    except UnexpectedResponse as error:
        raise _refusal(url, error) from error
    except (ApiException, QdrantException, ValueError) as error:
        raise VectorIndexError(f"The Qdrant server at {url} failed: {error}", _CHECK) from error


def _refusal(url: str, error: UnexpectedResponse) -> VectorIndexError:
    reason = f"{error.status_code} {error.reason_phrase}"
    if error.status_code in {401, 403}:
        return IndexUnavailableError(f"The Qdrant server at {url} refuses the API key ({reason}).", _KEY)
    if error.status_code in {502, 503, 504}:
        return IndexUnavailableError(f"The Qdrant server at {url} does not answer ({reason}).", _START)
    detail = error.content.decode("utf-8", "replace")[:200]
    return VectorIndexError(f"The Qdrant server at {url} refused: {reason} {detail}", _CHECK)


def _chunk(record: models.Record) -> Chunk:
    return to_chunk(record.id, record.payload or {})


def _item(record: models.Record) -> tuple[Chunk, Vectors]:
    return _chunk(record), to_vectors(record.vector)
