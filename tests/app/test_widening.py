import pytest

from app.errors import WindowError
from app.widening import collection, documents, pinned, sections
from ingest.documents import Passage
from ingest.index import Where
from tests.shelf import FewDocuments, chunks_of, found

BOOK = chunks_of("book", ("One", "a"), ("Two", "b"), ("Two", "c"), ("Two", "d"), ("Three", "e"), ("Two", "f"))
NOTE = chunks_of("note", "g", "h", "i", "j")
SHELF = FewDocuments(book=BOOK, note=NOTE)


def texts(passages: list[Passage] | None) -> str:
    return "".join(each.chunk.text for each in passages or [])


def test_a_section_is_what_stands_under_the_same_headings_without_a_break() -> None:
    assert texts(sections([found(BOOK[2])], SHELF)) == "bcd"


def test_without_headings_the_neighbours_come_along() -> None:
    assert texts(sections([found(NOTE[2])], SHELF)) == "hij"


def test_sections_come_in_the_order_of_their_passages_each_chunk_once() -> None:
    assert texts(sections([found(NOTE[1]), found(BOOK[1]), found(BOOK[3])], SHELF)) == "ghibcd"


def test_what_was_found_keeps_its_scores_and_what_lies_beside_it_has_none() -> None:
    scores = [(each.chunk.text, each.score) for each in sections([found(BOOK[2])], SHELF)]
    assert scores == [("b", 0.0), ("c", 1.0), ("d", 0.0)]


def test_whole_documents_come_in_the_order_of_their_best_passage() -> None:
    assert texts(documents([found(NOTE[1]), found(BOOK[1]), found(NOTE[3])], SHELF)) == "ghijabcdef"


def test_a_collection_is_all_that_is_meant() -> None:
    assert texts(collection(Where(), [found(NOTE[1])], SHELF, 1_000)) == "abcdefghij"
    assert texts(collection(Where(document_ids=("note",)), [], SHELF, 1_000)) == "ghij"


def test_a_collection_that_cannot_fit_is_not_even_read() -> None:
    assert collection(Where(), [], SHELF, 10 * 20 - 1) is None


def test_a_document_longer_than_any_window_is_not_looked_at_and_cannot_be_pinned() -> None:
    shelf = FewDocuments(long=chunks_of("long", *["x"] * 2_001))
    assert documents([found(shelf.held["long"][0])], shelf) is None
    with pytest.raises(WindowError, match="longer than any window"):
        pinned(["long"], shelf)
