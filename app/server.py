"""The process behind the chat: one ASGI server, which owns the index and the model."""

import errno
import os
import socket
import sys
import webbrowser
from asyncio import to_thread
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from app.settings import Settings
from ingest.embedder import PACKAGED
from ingest.errors import TransomError, UsageError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from app.assistant import Assistant

_PAGE = Path(__file__).parent / "ui" / "chat.py"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_GRACE = 3
"""Seconds that open connections get to end after Ctrl-C."""
_EXPOSED = "It listens on {host}: whoever reaches it can read your documents, because there is no password yet."

_STREAMLIT: dict[str, Any] = {
    "browser.gatherUsageStats": False,
    "server.headless": True,
    "server.fileWatcherType": "none",
    "server.enableXsrfProtection": True,
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
    "runner.magicEnabled": False,
    "theme.headingFont": "serif",
    "theme.baseRadius": "medium",
    "theme.light.primaryColor": "#1f5f8b",
    "theme.light.backgroundColor": "#fdfcfa",
    "theme.light.secondaryBackgroundColor": "#f3f1ec",
    "theme.light.textColor": "#22272b",
    "theme.dark.primaryColor": "#7ab4dd",
    "theme.dark.backgroundColor": "#16191d",
    "theme.dark.secondaryBackgroundColor": "#20252b",
    "theme.dark.textColor": "#e4e6e8",
}


def serve(settings: Settings, host: str, port: int, open_browser: bool) -> None:
    """Serves the chat until Ctrl-C.

    Raises :class:`UsageError` where it cannot listen, before anything is loaded.
    """
    with _listening(host, port) as listener:
        if settings.embedding.model == PACKAGED:
            os.environ.setdefault("HF_HUB_OFFLINE", "1")  # read once, when huggingface_hub is imported
        url = _url(host, port)
        click.echo(f"Transom is at {url} — stop it with Ctrl-C")
        if host not in _LOOPBACK:
            click.secho(_EXPOSED.format(host=host), fg="yellow", err=True)
        if open_browser and _has_display():
            webbrowser.open(url)  # the socket listens already, so the browser waits until we answer
        _run(settings, host, listener)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise UsageError(
                f"Port {port} cannot be used: {os.strerror(error.errno)}.",
                f"Perhaps Transom runs already, at {_url(host, port)}; "
                f"or choose another port: `transom chat --port {port + 1}`.",
            ) from error
        raise UsageError(f"Transom cannot listen on {host}: {error}", "Check `--host`.") from error


def _run(settings: Settings, host: str, listener: socket.socket) -> None:
    import uvicorn
    from starlette.middleware import Middleware
    from streamlit.starlette import App
    from streamlit.web.bootstrap import load_config_options

    hosts = {"server.allowedHosts": list(_LOOPBACK)} if host in _LOOPBACK else {}
    load_config_options(_STREAMLIT | hosts)
    app = App(_PAGE, lifespan=partial(_assistant_of_this_process, settings), middleware=[Middleware(SameOrigin)])
    config = uvicorn.Config(app, ws="websockets-sansio", log_level="warning", timeout_graceful_shutdown=_GRACE)
    with suppress(KeyboardInterrupt):  # uvicorn passes it on after it has closed everything
        uvicorn.Server(config).run(sockets=[listener])
    click.echo("Stopped.")


@asynccontextmanager
async def _assistant_of_this_process(settings: Settings, _: object) -> AsyncIterator[None]:
    from app.ui.shared import share

    shared = share(partial(_open, settings))
    yield
    await to_thread(shared.close)


def _open(settings: Settings) -> "Assistant":
    """Opens everything, and tells the terminal how it went."""
    from app.assistant import Assistant

    try:
        assistant = Assistant.open(settings)
        _warm_up(assistant)
    except TransomError as error:
        click.secho(f"Error: {error.message}", fg="red", err=True)
        click.echo(error.hint, err=True)
        raise
    click.echo(f"Ready: {assistant.model.path.name}")
    if assistant.model.notice:
        click.secho(assistant.model.notice, fg="yellow", err=True)
    return assistant


def _warm_up(assistant: "Assistant") -> None:
    """Opens index and embedder now, so that what is wrong with them shows before the first question.

    An empty library is left alone: so `transom ingest` can fill it while the chat waits.
    """
    try:
        if any(assistant.library.catalogue.collections().values()):
            assistant.library.search("warm up", 1)
    except BaseException:
        assistant.close()
        raise


class SameOrigin:
    """Lets no page of another site talk to the chat.

    Streamlit would find out this machine's addresses to decide that, by asking a server on the internet.
    """

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Passes on what is no WebSocket, or comes from a page of this server."""
        if scope["type"] == "websocket":
            headers = dict(scope["headers"])
            origin = headers.get(b"origin")
            if origin is not None and urlsplit(origin).netloc != headers.get(b"host"):
                await send({"type": "websocket.close", "code": 1008})
                return
        await self._app(scope, receive, send)


def _url(host: str, port: int) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}"


def _has_display() -> bool:
    """Whether there is a screen; without one, `webbrowser` would put a text browser into this terminal."""
    names = ("DISPLAY", "WAYLAND_DISPLAY")
    return sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in names)
