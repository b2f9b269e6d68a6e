"""When passages that were read ahead are joined to the window of a question, and what that changes: its cost alone."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from app.answers import Answer, Finished, Fitted, ReadAhead
from app.conversation import Conversation
from app.llm.dialogue import Dialogue
from app.llm.engine import Engine, Speed
from app.llm.passages import PassageStates, Trial
from app.llm.sampling import Sampling
from app.orchestrator import Orchestrator
from app.prompting import prompt
from app.settings import AnsweringSettings
from app.survey.listing import Documents
from app.wording import body
from ingest.documents import Passage
from ingest.index import Where
from tests.builders import passage
from tests.fakes import ScriptedRuntime, ScriptedSpare
from tests.shelf import FewDocuments, chunks_of, found

LAMP = passage("The lamp was lit on 3 May 1871, and it burned oil.", uri="history.pdf", pages=(4,))
BOAT = passage("The relief boat sails to the lamp on Tuesdays.", uri="boat.md")
FOG = passage("The fog signal near the lamp sounds twice a minute.", uri="fog.md")
PASSED, FAILED = Trial(1.0, 1.0), Trial(1.0, 2.0)


class Asked:
    """An orchestrator over a scripted model that has read some passages ahead; it reads 20 tokens a second."""

    def __init__(
        self,
        folder: Path,
        read_ahead: ReadAhead,
        trial: Trial | None = PASSED,
        answers: Sequence[str] = ("On 3 May 1871 [1].",) * 9,
        shelf: Documents | None = None,
        window: int = 6000,
        patience: float = 15,
    ) -> None:
        self.runtime = ScriptedRuntime(answers, window_size=window)
        self.spare = ScriptedSpare(self.runtime)
        self.runtime.spare = self.spare
        self.dialogue = Dialogue(self.runtime)
        self.states = PassageStates(folder, "model", self.dialogue.opening(prompt("answer").text), 1 << 20)
        if trial:
            self.states.trial = trial
        self.engine = Engine(self.runtime, speed=Speed(20.0, 50.0), states=self.states)
        settings = AnsweringSettings(answer_tokens=100, read_ahead=read_ahead, patience=patience, passages=3)
        self.found: list[Passage] = [LAMP, BOAT, FOG]
        self.orchestrator = Orchestrator(
            lambda _, limit, __: self.found[:limit], self.engine, settings, Sampling(), shelf=shelf
        )
        self.conversation: Conversation = self.orchestrator.begin(Where())

    def read(self, *passages: Passage) -> None:
        for each in passages:
            for _ in self.engine.read_ahead(each.chunk.document_id, body(each.chunk, self.dialogue)):
                pass
        self.spare.decoded.clear()
        self.engine.speed.prefill = 20.0

    def answer(self, question: str = "When was the lamp lit?") -> Answer:
        *_, last = self.orchestrator.stream(question, self.conversation)
        assert isinstance(last, Finished)
        self.engine.speed.prefill = 20.0
        return last.answer


def test_what_was_read_ahead_is_not_evaluated_again_and_reads_the_same(tmp_path: Path) -> None:
    fresh, ahead = Asked(tmp_path / "fresh", "off"), Asked(tmp_path / "ahead", "on")
    ahead.read(LAMP, BOAT, FOG)
    one, other = fresh.answer(), ahead.answer()
    assert fresh.runtime.text() == ahead.runtime.text()
    assert one.text == other.text and one.citations == other.citations
    assert other.usage.joined_tokens > 200 and max(ahead.spare.decoded) < 4  # numbers, the first time
    assert one.usage.evaluated_tokens == other.usage.evaluated_tokens + other.usage.joined_tokens
    assert str(other.usage).startswith(
        f"{other.usage.evaluated_tokens:,} evaluated, {other.usage.joined_tokens:,} read"
    )


def test_what_was_not_read_ahead_is_evaluated(tmp_path: Path) -> None:
    asked = Asked(tmp_path, "on")
    asked.read(BOAT)
    usage = asked.answer().usage
    assert usage.joined_tokens == len(body(BOAT.chunk, asked.dialogue))


@pytest.mark.parametrize(
    ("read_ahead", "trial", "patience", "joins"),
    [
        ("off", PASSED, 1, False),
        ("on", FAILED, 1, True),
        ("on", None, 1000, True),
        ("auto", PASSED, 1, True),
        ("auto", PASSED, 1000, False),  # all can be read in time
        ("auto", FAILED, 1, False),
        ("auto", None, 1, False),
    ],
)
def test_it_is_used_where_it_is_wanted(
    tmp_path: Path, read_ahead: ReadAhead, trial: Trial | None, patience: float, joins: bool
) -> None:
    asked = Asked(tmp_path, read_ahead, trial, patience=patience)
    asked.read(LAMP, BOAT, FOG)
    assert bool(asked.answer().usage.joined_tokens) == joins


def test_a_follow_up_names_what_was_joined(tmp_path: Path) -> None:
    asked = Asked(tmp_path, "on", answers=["On 3 May 1871 [1].", "What does the lamp burn?", "It burned oil [1]."])
    asked.read(LAMP, BOAT, FOG)
    asked.answer()
    usage = asked.answer("What does the lamp burn?").usage
    assert usage.joined_tokens == 0 and usage.reused_tokens > 500
    assert asked.runtime.text().count("burned oil.\n</passage>") == 1


def test_a_window_that_is_begun_anew_joins_what_it_cites(tmp_path: Path) -> None:
    asked = Asked(tmp_path, "on")
    asked.read(LAMP, BOAT, FOG)
    asked.answer()
    asked.spare.decoded.clear()
    asked.orchestrator._fitter.compact(asked.conversation)
    answer = asked.answer()
    assert answer.usage.joined_tokens >= len(body(LAMP.chunk, asked.dialogue))
    assert asked.runtime.text().count("burned oil.\n</passage>") == 1


def test_more_is_shown_in_the_same_time(tmp_path: Path) -> None:
    texts = [f"Paragraph {number} about the lamp, long enough to take its time." for number in range(12)]
    shelf = FewDocuments(lamp=chunks_of("lamp", *texts))
    asked = Asked(tmp_path, "on", shelf=shelf, patience=12)
    asked.found = [found(shelf.chunks("lamp", [3])[0])]

    def scope() -> str:
        events = list(asked.orchestrator.stream("What about the lamp?", asked.conversation))
        (fitted,) = [event for event in events if isinstance(event, Fitted)]
        return fitted.scope

    assert scope() in ("sections", "passages")
    asked.conversation = asked.orchestrator.begin(Where())
    asked.read(*(found(chunk) for chunk in shelf.chunks("lamp", range(12))))
    assert scope() in ("documents", "collection")


def test_a_damaged_state_costs_time_and_nothing_else(tmp_path: Path) -> None:
    asked = Asked(tmp_path, "on")
    asked.read(LAMP, BOAT, FOG)
    for path in tmp_path.glob("*/*/*.state"):
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    answer = asked.answer()
    assert answer.text == "On 3 May 1871 [1]." and answer.usage.joined_tokens == 0
    evaluated = [count for count in asked.spare.decoded if count > 4]  # without numbers
    assert evaluated == [len(body(each.chunk, asked.dialogue)) for each in (LAMP, BOAT, FOG)]
    assert answer.usage.evaluated_tokens > sum(asked.spare.decoded)
