"""From a citation to what is shown of its document."""

import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import ui
from app.answers import Citation
from app.sources import opening
from app.sources.alignment import Quoted, folded, locate
from app.sources.sheet import Wanted, draw
from app.sources.sheets import Sheets
from app.sources.source import excerpt, quoted_on
from ingest.documents import Chunk, Passage
from ingest.errors import ReadError, TransomError
from ingest.readers.pdf import read_pdf
from tests.builders import chunk

HANDBOOK = Path(__file__).parents[3] / "examples/documents/keepers-handbook.pdf"


def cite(chunk: Chunk, start: int, end: int) -> Citation:
    span = (chunk.span[0] + start, chunk.span[0] + end)
    return Citation(1, Passage(chunk, 1.0, 0, 0.8, 1.0), chunk.text[start:end], span, True, chunk.page_at(start))


def located(quoted: Quoted, page: str) -> str:
    return "".join(page[place] for place in locate(quoted, page))


def test_words_are_found_however_their_lines_and_hyphens_were_read() -> None:
    page = "A tower\r\nstands on the northern\ufffe\r\nmost rock. The \ufb01re burns."
    assert located(Quoted("stands on the northernmost rock."), page) == "standsonthenorthernmostrock."
    assert located(Quoted("The fire burns"), page) == "The\ufb01reburns"


def test_the_words_before_tell_one_place_from_another() -> None:
    page = "North: closed. South: closed."
    assert locate(Quoted("closed.", "North: closed. South: "), page)[0] == page.rindex("closed")
    assert locate(Quoted("closed.", "North: "), page)[0] == page.index("closed")


def test_words_that_were_read_a_little_otherwise_are_found_all_the_same() -> None:
    page = "The gate costs seven pounds on Sundays and Mondays."
    assert "pounds" in located(Quoted("The gate costs sewen pounds on Sundays"), page)
    assert located(Quoted("Elephants fly at nine hundred metres"), page) == ""
    assert locate(Quoted(" - "), page) == locate(Quoted("x"), "") == []


@given(st.text(max_size=60), st.text(min_size=1, max_size=30), st.text(max_size=60))
def test_words_that_stand_on_the_page_are_always_found(before: str, words: str, behind: str) -> None:
    page = before + words + behind
    found = "".join(page[place] for place in locate(Quoted(words, before), page))
    assert folded(words) in folded(found)


def test_the_cited_words_are_boxed_on_their_page() -> None:
    pages = read_pdf(HANDBOOK, "application/pdf").pages
    number, text = next((page.number, page.text) for page in pages if "9 October 1861" in page.text)
    start = text.index("9 October 1861")
    sheet = draw(
        Wanted(str(HANDBOOK), number, (Quoted("9 October 1861", text[:start]), Quoted("no such words at all")))
    )
    assert sheet.picture.startswith(b"RIFF")
    assert sheet.pages == len(pages)
    found, missing = sheet.boxes
    assert 1 <= len(found) <= 2
    assert all(0 < box.left < 1 and 0 < box.top < 1 and box.width < 0.5 and box.height < 0.05 for box in found)
    assert missing == ()


def test_a_page_is_drawn_in_a_process_of_its_own_and_once() -> None:
    with closing(Sheets()) as sheets:
        wanted = Wanted(str(HANDBOOK), 1)
        assert sheets.draw(wanted, 1) is sheets.draw(wanted, 1)
        with pytest.raises(ReadError, match="no page 400"):
            sheets.draw(Wanted(str(HANDBOOK), 400), 1)
        with pytest.raises(ReadError, match="cannot be shown"):
            sheets.draw(Wanted(str(HANDBOOK.with_name("gone.pdf")), 1), 1)


def test_a_page_is_drawn_while_a_page_of_the_chat_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(ui.__file__).parent))  # as Streamlit does; there is an ingest.py in it
    with closing(Sheets()) as sheets:
        assert sheets.draw(Wanted(str(HANDBOOK), 1), 1).pages == 13


def test_words_over_a_page_break_are_marked_on_both_pages() -> None:
    both = chunk("The gate is open.\n\nIt closes at six.", pages=(3, 4), page_starts=(0, 19))
    quoted = quoted_on(cite(both, 9, 29))
    assert quoted == {3: Quoted("is open.\n\n", "The gate "), 4: Quoted("It closes ", "")}


class Kept:
    def __init__(self, *chunks: Chunk) -> None:
        self._chunks = chunks

    def chunks(self, document_id: str, ordinals: object) -> list[Chunk]:
        return list(self._chunks)


def test_the_text_around_the_words_is_put_together_again() -> None:
    first, second = chunk("One. Two."), chunk("Two. Three.", start=5)
    third = chunk("Four.", start=18)
    found = excerpt(cite(second, 5, 11), [cite(first, 0, 4)], Kept(first, second, third), 3)
    assert found.text == "One. Two. Three.\n\nFour."
    assert [found.text[slice(*mark)] for mark in found.marks] == ["Three.", "One."]
    assert found.begins
    assert found.ends


def test_of_a_document_that_is_gone_the_cited_passage_is_shown() -> None:
    only = chunk("One. Two.", start=40)
    found = excerpt(cite(only, 5, 9), [], Kept(), 3)
    assert found.text == only.text
    assert found.text[slice(*found.marks[0])] == "Two."


def test_only_documents_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(subprocess, "Popen", lambda command, **_: started.append(command))
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("DISPLAY", ":0")
    report, script = tmp_path / "a.pdf", tmp_path / "a.sh"
    report.touch()
    script.touch()
    opening.open_file(report)
    opening.show_in_folder(script)
    assert started == [["xdg-open", str(report)], ["xdg-open", str(tmp_path)]]
    with pytest.raises(TransomError, match="could be a program"):
        opening.open_file(script)
    with pytest.raises(TransomError, match="not there any more"):
        opening.open_file(tmp_path / "b.pdf")
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(TransomError, match="no desktop"):
        opening.open_file(report)
