"""What is told of an answer afterwards."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pydantic import TypeAdapter

from app.answers import Answer, whole
from app.assistant import Assistant
from app.cli import cli
from app.llm.engine import Engine
from app.llm.sampling import Sampling
from app.models.resolve import ResolvedModel
from app.orchestrator import Orchestrator
from app.records import Records
from app.settings import AnsweringSettings, Settings
from app.trace import Trace, kept_traces
from ingest.documents import Passage
from ingest.index import Where
from ingest.library import Library
from tests.builders import passage
from tests.fakes import ScriptedRuntime

LAMP = passage("The lamp was lit on 3 May 1871.", uri="history.pdf", pages=(4,))
LONG = passage("x" * 3_000, uri="long.txt")


@pytest.fixture
def settings(home: Path) -> Settings:
    home.mkdir()
    return Settings.load()


def answer(settings: Settings, said: str, found: list[Passage]) -> Answer:
    engine = Engine(ScriptedRuntime([said], window_size=2_500))
    orchestrator = Orchestrator(lambda *_: found, engine, AnsweringSettings(answer_tokens=100), Sampling())
    assistant = Assistant(settings, ResolvedModel(Path("a"), None, False, ""), Library(settings), engine, orchestrator)
    return whole(assistant.stream("When was the lamp lit?", Where()))


def kept(settings: Settings, of: Answer) -> Trace:
    trace = kept_traces(settings.home).get(of.trace)
    assert trace is not None
    return trace


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def test_every_candidate_what_was_shown_and_the_exact_prompt_are_kept(settings: Settings) -> None:
    trace = kept(settings, answer(settings, "On 3 May 1871 [1].", [LAMP, LONG]))
    assert trace.found == [LAMP, LONG]
    assert (trace.shown, trace.left_out) == ({1: LAMP}, [LONG])
    assert trace.prompt.startswith("<control>system\nYou answer questions")
    assert trace.prompt.endswith("Question: When was the lamp lit?<control>\n<control>assistant\n")
    assert trace.answer.text == "On 3 May 1871 [1]."


@pytest.mark.parametrize(
    ("said", "found", "why"),
    [
        ("", [passage("Other.", dense=0.0)], "too little evidence to ask"),
        ("The documents do not answer this.", [LAMP], "The model said"),
        ("The lamp cost nine thousand crowns.", [LAMP], "No passage supports what the model said: The lamp cost"),
    ],
)
def test_why_there_is_no_answer_is_told(settings: Settings, said: str, found: list[Passage], why: str) -> None:
    trace = kept(settings, answer(settings, said, found))
    assert why in trace.abstained


def test_the_command_shows_the_last_answer_or_the_one_that_is_named(settings: Settings) -> None:
    first = answer(settings, "On 3 May 1871 [1].", [LAMP, LONG])
    answer(settings, "", [])
    assert "too little evidence" in run("trace").output
    shown = run("trace", first.trace).output
    for said in ("[1]  score", "cosine 0.800", "left out", "history.pdf, page 4", "[1] verified:", "evaluated"):
        assert said in shown
    assert json.loads(run("trace", first.trace, "--json").stdout)["found"][0]["chunk"]["uri"] == "history.pdf"


def test_an_unknown_trace_is_told(settings: Settings) -> None:
    assert "Nothing was asked yet." in str(run("trace").exception)
    assert "There is no trace 77." in str(run("trace", "77").exception)


def test_only_the_newest_are_kept(settings: Settings) -> None:
    records = Records(settings.home / "some.db", TypeAdapter(int), most=2)
    for number in range(4):
        records.put(str(number), number)
    assert [records.get(str(number)) for number in range(4)] == [None, None, 2, 3]
    assert records.newest() == 3
