from pathlib import Path

import pytest

from app.retriever import Retriever, distinct
from ingest.index import Where
from ingest.library import Library

EVERYTHING = Where("documents")
RULE = "Travel by train is paid in second class. A taxi is paid after ten in the evening, with a receipt and a reason."


@pytest.fixture
def filled(library: Library, tmp_path: Path) -> Library:
    texts = {
        "a/travel.md": RULE,
        "b/travel.md": RULE.replace(" A taxi", "\nA taxi"),
        "c/travel-2019.md": RULE.replace("second", "first"),
        "guide.txt": "Travel guides are lent by the library for three weeks, and trains are in all of them.",
    }
    for name, text in texts.items():
        file = tmp_path / "files" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    list(library.ingest([tmp_path / "files"]))
    return library


def test_a_copy_does_not_crowd_out_the_rest_and_another_version_stays(filled: Library) -> None:
    question = "Which class of train is paid?"
    assert {p.chunk.uri for p in filled.search(question, 2, EVERYTHING)} == {"a/travel.md", "b/travel.md"}
    found = Retriever(filled).search(question, 3, EVERYTHING)
    assert {passage.chunk.uri[2:] for passage in found} == {"travel.md", "travel-2019.md", "ide.txt"}
    assert [passage.rank for passage in found] == [0, 1, 2]


def test_no_more_is_given_than_was_asked_for(filled: Library) -> None:
    passages = filled.search("train", 4, EVERYTHING)
    assert len(distinct(passages, 1)) == 1
    assert distinct([], 5) == []


@pytest.mark.parametrize(
    ("question", "meant"),
    [
        ("Who pays the taxi in guide.txt?", "guide.txt"),
        ("Is a taxi paid according to Travel-2019.md?", "c/travel-2019.md"),
        ("What does a/travel.md say?", "a/travel.md"),
        ("What does travel.md say?", None),  # there are two
        ("What does visits.md say about example.com?", None),
        ("Is the taxi paid?", None),
    ],
)
def test_a_question_that_names_one_file_is_asked_of_it(filled: Library, question: str, meant: str | None) -> None:
    found = Retriever(filled).search(question, 5, EVERYTHING)
    assert found.narrowed == (f"in {meant}" if meant else "")
    assert not meant or {passage.chunk.uri for passage in found} == {meant}
