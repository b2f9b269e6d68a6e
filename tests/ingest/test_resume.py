"""Never lost, never twice: kills, stops, changes and copies."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest import pipeline
from ingest.errors import UsageError
from ingest.events import Event, Failed, Finished, Indexed, Removed, Unchanged
from ingest.index import Where
from ingest.index.schema import to_payload
from ingest.library import Library
from ingest.scan import hash_file
from ingest.settings import IngestSettings
from tests.cheap_embedder import CheapEmbedder


@pytest.fixture
def cheap() -> CheapEmbedder:
    return CheapEmbedder()


@pytest.fixture
def cheap_library(home: Path, cheap: CheapEmbedder) -> Iterator[Library]:
    with Library(IngestSettings.load()) as library:
        library.__dict__["embedder"] = cheap
        yield library


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    for number in range(12):
        lines = (f"Entry {number}-{line}: the keeper saw {line * 7} ships pass by the point.\n\n" for line in range(40))
        (folder / f"log{number:02}.txt").write_text("".join(lines))
    return folder


def run(library: Library, *paths: Path, retry: bool = False, missing_ok: bool = False) -> tuple[list[Event], Finished]:
    events = list(library.ingest(paths, retry=retry, missing_ok=missing_ok))
    assert isinstance(events[-1], Finished)
    return events, events[-1]


def points(library: Library) -> dict[str, dict[str, Any]]:
    return {chunk.id: to_payload(chunk) for chunk, _ in library.index.scroll(Where())}


def names(events: list[Event], kind: type[Indexed | Removed | Failed | Unchanged]) -> list[str]:
    return sorted(event.document for event in events if isinstance(event, kind))


def test_killed_at_20_moments_and_run_again_it_ends_with_the_same_points(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    command = [sys.executable, "-m", "tests.ingest.kill", str(folder), str(tmp_path / "scratch"), "20", "7"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, check=True, text=True, env=environment)
    told = json.loads(done.stdout)
    assert told["killed"] == told["equal"] == 20
    assert told["points"] > 40
    assert told["cut_off"] > 0, "no run was killed in the middle"


def test_a_run_that_is_stopped_keeps_what_is_done_and_embeds_only_the_rest(
    cheap_library: Library, cheap: CheapEmbedder, folder: Path
) -> None:
    stopping = iter(cheap_library.ingest([folder]))
    next(event for event in stopping if isinstance(event, Indexed))
    stopping.close()  # type: ignore[attr-defined]  # a generator
    done = len(cheap.embedded)
    _, finished = run(cheap_library, folder)
    assert len(cheap.embedded) == len(set(cheap.embedded)) == finished.embedded + done
    assert cheap_library.index.count(Where()) == len(cheap.embedded)


def test_a_renamed_and_a_copied_file_cost_no_embedding(
    cheap_library: Library, cheap: CheapEmbedder, folder: Path
) -> None:
    run(cheap_library, folder)
    before = len(cheap.embedded)
    (folder / "log00.txt").rename(folder / "renamed.txt")
    shutil.copy(folder / "log01.txt", folder / "copy.txt")
    events, finished = run(cheap_library, folder)
    assert names(events, Indexed) == ["copy.txt", "renamed.txt"]
    assert names(events, Removed) == ["log00.txt"]
    assert finished.embedded == 0
    assert finished.chunks > 0
    assert len(cheap.embedded) == before


def test_of_a_changed_file_only_the_changed_chunks_are_embedded(cheap_library: Library, folder: Path) -> None:
    run(cheap_library, folder)
    before = cheap_library.index.count(Where())
    with (folder / "log03.txt").open("a") as file:
        file.write("One more line at the very end of the log.\n")
    _, finished = run(cheap_library, folder)
    assert 1 <= finished.embedded <= 2
    assert finished.chunks > finished.embedded
    assert cheap_library.index.count(Where()) - before <= 1


def test_a_text_that_stands_in_many_files_is_embedded_once(cheap_library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "same"
    folder.mkdir()
    for number in range(20):
        (folder / f"notice{number}.txt").write_text("The station is closed on Mondays.")
    _, finished = run(cheap_library, folder)
    assert (finished.chunks, finished.embedded) == (20, 1)


def test_nothing_new_loads_no_embedder(home: Path, cheap_library: Library, folder: Path) -> None:
    run(cheap_library, folder)
    cheap_library.close()
    with Library(IngestSettings.load(embedding={"model": "all-MiniLM-L6-v2"})) as again:
        _, finished = run(again, folder)
        assert (finished.unchanged, finished.read) == (12, 0)
        assert "embedder" not in again.__dict__


def test_a_file_that_changes_while_it_is_read_is_read_again(
    cheap_library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "log05.txt"

    def hash_and_change(file: Path) -> str:
        digest = hash_file(file)
        if file == path and "again" not in file.read_text():
            file.write_text("Written again while it was read.")
        return digest

    monkeypatch.setattr(pipeline, "hash_file", hash_and_change)
    run(cheap_library, folder)
    (chunk,) = (payload for payload in points(cheap_library).values() if payload["uri"] == "log05.txt")
    assert chunk["text"] == "Written again while it was read."
    entry = next(entry for entry in cheap_library.catalogue.entries() if entry.uri == "log05.txt")
    assert (entry.sha256, entry.size) == (hash_file(path), path.stat().st_size)


def test_a_file_that_never_rests_is_told(cheap_library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "log05.txt"

    def hash_and_change(file: Path) -> str:
        digest = hash_file(file)
        if file == path:
            file.write_text(file.read_text() + "more\n")
        return digest

    monkeypatch.setattr(pipeline, "hash_file", hash_and_change)
    events, finished = run(cheap_library, folder)
    assert names(events, Failed) == ["log05.txt"]
    assert finished.indexed == 11


def test_a_file_that_vanishes_while_it_is_read_counts_as_deleted(
    cheap_library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(cheap_library, folder)
    path = folder / "log05.txt"
    path.write_text("Not for long.")

    def hash_and_delete(file: Path) -> str:
        digest = hash_file(file)
        file.unlink()
        return digest

    monkeypatch.setattr(pipeline, "hash_file", hash_and_delete)
    events, finished = run(cheap_library, folder)
    assert names(events, Removed) == ["log05.txt"]
    assert (finished.failed, finished.unchanged) == (0, 11)


def test_a_failed_file_is_tried_again_on_the_users_word(cheap_library: Library, folder: Path) -> None:
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 nothing follows")
    run(cheap_library, folder)
    assert run(cheap_library, folder)[1].read == 0
    events, finished = run(cheap_library, folder, retry=True)
    assert (finished.read, finished.failed, finished.unchanged) == (1, 1, 12)
    assert names(events, Failed) == ["broken.pdf"]


def test_a_file_that_is_too_large_is_not_even_opened(home: Path, cheap: CheapEmbedder, folder: Path) -> None:
    with (folder / "film.txt").open("wb") as file:
        file.truncate(2 << 20)
    with Library(IngestSettings.load(reading={"max_file_mb": 1})) as library:
        library.__dict__["embedder"] = cheap
        events, _ = run(library, folder)
    (failed,) = [event for event in events if isinstance(event, Failed)]
    assert failed.reason == "The file has 2 MB; the limit is 1 MB."


def test_what_cannot_be_looked_at_keeps_its_documents(
    cheap_library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "deep").mkdir()
    shutil.move(folder / "log00.txt", folder / "deep/log00.txt")
    run(cheap_library, folder)
    real = os.listdir

    def refusing(place: str) -> list[str]:
        if str(place).endswith("deep"):
            raise PermissionError(13, "Permission denied")
        return real(place)

    monkeypatch.setattr(os, "listdir", refusing)
    _, finished = run(cheap_library, folder)
    assert (finished.removed, finished.unchanged) == (0, 11)
    assert "deep/log00.txt" in {payload["uri"] for payload in points(cheap_library).values()}


def test_a_folder_that_goes_away_half_way_loses_nothing(
    cheap_library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(cheap_library, folder)
    whole = points(cheap_library)
    (folder / "log05.txt").write_text("Changed, so that it is hashed.")

    def hash_and_take_away(file: Path) -> str:
        shutil.rmtree(folder)
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(pipeline, "hash_file", hash_and_take_away)
    with pytest.raises(UsageError):
        run(cheap_library, folder)
    assert points(cheap_library) == whole


def test_a_path_that_is_gone_can_be_forgotten(cheap_library: Library, folder: Path) -> None:
    run(cheap_library, folder)
    (folder / "log05.txt").unlink()
    with pytest.raises(UsageError):
        run(cheap_library, folder / "log05.txt")
    events, finished = run(cheap_library, folder / "log05.txt", missing_ok=True)
    assert names(events, Removed) == ["log05.txt"]
    assert finished.removed == 1


def test_a_home_inside_the_folder_is_no_document(cheap: CheapEmbedder, folder: Path) -> None:
    with Library(IngestSettings.load(home=folder / "state")) as library:
        library.__dict__["embedder"] = cheap
        run(library, folder)
        assert run(library, folder)[1].files == 12


def test_how_much_was_read_is_known_after_a_stop(cheap_library: Library, folder: Path) -> None:
    assert cheap_library.coverage("documents") is None
    stopping = iter(cheap_library.ingest([folder]))
    next(event for event in stopping if isinstance(event, Indexed))
    stopping.close()  # type: ignore[attr-defined]  # a generator
    coverage = cheap_library.coverage("documents")
    assert coverage is not None
    assert coverage.found == 12
    assert 0 < coverage.share < 1
    run(cheap_library, folder)
    assert cheap_library.coverage("documents") is None


def test_documents_are_removed_by_their_place_and_by_their_name(cheap_library: Library, folder: Path) -> None:
    run(cheap_library, folder)
    by_place = list(cheap_library.remove([folder / "log01.txt"], "documents"))
    by_name = list(cheap_library.remove([Path("log02.txt")], "documents"))
    assert [event.document for event in by_place + by_name] == ["log01.txt", "log02.txt"]
    assert {payload["uri"] for payload in points(cheap_library).values()}.isdisjoint({"log01.txt", "log02.txt"})
    cheap_library.remove_collection("documents")
    assert not points(cheap_library)
    assert not list(cheap_library.catalogue.entries())
