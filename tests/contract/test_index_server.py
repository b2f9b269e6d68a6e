"""What only the server home must do: say what is wrong with the server."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from pydantic import SecretStr
from qdrant_client import QdrantClient, models

from ingest.errors import FingerprintError, IndexUnavailableError, VectorIndexError
from ingest.index import Fingerprint, Where, drop_index, open_index
from ingest.index.server import ServerIndex, drop
from ingest.settings import IngestSettings, StorageSettings


@contextmanager
def _server(status: int, body: bytes = b"{}") -> Iterator[tuple[str, list[str | None]]]:
    """A web server that answers everything alike; gives its address and the API keys it was shown."""
    keys: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            keys.append(self.headers["api-key"])
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", keys
        server.shutdown()
        thread.join()


def _settings(url: str, key: str | None = None) -> IngestSettings:
    storage = StorageSettings(home="server", url=url, api_key=None if key is None else SecretStr(key))
    return IngestSettings(storage=storage)


@pytest.mark.parametrize("use", [open_index, lambda settings, _: drop_index(settings)], ids=["open", "drop"])
def test_a_server_that_is_down(use: Callable[..., Any], fingerprint: Fingerprint) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(IndexUnavailableError, match=url) as caught:
        use(_settings(url), fingerprint)
    assert "docker compose up -d qdrant" in caught.value.hint


def test_a_server_that_refuses_the_key(fingerprint: Fingerprint) -> None:
    with (
        _server(401) as (url, keys),
        pytest.raises(IndexUnavailableError, match="refuses the API key") as caught,
    ):
        open_index(_settings(url, "wrong-key"), fingerprint)
    assert keys == ["wrong-key"]
    assert "wrong-key" not in str(caught.value)
    assert "storage.api_key" in caught.value.hint


@pytest.mark.parametrize("key", [None, ""])
def test_no_key_is_sent_where_none_is_set(fingerprint: Fingerprint, key: str | None) -> None:
    with _server(401) as (url, keys), pytest.raises(IndexUnavailableError):
        open_index(_settings(url, key), fingerprint)
    assert keys == [None]


def test_a_proxy_before_a_server_that_is_down(fingerprint: Fingerprint) -> None:
    with _server(502) as (url, _), pytest.raises(IndexUnavailableError, match="502"):
        open_index(_settings(url), fingerprint)


@pytest.mark.parametrize("status", [200, 404, 500])
@pytest.mark.parametrize("body", [b"<html>hello</html>", b'{"result": 7}', b"\xff"])
def test_a_server_that_is_no_qdrant(fingerprint: Fingerprint, status: int, body: bytes) -> None:
    with _server(status, body) as (url, _), pytest.raises(VectorIndexError, match=url) as caught:
        open_index(_settings(url), fingerprint)
    assert "storage.url" in caught.value.hint


@pytest.mark.parametrize("url", ["ftp://here", ":::", ""])
def test_an_address_that_is_none(fingerprint: Fingerprint, url: str) -> None:
    with pytest.raises(VectorIndexError) as caught:
        open_index(_settings(url), fingerprint)
    assert "storage.url" in caught.value.hint


def test_a_collection_of_someone_else_is_left_alone(fingerprint: Fingerprint) -> None:
    client = QdrantClient(":memory:")
    client.create_collection("transom", models.VectorParams(size=4, distance=models.Distance.DOT))
    with pytest.raises(VectorIndexError, match="not made by Transom") as caught:
        ServerIndex.open(StorageSettings(), fingerprint, client)
    assert "storage.name" in caught.value.hint
    assert client.count("transom").count == 0


def test_another_fingerprint_is_an_error_that_names_both(memory_index: ServerIndex, fingerprint: Fingerprint) -> None:
    client = memory_index._client
    with pytest.raises(FingerprintError, match=r"chunking\.tokens was 200 and is now 400"):
        ServerIndex.open(StorageSettings(), replace(fingerprint, chunk_tokens=400), client)
    again = ServerIndex.open(StorageSettings(), None, client)
    assert again.fingerprint() == fingerprint
    drop(StorageSettings(), client)
    with pytest.raises(VectorIndexError, match="no index"):
        ServerIndex.open(StorageSettings(), None, client)


def test_a_server_that_goes_away_later(fingerprint: Fingerprint, memory_index: ServerIndex) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    storage = StorageSettings(url=url)
    index = ServerIndex(QdrantClient(url=url, check_compatibility=False), storage, fingerprint)
    with index, pytest.raises(IndexUnavailableError, match=url):
        index.count(Where())
