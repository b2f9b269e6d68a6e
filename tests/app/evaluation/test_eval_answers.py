import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.answers import Answer, Citation, Usage
from app.evaluation.answers import choose, f1, judge, summary
from app.evaluation.cli import evaluation
from app.evaluation.questions import Evidence, Question, QuestionSet
from app.settings import Settings
from ingest.documents import Chunk, Passage


def question(name: str = "q", *, answerable: bool = True, page: int = 3) -> Question:
    places = (Evidence("fees.pdf", page),) if answerable else ()
    return Question(name, "What is the fee?", places, ("five euro a day",) if answerable else (), answerable)


def citation(document: str, page: int, *, verified: bool = True) -> Citation:
    chunk = Chunk("c", "documents", document, document, "", 0, "five euro", (), (page,), (0, 9), 2, (0,))
    return Citation(1, Passage(chunk, 1.0, 0, 1.0, 1.0), "five euro", (0, 9), verified, page)


def answer(text: str, *citations: Citation) -> Answer:
    return Answer(text, citations, {}, not citations, Usage(0, 0, 0), {}, "p", "ended")


def worth(*pairs: tuple[Question, Answer]) -> dict[str, float]:
    asked = QuestionSet(Path("set"), tuple(each for each, _ in pairs))
    return summary([judge(each, said, asked) for each, said in pairs])


def test_words_are_compared_without_case_articles_marks_and_points() -> None:
    assert f1("The fee: FIVE euro.", "five euro a fee") == 1
    assert f1("five five", "five euro") == 0.5
    assert f1("", "five") == f1("six", "five") == 0
    told = worth((question(), answer("Five euro a day [1].", citation("fees.pdf", 3))))
    assert (told["exact"], told["f1"]) == (1, 1)


def test_a_citation_is_precise_by_document_and_by_page() -> None:
    cited = [citation("fees.pdf", 4), citation("fees.pdf", 9), citation("other.pdf", 3, verified=False)]
    told = worth((question(), answer("Five euro.", *cited)), (question(), answer("Six.", cited[2])))
    assert told["citation_precision"] == 0.25
    assert told["citation_precision_document"] == 0.5
    assert told["verified_share"] == 0.5


def test_to_decline_is_right_where_there_is_no_answer() -> None:
    nothing = answer("The documents do not answer this.")
    unanswerable = question(answerable=False)
    told = worth(
        (unanswerable, nothing), (question(), nothing), (unanswerable, answer("Six.", citation("other.pdf", 1)))
    )
    assert (told["abstain_precision"], told["abstain_recall"]) == (0.5, 0.5)
    assert told["f1"] == 0
    assert told["citation_precision"] == 0  # what has no answer has no right place either: it is not counted


def test_the_same_questions_are_chosen_and_half_of_them_have_no_answer() -> None:
    asked = [question(str(n), answerable=n % 3 > 0) for n in range(60)]
    chosen = choose(QuestionSet(Path("set"), tuple(asked)), 20)
    assert sum(not each.answerable for each in chosen) == 10
    assert chosen == choose(QuestionSet(Path("set"), tuple(reversed(asked))), 20)
    assert len(choose(QuestionSet(Path("set"), (asked[1],)), 20)) == 1


@pytest.mark.model
def test_answers_are_measured_with_a_model(tmp_path: Path, starter_model: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/fees.txt").write_text("The fee for visitors is five euro a day, and children pay nothing.")
    row = {"_id": "1", "question": "What is the fee for visitors?", "answers": ["five euro a day"]}
    place = {"evidence": [{"doc": "fees.txt", "start": 0, "end": 40}]}
    (tmp_path / "questions.jsonl").write_text(json.dumps(row | place))
    settings = Settings.load(model={"name": str(starter_model)})
    told = CliRunner().invoke(evaluation, ["answers", str(tmp_path), "--json"], obj=settings, catch_exceptions=False)
    values = json.loads(told.stdout.splitlines()[-1])
    assert values["f1"] > 0.3
    assert values["verified_share"] == values["citation_precision"] == 1
    assert not (settings.home / "traces").exists()
