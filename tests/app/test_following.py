"""Folders that the chat follows, over a real library whose embedder is cheap."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from app import following as following_module
from app.following import Following
from app.ingesting import Ingests
from ingest.errors import UsageError
from ingest.events import Event, Removed
from ingest.library import Library
from ingest.settings import IngestSettings
from tests.cheap_embedder import CheapEmbedder


def wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "lamp.md").write_text("It was lit on 3 May 1871.")
    return folder


@pytest.fixture
def shelf(home: Path) -> Iterator[Library]:
    with Library(IngestSettings.load()) as library:
        library.__dict__["embedder"] = CheapEmbedder()
        yield library


def names(library: Library) -> set[str]:
    return {entry.uri for entry in library.catalogue.entries("documents") if entry.state == "indexed"}


def test_what_changes_is_read_until_the_folder_is_let_go(home: Path, shelf: Library, folder: Path) -> None:
    following = Following(home, lambda: shelf, Ingests())
    following.follow("documents", str(folder))
    wait(lambda: names(shelf) == {"lamp.md"})
    (folder / "gate.txt").write_text("The gate costs 7 pounds.")
    wait(lambda: names(shelf) == {"lamp.md", "gate.txt"})
    assert following.follows("documents", str(folder))
    assert following.trouble("documents", str(folder)) == ""
    following.let_go("documents", str(folder))
    assert not following.follows("documents", str(folder))
    following.close()


def test_it_is_followed_again_when_the_chat_is_opened_again(home: Path, shelf: Library, folder: Path) -> None:
    first = Following(home, lambda: shelf, Ingests())
    first.follow("documents", str(folder))
    wait(lambda: names(shelf) == {"lamp.md"})
    first.close()
    (folder / "gate.txt").write_text("The gate costs 7 pounds.")
    second = Following(home, lambda: shelf, Ingests())
    second.begin()
    wait(lambda: names(shelf) == {"lamp.md", "gate.txt"})
    second.forget("documents")
    second.close()
    third = Following(home, lambda: shelf, Ingests())
    third.begin()
    assert not third.follows("documents", str(folder))


class Endless:
    """A library whose ingest goes on until it is stopped."""

    def ingest(self, *_: object, **__: object) -> Iterator[Event]:
        while True:
            time.sleep(0.01)
            yield Removed("a.txt")


def test_who_stops_the_reading_of_a_folder_lets_it_go(home: Path, folder: Path) -> None:
    home.mkdir()
    ingests = Ingests()
    following = Following(home, Endless, ingests)
    following.follow("documents", str(folder))
    wait(lambda: ingests.running is not None)
    ingests.stop()
    wait(lambda: not following.follows("documents", str(folder)))
    following.close()


def test_a_folder_that_is_not_there_is_tried_again(home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following_module, "_AGAIN", 0.05)
    home.mkdir()
    asked: list[Sequence[Path]] = []

    class Gone:
        def ingest(self, paths: Sequence[Path], *_: object, **__: object) -> Iterator[Event]:
            asked.append(paths)
            raise UsageError("There is no folder.", "Check it.")

    following = Following(home, Gone, Ingests())
    following.follow("documents", str(folder))
    wait(lambda: len(asked) > 1)
    assert following.trouble("documents", str(folder)) == "There is no folder."
    following.close()
