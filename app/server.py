"""One process that serves the chat: Streamlit over ASGI, owner of index and model."""

import os
import socket
import threading
import webbrowser
from ipaddress import ip_address
from pathlib import Path

import click

from app.settings import Settings
from app.ui import shared
from ingest.embedder import PACKAGED
from ingest.errors import TransomError, UsageError

_SCRIPT = Path(__file__).parent / "ui" / "chat.py"


def serve(settings: Settings, host: str, port: int, open_browser: bool) -> None:
    """Serves the chat until Ctrl-C. Raises :class:`UsageError` where the port is taken."""
    _require_free(host, port)
    if settings.embedding.model == PACKAGED:
        os.environ["HF_HUB_OFFLINE"] = "1"  # everything is here: let no library look for more
    from streamlit.web.server.starlette.starlette_app import App

    shared.share(settings)
    threading.Thread(target=_open_early, name="opening", daemon=True).start()
    address = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"
    click.echo(f"Transom is at {address} (stop it with Ctrl-C)", err=True)
    if not _is_loopback(host):
        click.secho("It can be reached from other machines, and asks for no password.", fg="yellow", err=True)
    if open_browser:
        threading.Timer(1.5, webbrowser.open, [address]).start()
    try:
        App(_SCRIPT).run(config=_streamlit_config(host, port))
    finally:
        shared.close()


def _open_early() -> None:
    """Loads library and model before the first person comes; an error is told here and again in the chat."""
    try:
        assistant = shared.assistant()
    except TransomError as error:
        click.secho(f"Error: {error.message}", fg="red", err=True)
        click.echo(error.hint, err=True)
        return
    if assistant.model.notice:
        click.secho(assistant.model.notice, fg="yellow", err=True)


def _require_free(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UsageError(
                f"The chat cannot listen on {host}:{port}: {error.strerror}.",
                "Is a Transom open already? Else choose another port: `transom chat --port 8502`.",
            ) from error


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _streamlit_config(host: str, port: int) -> dict[str, object]:
    return {
        "server.address": host,
        "server.port": port,
        "server.headless": True,
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": False,
        "client.toolbarMode": "minimal",
        "logger.hideWelcomeMessage": True,
        "theme.primaryColor": "#2f6f8f",
    }
