"""A tiny GGUF, a model hub on this machine, and none."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import gguf
import numpy
import pytest
from huggingface_hub import close_session, constants

from tests.app.models.stand_ins import Hub

MakeGguf = Callable[..., Path]


@pytest.fixture
def make_gguf() -> MakeGguf:
    """Writes a small GGUF; keywords (dots as `__`) are added to its metadata."""

    def make(
        path: Path, architecture: str = "llama", vocabulary: bool = True, alignment: int = 32, **metadata: Any
    ) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        writer = gguf.GGUFWriter(path, architecture)
        writer.add_context_length(2048)
        writer.add_custom_alignment(alignment)
        if vocabulary:
            writer.add_tokenizer_model("llama")
            writer.add_token_list(["a", "b", "ö"])
        for key, value in metadata.items():
            writer.add_key_value(key.replace("__", "."), value, gguf.GGUFValueType.get_type(value))
        writer.add_tensor("token_embd.weight", numpy.ones((8, 32), numpy.float32))
        writer.add_tensor("output_norm.weight", numpy.ones(33, numpy.float16))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path

    return make


@pytest.fixture
def model_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A model hub on this machine, which `huggingface_hub` takes for the real one."""
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            hub.respond(self)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    _use(monkeypatch, hub.endpoint)
    yield hub
    close_session()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A hub at whose address nobody listens."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        port = server.server_port
    _use(monkeypatch, f"http://127.0.0.1:{port}")
    yield
    close_session()


def _use(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    close_session()  # a session keeps the proxy it was made with
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_IMPLICIT_TOKEN", True)
