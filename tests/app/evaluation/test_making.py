import json
from pathlib import Path

from app.evaluation.making import Maker, drawn, parsed
from app.evaluation.questions import read_questions
from app.llm.engine import Engine
from ingest.index import Where
from tests.builders import chunk
from tests.fakes import ScriptedRuntime
from tests.shelf import FewDocuments, chunks_of

TEXT = "The tower was first lit on 3 May\n1871, by Ada Brennan."
CHUNK = chunk(TEXT, uri="history.pdf", start=100, pages=(4,))


def test_what_was_made_knows_where_its_answer_stands() -> None:
    made = parsed("Question: When was the tower first lit?\nAnswer: 3 may 1871.", CHUNK)
    assert made is not None
    assert (made.answer, made.page, made.document) == ("3 May\n1871", 4, "history.pdf")
    assert TEXT[made.span[0] - 100 : made.span[1] - 100] == made.answer


def test_what_cannot_be_used_is_dropped() -> None:
    invented = "Question: When was the tower first lit?\nAnswer: 4 May 1871"
    given_away = "Question: Was it lit on 3 May 1871?\nAnswer: 3 May 1871"
    of_the_passage = "Question: When does the passage say it was lit?\nAnswer: 3 May 1871"
    part_of_a_word = "Question: What is short?\nAnswer: Bren"
    for reply in (invented, given_away, of_the_passage, part_of_a_word, "I cannot do that.", ""):
        assert parsed(reply, CHUNK) is None


def test_a_made_line_is_read_as_a_question(tmp_path: Path) -> None:
    made = Maker(Engine(ScriptedRuntime(["Question: Who lit the tower first?\nAnswer: Ada Brennan"]))).make(CHUNK)
    assert made is not None
    (tmp_path / "docs").mkdir()
    (tmp_path / "questions.jsonl").write_text(json.dumps(made.to_json()) + "\n")
    (question,) = read_questions(tmp_path).questions
    assert question.answers == ("Ada Brennan",)
    assert question.evidence[0].span == made.span


def test_every_document_is_asked_about_in_turn_and_scraps_are_not() -> None:
    long = " ".join(f"keeper{number}" for number in range(30))
    few = FewDocuments(one=chunks_of("one", long, "Title", f"{long} again"), two=chunks_of("two", long))
    order = [each.document_id for each in drawn(few, Where())]
    assert order == ["one", "two", "one"]
    assert [each.id for each in drawn(few, Where())] == [each.id for each in drawn(few, Where())]
