"""The library's page in each of its states."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import shared
from app.assistant import Assistant
from app.errors import ModelError
from ingest.catalogue import Entry
from ingest.errors import IndexLockedError
from ingest.events import Event, Failed, Finished, Progressed
from ingest.library import Library
from ingest.settings import IngestSettings
from tests.cheap_embedder import CheapEmbedder

READ = Entry("doc", "documents", "/folder", "report.pdf", 1500, 1, "0", "indexed", pages=3, chunks=7)
BAD = replace(READ, document_id="bad", uri="old.doc", state="failed", chunks=0, reason="It is locked.")
PROGRESS = Progressed(3, 340, 1.0, 9.0, 1200, 1, 5.0, 85.0, 130.0, "new.pdf")


def script() -> None:
    from app.ui.pages import library

    library.page()


def no_model(_: Library) -> Assistant:
    raise ModelError("There is no model yet.", "Fetch one.")


@pytest.fixture
def shelf(home: Path) -> Iterator[Library]:
    with Library(IngestSettings.load()) as library:
        library.__dict__["embedder"] = CheapEmbedder()
        yield library


@pytest.fixture
def page(shelf: Library) -> Callable[..., AppTest]:
    def opened(*entries: Entry) -> AppTest:
        for entry in entries:
            shelf.catalogue.put(entry)
        shared.share(lambda: shelf, no_model)
        return AppTest.from_function(script, default_timeout=30).run()

    return opened


def wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def html(test: AppTest) -> str:
    return "\n".join(str(element.proto.body) for element in test.get("html"))


def test_an_empty_library_offers_to_add_documents(page: Callable[..., AppTest]) -> None:
    test = page()
    assert not test.exception
    assert "There are no documents yet." in test.info[0].value
    assert test.text_input(key="collection for documents").value == "documents"
    assert [tab.label for tab in test.tabs] == ["A folder of this machine", "Upload"]


def test_a_folder_that_is_typed_is_read(page: Callable[..., AppTest], shelf: Library, tmp_path: Path) -> None:
    (tmp_path / "gate.txt").write_text("The gate costs 7 pounds.")
    test = page()
    test.text_input(key="collection for documents").set_value("papers")
    folder = next(each for each in test.text_input if each.label == "Path of a folder or file")
    folder.set_value(str(tmp_path))
    next(each for each in test.button if each.label == "Add").click().run()
    assert not test.exception
    assert not test.error
    wait(lambda: shared.shared().ingests.ended == 1)
    assert shelf.catalogue.collections() == {"papers": 1}
    test.run()
    assert "1 files" in test.success[0].value
    assert test.metric[0].value == "1"
    shown = test.dataframe[0].value
    assert list(shown["Document"]) == ["gate.txt"]


@pytest.mark.parametrize(("typed", "message"), [("", "No path was typed"), ("/nowhere", "no file or folder")])
def test_a_path_that_cannot_be_is_told(page: Callable[..., AppTest], typed: str, message: str) -> None:
    test = page()
    next(each for each in test.text_input if each.label == "Path of a folder or file").set_value(typed)
    next(each for each in test.button if each.label == "Add").click().run()
    assert message in test.error[0].value.replace("\\", "")


def test_a_folder_is_followed_and_let_go(page: Callable[..., AppTest], shelf: Library, tmp_path: Path) -> None:
    (tmp_path / "gate.txt").write_text("The gate costs 7 pounds.")
    list(shelf.ingest([tmp_path], "documents"))
    test = page()
    following = shared.shared().following
    test.toggle[0].set_value(True).run()
    assert not test.exception
    assert following.follows("documents", str(tmp_path))
    wait(lambda: shared.shared().ingests.ended == 1)
    test.run()
    assert test.toggle[0].value is True
    test.toggle[0].set_value(False).run()
    assert not following.follows("documents", str(tmp_path))
    following.close()


def test_documents_are_counted_and_what_failed_says_why(page: Callable[..., AppTest]) -> None:
    test = page(READ, BAD)
    assert [metric.value for metric in test.metric] == ["1", "1", "7", "3.0 kB"]
    assert list(test.dataframe[0].value["Remark"]) == ["It is locked.", ""]
    test.selectbox(key="document state").set_value("failed").run()
    assert list(test.dataframe[0].value["Document"]) == ["old.doc"]
    test.text_input(key="document words").set_value("no such name").run()
    assert not test.dataframe


def test_an_ingest_is_seen_and_can_be_stopped(page: Callable[..., AppTest]) -> None:
    test = page(READ)

    def begin() -> Iterator[Event]:
        while True:
            time.sleep(0.01)
            yield PROGRESS

    ingests = shared.shared().ingests
    ingests.start(begin)
    wait(lambda: ingests.running is not None and ingests.running.progress == PROGRESS)
    test.run()
    assert "3 of 340 files · 1,200 chunks" in html(test)
    test.button(key="stop ingest").click().run()
    wait(lambda: ingests.running is None)
    test.run()
    assert "Stopped at 3 files" in test.info[0].value


def test_how_the_last_ingest_ended_is_told(page: Callable[..., AppTest]) -> None:
    test = page(READ)
    ingests = shared.shared().ingests
    ingests.start(lambda: iter([Failed("<b>.pdf", "It is locked.", ""), Finished(2, 1, 0, 0, 1, 2, 5, 5, 1.0)]))
    wait(lambda: ingests.ended == 1)
    test.run()
    assert "1 failed" in test.success[0].value
    assert "&lt;b&gt;.pdf<small>It is locked." in html(test)


def test_words_are_searched_without_a_model(page: Callable[..., AppTest], shelf: Library, tmp_path: Path) -> None:
    (tmp_path / "gate.txt").write_text("The gate costs <b>7</b> pounds.")
    list(shelf.ingest([tmp_path], "documents"))
    test = page()
    test.text_input(key="search inside").set_value("The gate costs <b>7</b> pounds.").run()
    assert "gate.txt · score" in html(test)
    assert "&lt;b&gt;7&lt;/b&gt;" in html(test)


def test_a_collection_is_removed_after_asking(page: Callable[..., AppTest], shelf: Library) -> None:
    test = page(READ)
    test.button(key="remove collection").click().run()
    wait(lambda: shared.shared().ingests.ended == 1)
    assert shelf.catalogue.collections() == {}
    test.run()
    assert "There are no documents yet." in test.info[0].value


def test_a_library_that_cannot_be_opened_says_why(home: Path) -> None:
    def locked() -> Library:
        raise IndexLockedError("Another process has the index open.", "Close it.")

    shared.share(locked, no_model)
    test = AppTest.from_function(script, default_timeout=30).run()
    assert "Another process has the index open" in test.error[0].value
    assert test.button[0].label == "Try again"
