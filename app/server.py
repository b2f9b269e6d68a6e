"""The process behind the chat: one ASGI server, which owns the index and the model."""

import errno
import os
import socket
import sys
import time
import webbrowser
from asyncio import to_thread
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from app.inforce import InForce
from app.models.hub import keep_quiet
from app.passwords import required_hash
from app.settings import Settings
from ingest.embedder import PACKAGED
from ingest.errors import IndexLockedError, TransomError, UsageError
from ingest.owner import Owner, Ownership, find_owner

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from app.assistant import Assistant
    from app.shared import Shared
    from ingest.library import Library

_PAGE = Path(__file__).parent / "ui" / "chat.py"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_EVERYWHERE = ("0.0.0.0", "::")
_GRACE = 3
"""Seconds that open connections get to end after Ctrl-C."""
_PATIENCE = 30
"""Seconds that others get to close the index."""

_STREAMLIT: dict[str, Any] = {
    "browser.gatherUsageStats": False,
    "server.headless": True,
    "server.fileWatcherType": "none",
    "server.enableXsrfProtection": True,
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
    "runner.magicEnabled": False,
    "runner.postScriptGC": False,  # it looks through model and libraries once a second: half a core for each open page
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
    """Serves the chat until Ctrl-C, or opens the one that is there already.

    Raises :class:`UsageError` where it cannot or must not listen, before anything is loaded.
    """
    kept = required_hash(settings, host)
    while (ownership := Ownership.claim(settings.home)) is None:
        if first := find_owner(settings.home):
            click.echo(f"Transom is open already, at {first.address}")
            _open_browser(first.address, open_browser)
            return
    with ownership, ExitStack() as sockets:
        listeners = [sockets.enter_context(each) for each in _listeners(host, port)]
        if settings.embedding.model == PACKAGED:
            keep_quiet()
        url = _url(host, port)
        click.echo(f"Transom is at {url} — stop it with Ctrl-C")
        _open_browser(url, open_browser)  # the socket listens already, so the browser waits until we answer
        owner = ownership.announce(_url(*listeners[-1].getsockname()[:2]), settings)
        _run(settings, host, kept, listeners, ownership, owner)


def _listeners(host: str, port: int) -> list[socket.socket]:
    """What the person asked for; the last one is reached from this machine, for those who hand over work."""
    asked = _listening(host, port)
    if host in (*_LOOPBACK, *_EVERYWHERE):
        return [asked]
    return [asked, _listening("127.0.0.1", 0)]


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


def _run(  # noqa: PLR0913 - what was claimed and found out before
    settings: Settings,
    host: str,
    kept: str | None,
    listeners: list[socket.socket],
    ownership: Ownership,
    owner: Owner,
) -> None:
    import uvicorn
    from starlette.middleware import Middleware
    from streamlit.starlette import App
    from streamlit.web.bootstrap import load_config_options

    from app.api import routes
    from app.login import Login
    from app.shared import share

    hosts = {"server.allowedHosts": list(_LOOPBACK)} if host in _LOOPBACK else {}
    load_config_options(_STREAMLIT | hosts | {"server.maxUploadSize": settings.chat.upload_mb})
    in_force = InForce(settings, partial(ownership.tell, owner))
    shared = share(
        partial(_open_library, settings), lambda library: _open_assistant(in_force.settings, library), in_force
    )
    shared.local = host in _LOOPBACK
    shared.following.begin()
    shared.ahead.begin()
    app = App(
        _PAGE,
        lifespan=partial(_until_closed, shared, ownership),
        routes=routes(shared, owner, lambda: server.should_exit),
        middleware=[Middleware(SameOrigin), *([Middleware(Login, kept=kept)] if kept else [])],
    )
    config = uvicorn.Config(app, ws="websockets-sansio", log_level="warning", timeout_graceful_shutdown=_GRACE)
    server = uvicorn.Server(config)
    with suppress(KeyboardInterrupt):  # uvicorn passes it on after it has closed everything
        server.run(sockets=listeners)
    click.echo("Stopped.")


@asynccontextmanager
async def _until_closed(shared: "Shared", ownership: Ownership, _: object) -> AsyncIterator[None]:
    """Closes everything at the end, and gives the home back: a signal may end the process right behind it."""
    yield
    await to_thread(shared.close)
    ownership.release()


def _open_library(settings: Settings) -> "Library":
    """Opens index and embedder now, so that what is wrong with them shows before the first question."""
    from ingest.library import Library

    with _told(), ExitStack() as undoing:
        library = undoing.enter_context(Library(settings))
        _patiently(lambda: library.search("warm up", 1))
        undoing.pop_all()
        return library


def _patiently(use: Callable[[], object]) -> None:
    """Other commands leave the index to an owner that has come, but not at once."""
    for _ in range(_PATIENCE):
        with suppress(IndexLockedError):
            use()
            return
        time.sleep(1)
    use()


def _open_assistant(settings: Settings, library: "Library") -> "Assistant":
    from app.assistant import Assistant

    with _told():
        assistant = Assistant.open(settings, library)
    click.echo(f"Ready: {assistant.model.path.name}")
    if assistant.notice:
        click.secho(assistant.notice, fg="yellow", err=True)
    return assistant


@contextmanager
def _told() -> Iterator[None]:
    """Tells the terminal, too, what stands in the way of opening."""
    try:
        yield
    except TransomError as error:
        click.secho(f"Error: {error.message}", fg="red", err=True)
        click.echo(error.hint, err=True)
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


def _open_browser(url: str, wanted: bool) -> None:
    if wanted and _has_display():
        webbrowser.open(url)


def _has_display() -> bool:
    """Whether there is a screen; without one, `webbrowser` would put a text browser into this terminal."""
    names = ("DISPLAY", "WAYLAND_DISPLAY")
    return sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in names)
