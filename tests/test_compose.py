"""docker-compose.yml: loopback only, pinned, and a health check that tells ready from not ready."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]


@contextmanager
def _answering(status: int) -> Iterator[int]:
    """A port on which /readyz is answered with `status`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/readyz" else 404)
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def _check(port: int) -> int:
    command, *arguments = SERVICES["qdrant"]["healthcheck"]["test"][1:]
    arguments[-1] = arguments[-1].replace("$$", "$").replace("/6333", f"/{port}")
    return subprocess.run([command, *arguments], capture_output=True, timeout=10, check=False).returncode


def test_every_port_is_published_on_the_loopback_interface_only() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert sorted(ports) == ["127.0.0.1:6333:6333", "127.0.0.1:8501:8501"]


def test_images_are_pinned_and_telemetry_is_off() -> None:
    qdrant = SERVICES["qdrant"]
    assert qdrant["image"] == "qdrant/qdrant:v1.19.0"
    assert qdrant["environment"]["QDRANT__TELEMETRY_DISABLED"] == "true"
    assert SERVICES["app"]["build"] == "."


def test_the_app_waits_for_a_healthy_server_and_cannot_write_documents() -> None:
    app = SERVICES["app"]
    assert app["depends_on"] == {"qdrant": {"condition": "service_healthy"}}
    assert app["environment"]["TRANSOM_STORAGE__HOME"] == "server"
    assert "${DOCS:-./examples}:/documents:ro" in app["volumes"]


def test_the_chat_in_its_container_takes_its_password_from_outside() -> None:
    app = SERVICES["app"]
    assert app["command"] == ["transom", "chat", "--host", "0.0.0.0"]
    assert app["environment"]["TRANSOM_CHAT__PASSWORD"] == "${TRANSOM_CHAT__PASSWORD:-}"
    assert not any("PASSWORD=" in line for line in (ROOT / "Dockerfile").read_text("utf-8").splitlines())


@pytest.mark.skipif(shutil.which("bash") is None, reason="the check runs in bash")
def test_the_health_check_tells_ready_from_not_ready() -> None:
    with _answering(200) as port:
        assert _check(port) == 0
    assert _check(port) != 0
    with _answering(503) as port:
        assert _check(port) != 0
