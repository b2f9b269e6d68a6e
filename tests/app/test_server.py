"""The chat's process: where it listens, whom it lets in, and what it does for other terminals."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.server import SameOrigin, _listeners, _listening, serve
from app.settings import Settings
from ingest.errors import UsageError
from ingest.owner import find_owner

TRANSOM = str(Path(sys.executable).with_name("transom"))


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


def test_no_other_address_is_served_without_a_password() -> None:
    with pytest.raises(UsageError, match="without a password"):
        serve(Settings.load(), "0.0.0.0", 8501, open_browser=False)


def test_an_address_that_is_not_of_this_machine_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSOM_CHAT__PASSWORD", "three long words")
    with pytest.raises(UsageError, match=r"cannot listen on 192\.0\.2\.1"):
        serve(Settings.load(), "192.0.2.1", 8501, open_browser=False)


@pytest.mark.parametrize(("host", "loopback"), [("127.0.0.1", 0), ("0.0.0.0", 0), ("127.0.0.2", 1)])
def test_the_api_is_reached_over_loopback_wherever_the_chat_listens(host: str, loopback: int) -> None:
    listeners = _listeners(host, 0)
    assert len(listeners) == loopback + 1
    with socket.create_connection(("127.0.0.1", listeners[-1].getsockname()[1])):
        pass
    for listener in listeners:
        listener.close()


class Terminal:
    """Runs commands as a person would, in processes of their own, with one home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        outside = {name: value for name, value in os.environ.items() if not name.startswith("TRANSOM_")}
        self._environment = {**outside, "TRANSOM_HOME": str(home)}

    def start(self, *arguments: str | Path) -> "subprocess.Popen[str]":
        command = [TRANSOM, *map(str, arguments)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=self._environment, stdout=pipe, stderr=pipe, text=True)

    def run(self, *arguments: str | Path) -> tuple[int, str, str]:
        """Exit status, standard output, standard error."""
        process = self.start(*arguments)
        output, errors = process.communicate(timeout=240)
        return process.returncode, output, errors

    def json(self, *arguments: str | Path) -> tuple[int, list[Any]]:
        """Exit status and rows, without what a clock says."""
        status, output, errors = self.run(*arguments, "--json")
        rows = [json.loads(line) for line in output.splitlines()]
        for row in rows:
            row.pop("seconds", None), row.pop("timings", None)
        return status, [errors, *(row for row in rows if row.get("event") != "progressed")]


@contextmanager
def chat(terminal: Terminal) -> Iterator["subprocess.Popen[str]"]:
    """A running chat, without a model."""
    with _listening("127.0.0.1", 0) as probe:
        port = probe.getsockname()[1]
    process = terminal.start("chat", "--no-open", "--port", str(port))
    try:
        assert process.stdout
        assert str(port) in process.stdout.readline()
        assert find_owner(terminal.home)
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "lamp.md").write_text("# The lamp\n\nIt was lit on 3 May 1871.")
    (folder / "gate.txt").write_text("The gate costs 7 pounds on Sundays.")
    (folder / "bad.pdf").write_bytes(b"%PDF-1.4 broken")
    return folder


def test_what_is_handed_to_an_open_chat_looks_as_if_it_was_done_here(tmp_path: Path, folder: Path) -> None:
    alone, beside = Terminal(tmp_path / "alone"), Terminal(tmp_path / "beside")
    with chat(beside) as running:
        for command in (
            ("ingest", folder),
            ("search", "When was the lamp lit?", "-k", "2"),
            ("ask", "When was the lamp lit?"),
            ("remove", folder / "gate.txt"),
        ):
            assert beside.json(*command) == alone.json(*command), command
        owner = find_owner(beside.home)
        assert owner
        assert owner.pid == running.pid
        status, output, _ = beside.run("chat", "--no-open", "--port", "1")
        assert (status, owner.address in output) == (0, True)
        running.terminate()
        running.wait(20)
    assert not (beside.home / "owner.json").exists()


def test_a_killed_chat_is_told_and_does_not_stand_in_the_way(tmp_path: Path) -> None:
    terminal, folder = Terminal(tmp_path / "home"), tmp_path / "logs"
    folder.mkdir()
    for number in range(8):
        lines = (f"Entry {number}-{line}: the keeper saw {line * 7} ships pass by the point.\n\n" for line in range(40))
        (folder / f"log{number:02}.txt").write_text("".join(lines))
    with chat(terminal) as running:
        work = terminal.start("ingest", folder, "--json")
        assert work.stdout
        assert work.stdout.readline()
        running.kill()
        _, errors = work.communicate(timeout=60)
    assert work.returncode == 3
    assert "has ended before it was done" in errors
    assert "run the same command again" in errors
    assert (terminal.home / "owner.json").exists()
    status, rows = terminal.json("ingest", folder)
    assert (status, rows[-1]["files"]) == (0, 8)
