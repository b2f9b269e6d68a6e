"""What the library page lists, and how a part of it is read again."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.holdings import existing, listed, read_again, remark, removal, table
from ingest.catalogue import Entry
from ingest.errors import UsageError
from ingest.index import Where
from ingest.library import Library
from ingest.overview import overview
from ingest.settings import IngestSettings
from tests.cheap_embedder import CheapEmbedder

READ = Entry("doc", "documents", "/folder", "2024/report.pdf", 1500, 1, "0", "indexed", pages=3, chunks=7)
BAD = replace(READ, document_id="bad", uri="old.doc", state="failed", reason="It is locked.", hint="Save a copy.")
HALF = replace(READ, document_id="half", uri="notes.md", state="indexing", pages=0, title="Minutes of May")


@pytest.fixture
def shelf(home: Path) -> Iterator[Library]:
    with Library(IngestSettings.load()) as library:
        library.__dict__["embedder"] = CheapEmbedder()
        yield library


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    (folder / "old").mkdir(parents=True)
    (folder / "lamp.md").write_text("It was lit on 3 May 1871.")
    (folder / "old/gate.txt").write_text("The gate costs 7 pounds.")
    return folder


@pytest.mark.parametrize(
    ("words", "state", "meant"),
    [
        ("", "all", [READ, BAD, HALF]),
        ("REPORT 2024", "all", [READ]),
        ("may", "all", [HALF]),
        ("", "failed", [BAD]),
        ("report", "failed", []),
    ],
)
def test_documents_are_found_by_name_title_and_state(words: str, state: str, meant: list[Entry]) -> None:
    assert listed([READ, BAD, HALF], words, state) == meant


def test_the_table_says_what_is_known() -> None:
    columns = table([READ, BAD])
    assert columns["Pages"] == [3, 3]
    assert columns["State"] == ["Ready", "Not read"]
    assert columns["Size"] == [1.5, 1.5]
    assert columns["Remark"] == ["", "It is locked. Save a copy."]
    assert remark(replace(READ, warning="It hides words.")) == "It hides words."
    assert table([HALF])["Pages"] == [None]


def test_what_is_read_again_keeps_its_name_and_no_other_is_touched(shelf: Library, folder: Path) -> None:
    list(shelf.ingest([folder], "documents"))
    before = {entry.uri: entry for entry in shelf.catalogue.entries("documents")}
    gate = before["old/gate.txt"]
    list(read_again(shelf, [gate]))
    after = {entry.uri: entry for entry in shelf.catalogue.entries("documents")}
    assert after == before
    assert shelf.index.count(Where(document_ids=(gate.document_id,))) == gate.chunks


def test_what_is_not_there_any_more_is_not_forgotten_by_reading_again(shelf: Library, folder: Path) -> None:
    list(shelf.ingest([folder], "documents"))
    entries = list(shelf.catalogue.entries("documents"))
    (folder / "old/gate.txt").unlink()
    with pytest.raises(UsageError, match=r"no file .*gate\.txt"):
        list(read_again(shelf, entries))
    assert list(shelf.catalogue.entries("documents")) == entries


def test_a_collection_comes_to_its_counts_and_goes_whole(shelf: Library, folder: Path) -> None:
    list(shelf.ingest([folder], "documents"))
    found = overview(shelf.catalogue, "documents")
    assert (found.documents, found.failed, found.chunks, found.bytes) == (2, 0, 2, 49)
    assert (found.folders, found.coverage) == ((str(folder),), None)
    assert list(removal(shelf, "documents")) == []
    assert overview(shelf.catalogue, "documents").documents == 0
    assert shelf.index.count(Where()) == 0


@pytest.mark.parametrize("form", ["{}", "  {} ", "'{}'", '"{}"'])
def test_a_path_is_taken_as_people_paste_it(folder: Path, form: str) -> None:
    assert existing(form.format(folder)) == folder


@pytest.mark.parametrize("typed", ["", "  ", "''", "/nowhere/at/all"])
def test_a_path_that_names_nothing_is_told(typed: str) -> None:
    with pytest.raises(UsageError):
        existing(typed)
