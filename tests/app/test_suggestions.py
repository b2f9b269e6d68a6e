from collections.abc import Sequence
from dataclasses import replace

from app.suggestions import suggestions
from ingest.catalogue import Entry
from ingest.documents import Chunk
from tests.builders import chunk

READ = Entry("0", "documents", "/folder", "a.pdf", 1, 1, "0", "indexed", chunks=1)


class Library:
    def __init__(self, *headings: tuple[str, ...]) -> None:
        self._chunks = [chunk("text", headings=each) for each in headings]

    def chunks(self, document_id: str, ordinals: Sequence[int]) -> list[Chunk]:
        return self._chunks


def entries(count: int) -> list[Entry]:
    return [replace(READ, document_id=str(number), uri=f"old/{number}.pdf") for number in range(count)]


def test_questions_are_made_from_headings_below_the_title() -> None:
    library = Library(("Handbook",), ("Handbook", "1."), ("Handbook", "The fog signal:"))
    assert suggestions(entries(1), library) == ["What does 0.pdf say about “The fog signal”?"]


def test_without_headings_the_document_itself_is_asked_about() -> None:
    assert suggestions(entries(1), Library(())) == ["What is 0.pdf about?"]


def test_few_documents_from_all_over_the_list_are_taken() -> None:
    assert [each[8:].split(".")[0] for each in suggestions(entries(9), Library(()))] == ["0", "3", "6"]
    assert suggestions([replace(READ, chunks=0)], Library()) == []
