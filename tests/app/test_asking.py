"""Answers are written in the server: whoever looks may leave, stop them, come back, and lose nothing."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event as Flag

import pytest

from app.answers import Wish
from app.asking import Asking
from app.assistant import Assistant
from app.conversations import Conversations
from app.exchange import Exchange, Verdict
from app.llm.engine import Engine
from app.llm.sampling import Sampling
from app.models.resolve import ResolvedModel
from app.orchestrator import Orchestrator
from app.settings import AnsweringSettings, Settings
from app.talk import Talk
from app.turns import Turns
from ingest.index import Where
from ingest.library import Library
from tests.builders import passage
from tests.fakes import ScriptedRuntime

WHERE = Where(collection="documents")
LAMP = passage("The lamp was lit on 3 May 1871. " * 8, uri="lamp.md")
LIT = "The lamp was lit on 3 May 1871 [1]."


class Held(ScriptedRuntime):
    """Writes until it is held, and goes on when it is let go."""

    def __init__(self, *script: str, window_size: int = 4096) -> None:
        super().__init__(script, window_size)
        self.go = Flag()
        self.go.set()

    def decode(self, tokens: object) -> None:
        super().decode(tokens)  # type: ignore[arg-type]
        if len(self.decoded) > 8:
            assert self.go.wait(10)


@pytest.fixture
def settings(home: Path) -> Iterator[Settings]:
    settings = Settings.load()
    with Library(settings) as library:
        assert library.catalogue
        yield settings


def answering(settings: Settings, runtime: ScriptedRuntime) -> Assistant:
    orchestrator = Orchestrator(lambda *_: [LAMP], Engine(runtime), AnsweringSettings(), Sampling())
    model = ResolvedModel(Path("a.gguf"), None, False, "")
    return Assistant(settings, model, Library(settings), orchestrator._engine, orchestrator, "model")


def until(true: Callable[[], object]) -> None:
    for _ in range(500):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it never came about")


def asked(asking: Asking, talk: Talk, question: str, wish: Wish | None = None) -> Exchange:
    exchange = asking.ask(talk, question, wish or Wish())
    assert exchange
    until(lambda: exchange.over)
    return exchange


def test_an_answer_goes_on_without_anybody_who_looks_and_is_kept(settings: Settings) -> None:
    runtime = Held(LIT)
    runtime.go.clear()
    assistant = answering(settings, runtime)
    asking = Asking(Turns(), lambda: assistant)
    talk = asking.open("a", WHERE)
    assert asking.ask(talk, "When was the lamp lit?")
    until(lambda: talk.exchanges[0].said)
    assert asking.open("a", WHERE) is talk  # another browser sees the same
    assert asking.ask(talk, "And now?") is None
    exchange = talk.exchanges[0]
    assert exchange.state == "open"
    runtime.go.set()
    until(lambda: exchange.over)
    store = Conversations(settings.home)
    until(lambda: (found := store.get("a")) and found.exchanges[0].answer)  # a moment after it is over
    kept = store.get("a")
    assert kept
    assert kept.title == "When was the lamp lit?"
    assert kept.exchanges[0].answer
    assert kept.exchanges[0].answer.text == LIT
    assert kept.exchanges[0].found == [LAMP]


def test_whoever_waits_hears_of_each_token_at_once(settings: Settings) -> None:
    runtime = Held(LIT)
    talk = Talk("a", WHERE, answering(settings, runtime), Conversations(settings.home))
    before = talk.news
    talk.add("When was the lamp lit?")
    assert talk.wait(before, 0) == before + 1
    assert talk.wait(before + 1, 0.01) == before + 1
    list(talk.answer(talk.exchanges[0]))
    assert talk.news > before + len(LIT)


def test_a_stopped_answer_is_kept_and_marked(settings: Settings) -> None:
    runtime = Held(LIT)
    runtime.go.clear()
    assistant = answering(settings, runtime)
    asking = Asking(Turns(), lambda: assistant)
    talk = asking.open("a", WHERE)
    asking.ask(talk, "When was the lamp lit?")
    until(lambda: talk.exchanges[0].said)
    asking.stop(talk)
    runtime.go.set()
    until(lambda: not talk.open)
    kept = Conversations(settings.home).get("a")
    assert kept
    assert kept.exchanges[0].state == "stopped"
    assert LIT.startswith(kept.exchanges[0].said)


def test_the_end_of_the_server_stops_and_keeps(settings: Settings) -> None:
    runtime = Held(LIT)
    runtime.go.clear()
    assistant = answering(settings, runtime)
    asking = Asking(Turns(), lambda: assistant)
    talk = asking.open("a", WHERE)
    asking.ask(talk, "When was the lamp lit?")
    until(lambda: talk.exchanges[0].said)
    runtime.go.set()
    asking.close()
    assert not talk.open


def test_what_a_killed_server_left_is_marked_as_stopped(settings: Settings) -> None:
    store = Conversations(settings.home)
    talk = Talk("a", WHERE, answering(settings, Held(LIT)), store)
    events = talk.answer(talk.add("When was the lamp lit?"))
    for _ in range(12):
        next(events)
    store.note("a", 0, talk.exchanges[0])
    kept = store.get("a")
    assert kept
    assert kept.exchanges[0].state == "stopped"
    assert kept.exchanges[0].said
    events.close()


def test_the_second_in_line_sees_its_place_and_may_leave_it(settings: Settings) -> None:
    runtime = Held(LIT)
    turns = Turns()
    assistant = answering(settings, runtime)
    asking = Asking(turns, lambda: assistant)
    with turns.turn(lambda _: None):
        talk = asking.open("b", WHERE)
        exchange = asking.ask(talk, "When?")
        assert exchange
        until(lambda: "wait" in exchange.lines)
        assert "yours is next" in exchange.doing
        asking.stop(talk)
        until(lambda: exchange.over)
    assert exchange.state == "stopped"
    assert asked(asking, talk, "When was the lamp lit?").state == "answered"


def test_an_error_is_kept_with_its_question(settings: Settings) -> None:
    assistant = answering(settings, Held())
    asking = Asking(Turns(), lambda: assistant)
    talk = asking.open("a", WHERE)
    assert asked(asking, talk, "x" * 4000).state == "failed"
    kept = Conversations(settings.home).get("a")
    assert kept
    assert kept.exchanges[0].problem
    assert "4000 tokens" in kept.exchanges[0].problem.message


def test_a_question_is_asked_in_another_way_and_nothing_before_it_is_read_again(settings: Settings) -> None:
    runtime = Held(LIT, "When was the boat built?", "The boat [1].", "When was the lamp lit?", LIT)
    assistant = answering(settings, runtime)
    asking = Asking(Turns(), lambda: assistant)
    talk = asking.open("a", WHERE)
    first = asked(asking, talk, "When was the lamp lit?")
    asked(asking, talk, "And the boat?")
    asking.ask_again(talk, 1, "And when was the lamp lit?")
    until(lambda: not talk.open)
    assert [exchange.question for exchange in talk.exchanges] == [
        "When was the lamp lit?",
        "And when was the lamp lit?",
    ]
    assert "And the boat?" not in runtime.text()
    again = talk.exchanges[1].answer
    assert first.answer
    assert again
    assert again.usage.reused_tokens >= first.answer.usage.window_tokens - 1


def test_asking_again_wants_another_answer(settings: Settings) -> None:
    wanted: list[Sampling] = []

    class Watched(Held):
        def sampler(self, sampling: Sampling):  # type: ignore[no-untyped-def]
            wanted.append(sampling)
            return super().sampler(sampling)

    assistant = answering(settings, Watched(LIT, LIT))
    asking = Asking(Turns(), lambda: assistant)
    talk = asking.open("a", WHERE)
    asked(asking, talk, "When was the lamp lit?")
    asking.ask_again(talk, 0, "When was the lamp lit?", Wish(attempt=1))
    until(lambda: not talk.open)
    assert talk.exchanges[0].attempt == 1
    assert [each.seed for each in wanted] == [0, 1]
    assert wanted[1].temperature > 0


def test_the_window_is_measured(settings: Settings) -> None:
    runtime = Held(LIT)
    assistant = answering(settings, runtime)
    asking = Asking(Turns(), lambda: assistant)
    talk = asking.open("a", WHERE)
    before = talk.meter()
    assert before.conversation == before.passages == before.pinned == 0
    exchange = asked(asking, talk, "When was the lamp lit?")
    meter = exchange.meter
    assert meter
    assert exchange.answer
    assert meter.used == exchange.answer.usage.window_tokens
    assert meter.passages > len(LAMP.chunk.text)
    assert meter.system == before.system
    assert sum(part.tokens for part in meter.parts()) == runtime.window_size


def test_verdicts_and_titles_are_kept(settings: Settings) -> None:
    store = Conversations(settings.home)
    talk = Talk("a", WHERE, answering(settings, Held(LIT)), store)
    list(talk.answer(talk.add("When was the lamp lit?")))
    talk.judge(0, Verdict(False, "It was 1872."))
    talk.rename("  The\nlamp ")
    kept = store.get("a")
    assert kept
    assert (kept.title, kept.exchanges[0].verdict) == ("The lamp", Verdict(False, "It was 1872."))


def test_conversations_are_listed_searched_and_deleted(settings: Settings) -> None:
    store = Conversations(settings.home)
    assistant = answering(settings, Held(LIT, LIT))
    for name, question in (("a", "When was the lamp lit?"), ("b", "What is 100% sure?")):
        talk = Talk(name, WHERE, assistant, store)
        list(talk.answer(talk.add(question)))
    assert [each.name for each in store.listed()] == ["b", "a"]
    assert [each.name for each in store.listed("100%")] == ["b"]
    assert [each.name for each in store.listed("3 MAY")] == ["b", "a"]
    assert store.listed("nobody said this") == []
    store.delete("b")
    store.note("b", 0, talk.exchanges[0])
    assert [each.name for each in store.listed()] == ["a"]
    assert store.get("b") is None


def test_what_the_terminal_adds_is_seen_in_the_chat(settings: Settings) -> None:
    assistant = answering(settings, Held(LIT, "When?", LIT))
    asking = Asking(Turns(), lambda: assistant)
    talk = asking.open("lamps", WHERE)
    asked(asking, talk, "When was the lamp lit?")
    list(assistant.stream("And when again?", WHERE, named="lamps"))
    assert [each.question for each in asking.open("lamps", WHERE).exchanges][1:] == ["And when again?"]
