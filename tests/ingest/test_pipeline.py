import os
from collections import Counter
from pathlib import Path

import pytest

from ingest.errors import UsageError
from ingest.events import Event, Failed, Finished, Indexed, Removed
from ingest.index import Where
from ingest.library import Library

DOCUMENTS = Where(collection="documents")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    (folder / "deep").mkdir(parents=True)
    (folder / "lamp.md").write_text("# The lamp\n\nIt was lit on 3 May 1871.")
    (folder / "boat.txt").write_text("The relief boat sails on Tuesdays.")
    (folder / "deep" / "fog.txt").write_text("The fog signal sounds twice a minute.")
    return folder


def run(library: Library, *paths: Path, collection: str = "documents") -> tuple[list[Event], Finished]:
    events = list(library.ingest(paths, collection))
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert finished.files == finished.indexed + finished.unchanged + finished.failed
    return events, finished


def points(library: Library) -> dict[str, tuple[str, str]]:
    return {chunk.id: (chunk.uri, chunk.text) for chunk, _ in library.index.scroll(Where())}


def names(events: list[Event], kind: type[Indexed | Removed | Failed]) -> list[str]:
    return [event.document for event in events if isinstance(event, kind)]


def test_a_folder_is_stored_and_found(library: Library, folder: Path) -> None:
    _, finished = run(library, folder)
    assert (finished.indexed, finished.failed, finished.chunks) == (3, 0, 3)
    best = library.search("When was the lamp lit?", 1)[0]
    assert best.chunk.uri == "lamp.md"
    assert best.chunk.headings == ("The lamp",)


def test_again_reads_nothing(library: Library, folder: Path) -> None:
    run(library, folder)
    _, again = run(library, folder)
    assert (again.unchanged, again.read, again.chunks) == (3, 0, 0)


def test_exactly_what_changed_is_done(library: Library, folder: Path) -> None:
    run(library, folder)
    (folder / "boat.txt").write_text("The relief boat sails on Fridays now.")
    (folder / "lamp.md").unlink()
    (folder / "new.txt").write_text("A new page.")
    events, finished = run(library, folder)
    assert sorted(names(events, Indexed)) == ["boat.txt", "new.txt"]
    assert names(events, Removed) == ["lamp.md"]
    assert (finished.read, finished.unchanged) == (2, 1)
    assert Counter(uri for uri, _ in points(library).values()) == {
        "boat.txt": 1,
        "new.txt": 1,
        "deep/fog.txt": 1,
    }


def test_a_file_that_was_only_touched_is_looked_at_and_kept(library: Library, folder: Path) -> None:
    run(library, folder)
    os.utime(folder / "boat.txt", (1, 1))
    _, finished = run(library, folder)
    assert (finished.read, finished.indexed, finished.unchanged) == (1, 0, 3)
    assert run(library, folder)[1].read == 0


def test_a_bad_file_stops_nothing_and_is_not_tried_again(library: Library, folder: Path) -> None:
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 nothing follows")
    events, finished = run(library, folder)
    assert names(events, Failed) == ["broken.pdf"]
    assert (finished.indexed, finished.failed) == (3, 1)
    events, again = run(library, folder)
    assert (again.read, again.failed) == (0, 1)
    assert names(events, Failed) == ["broken.pdf"]


def test_a_file_that_becomes_bad_is_no_longer_found(library: Library, folder: Path) -> None:
    run(library, folder)
    (folder / "boat.txt").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    run(library, folder)
    assert "boat.txt" not in {uri for uri, _ in points(library).values()}


def test_a_run_that_was_cut_off_is_made_whole(library: Library, folder: Path) -> None:
    run(library, folder)
    whole = points(library)
    entry = next(entry for entry in library.catalogue.entries() if entry.uri == "boat.txt")
    library.catalogue.change(entry, state="indexing")
    library.index.delete(Where(document_ids=(entry.document_id,)))
    assert points(library) != whole
    _, finished = run(library, folder)
    assert finished.indexed == 1
    assert points(library) == whole


def test_an_index_that_was_emptied_is_filled_again(library: Library, folder: Path) -> None:
    run(library, folder)
    library.index.delete(Where())
    library.close()
    _, finished = run(library, folder)
    assert finished.indexed == 3


def test_a_subfolder_keeps_its_place_in_the_folder_known_before(library: Library, folder: Path) -> None:
    run(library, folder)
    (folder / "deep" / "fog.txt").write_text("The fog signal is silent now.")
    events, finished = run(library, folder / "deep")
    assert names(events, Indexed) == ["deep/fog.txt"]
    assert (finished.files, finished.removed) == (1, 0)


def test_a_folder_above_takes_over(library: Library, folder: Path) -> None:
    run(library, folder / "deep")
    events, _ = run(library, folder)
    assert names(events, Removed) == ["fog.txt"]
    assert Counter(uri for uri, _ in points(library).values()) == {
        "boat.txt": 1,
        "lamp.md": 1,
        "deep/fog.txt": 1,
    }


def test_a_single_file(library: Library, folder: Path) -> None:
    _, finished = run(library, folder / "boat.txt")
    assert finished.files == 1
    assert {uri for uri, _ in points(library).values()} == {"boat.txt"}


def test_a_file_deleted_and_named_again_is_an_error(library: Library, folder: Path) -> None:
    with pytest.raises(UsageError, match="no file or folder"):
        run(library, folder / "nowhere")


def test_collections_are_apart(library: Library, folder: Path) -> None:
    run(library, folder)
    run(library, folder / "deep", collection="other")
    assert library.catalogue.collections() == {"documents": 3, "other": 1}
    found = library.search("fog", 10, Where(collection="other"))
    assert [passage.chunk.uri for passage in found] == ["fog.txt"]


def test_a_long_document_spans_many_batches(library: Library, folder: Path) -> None:
    lines = (f"Entry {number}: the keeper saw {number} ships pass by the point.\n\n" for number in range(9_000))
    (folder / "log.txt").write_text("".join(lines))
    events, finished = run(library, folder)
    (log,) = [event for event in events if isinstance(event, Indexed) and event.document == "log.txt"]
    assert log.chunks > 256
    assert finished.chunks == library.index.count(DOCUMENTS) == log.chunks + 3
