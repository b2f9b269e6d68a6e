"""The border of the chat's process: where it listens, and whom it lets in."""

import asyncio
import socket
from typing import Any

import pytest

from app.server import SameOrigin, serve
from app.settings import Settings
from ingest.errors import UsageError


def let_in(origin: str | None, host: str) -> bool:
    reached: list[str] = []
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["type"])

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", host.encode()), *([(b"origin", origin.encode())] if origin is not None else [])]
    asyncio.run(SameOrigin(app)({"type": "websocket", "headers": headers}, None, send))  # type: ignore[arg-type]
    assert bool(sent) != bool(reached)
    return bool(reached)


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8501", None], ids=["its own page", "no browser"])
def test_its_own_pages_may_talk_to_it(origin: str | None) -> None:
    assert let_in(origin, "127.0.0.1:8501")


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:9000", "null", ""])
def test_pages_of_other_sites_may_not(origin: str) -> None:
    assert not let_in(origin, "127.0.0.1:8501")


def test_a_port_that_is_taken_is_told_before_anything_is_loaded() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"Port {port} cannot be used") as error:
            serve(Settings.load(), "127.0.0.1", port, open_browser=False)
    assert "--port" in error.value.hint


def test_an_address_that_is_not_of_this_machine_is_told() -> None:
    with pytest.raises(UsageError, match=r"cannot listen on 192\.0\.2\.1"):
        serve(Settings.load(), "192.0.2.1", 8501, open_browser=False)
