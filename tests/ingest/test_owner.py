"""Who owns a home: only one, as long as it lives, and nobody is believed who cannot prove it."""

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from ingest.errors import IndexUnavailableError, SettingsError
from ingest.library import Library
from ingest.owner import Owner, Ownership, find_owner
from ingest.remote import open_library, owner_of
from ingest.settings import IngestSettings

CLAIM = """
import sys, time
from pathlib import Path
from ingest.owner import Ownership
from ingest.settings import IngestSettings
claimed = Ownership.claim(Path(sys.argv[1]))
if claimed:
    claimed.announce("http://127.0.0.1:9", IngestSettings.load())
print("mine" if claimed else "taken", flush=True)
time.sleep(60 if claimed else 0)
"""


@pytest.fixture
def claimants() -> "Iterator[list[subprocess.Popen[str]]]":
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()  # type: ignore[union-attr]


def claimant(home: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", CLAIM, str(home)], stdout=subprocess.PIPE, text=True)


def said(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    return process.stdout.readline().strip()


class Listener:
    """Somebody on this machine who listens where an owner did, and who knows its token or does not."""

    def __init__(self) -> None:
        self.owner: Owner | None = None
        self.heard: list[str] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                listener.heard.append(f"{self.path} {self.headers}")
                challenge = self.path.partition("challenge=")[2]
                proof = listener.owner.proof(challenge) if listener.owner else "whatever"
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps({"proof": proof}).encode())

            def log_message(self, *_: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


def test_of_many_at_once_one_wins_and_after_its_death_the_next(
    home: Path, claimants: "list[subprocess.Popen[str]]"
) -> None:
    claimants += [claimant(home) for _ in range(4)]
    results = [said(process) for process in claimants]
    assert sorted(results) == ["mine", "taken", "taken", "taken"]
    winner = claimants[results.index("mine")]
    assert Ownership.claim(home) is None
    os.kill(winner.pid, signal.SIGKILL)
    winner.wait()
    assert (home / "owner.json").exists()
    assert find_owner(home) is None
    next_one = Ownership.claim(home)
    assert next_one is not None
    assert not (home / "owner.json").exists()
    next_one.release()


def test_the_secret_is_its_users_alone_and_goes_with_the_owner(home: Path) -> None:
    ownership = Ownership.claim(home)
    assert ownership
    before = os.umask(0)
    try:
        owner = ownership.announce("http://127.0.0.1:9", IngestSettings.load())
    finally:
        os.umask(before)
    assert stat.S_IMODE((home / "owner.json").stat().st_mode) == 0o600
    assert owner.token in (home / "owner.json").read_text()
    assert len(owner.token) >= 32
    ownership.release()
    ownership.release()
    assert [path.name for path in home.iterdir()] == ["owner.lock"]


def test_an_owner_that_answers_is_found(home: Path, listener: Listener) -> None:
    assert find_owner(home) is None
    ownership = Ownership.claim(home)
    assert ownership
    with ownership:
        listener.owner = ownership.announce(listener.address, IngestSettings.load())
        assert find_owner(home) == listener.owner
    assert find_owner(home) is None


def test_a_stranger_at_its_address_is_not_believed_and_learns_nothing(home: Path, listener: Listener) -> None:
    ownership = Ownership.claim(home)
    assert ownership
    with ownership:
        owner = ownership.announce(listener.address, IngestSettings.load())
        with pytest.raises(IndexUnavailableError, match="does not answer") as error:
            find_owner(home, patience=0.5)
    assert str(owner.pid) in error.value.hint
    assert listener.heard
    assert not any(owner.token in each for each in listener.heard)


def test_work_is_handed_over_only_to_an_owner_of_the_same_index_with_the_same_settings(
    home: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    ownership = Ownership.claim(home)
    assert ownership
    with ownership:
        listener.owner = ownership.announce(listener.address, IngestSettings.load())
        assert owner_of(IngestSettings.load()) == listener.owner
        monkeypatch.setenv("TRANSOM_CHUNKING__TOKENS", "50")
        with pytest.raises(SettingsError, match=r"chunking\.tokens is 200 there and 50 here"):
            open_library(IngestSettings.load())
        monkeypatch.setenv("TRANSOM_STORAGE__HOME", "server")
        assert owner_of(IngestSettings.load()) is None
        with open_library(IngestSettings.load()) as library:
            assert isinstance(library, Library)


def test_an_owner_of_another_version_is_no_owner_to_work_for_us() -> None:
    settings = IngestSettings.load()
    old = Owner("http://127.0.0.1:9", "secret", 1, "0.0.1", settings.model_dump(mode="json"))
    with pytest.raises(SettingsError, match=r"Transom 0\.0\.1"):
        old.check(settings)
