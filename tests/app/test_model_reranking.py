from pathlib import Path

import pytest

from app.llm.engine import Engine, Speed
from app.llm.runtime import Context, LlamaRuntime
from app.llm.sampling import Sampling
from app.model_reranking import ModelReranker
from ingest.documents import Passage
from tests.builders import passage
from tests.fakes import ScriptedRuntime

PASSAGES = [passage(text) for text in ("The fog signal sounds.", "The lamp was lit in 1871.", "The boat sails.")]


def _order(found: list[Passage]) -> list[int]:
    texts = [each.chunk.text for each in PASSAGES]
    return [texts.index(each.chunk.text) for each in found]


def test_what_the_model_says_yes_to_comes_first() -> None:
    engine = Engine(ScriptedRuntime(["no", "yes", "no"]), speed=Speed(prefill=10_000.0))
    found = ModelReranker(engine, 20, patience=15.0).rerank("When was the lamp lit?", PASSAGES)
    assert _order(found) == [1, 0, 2]
    assert [each.rank for each in found] == [0, 1, 2]
    assert found[0].score > 0.5 > found[1].score


def test_only_as_many_are_read_as_there_is_time_for() -> None:
    runtime = ScriptedRuntime(["no", "yes"])
    one = len(ModelReranker(Engine(runtime), 20, 15.0)._window("When?", PASSAGES[0]))
    engine = Engine(runtime, speed=Speed(prefill=2.5 * one / 5))
    assert _order(ModelReranker(engine, 20, patience=15.0).rerank("When?", PASSAGES)) == [1, 0, 2]
    assert runtime.script == []


def test_before_anything_was_measured_the_order_stays() -> None:
    reranker = ModelReranker(Engine(ScriptedRuntime()), 20, patience=15.0)
    assert _order(reranker.rerank("When?", PASSAGES)) == [0, 1, 2]


@pytest.mark.model
def test_a_real_model_finds_the_passage_and_the_conversation_goes_on(starter_model: Path) -> None:
    engine = Engine(LlamaRuntime(starter_model, Context(window=2048)), speed=Speed(prefill=10_000.0))
    window = engine.runtime.tokenize("The keeper of the light said:", special=True)
    before = [event for event in engine.complete(window, 4, Sampling())][-4:]
    found = ModelReranker(engine, 20, patience=15.0).rerank("When was the lamp lit?", PASSAGES)
    assert _order(found)[0] == 1
    assert [event for event in engine.complete(window, 4, Sampling())][-4:] == before
    engine.close()
