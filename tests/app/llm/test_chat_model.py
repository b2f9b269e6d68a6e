"""The engine as LangChain sees it; LangChain's own suites are in tests/langchain."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from app.errors import WindowError
from app.llm.chat_model import ChatTransom
from app.llm.engine import Engine
from app.llm.stopping import StopText
from ingest.errors import UsageError
from tests.fakes import ScriptedRuntime

THOUGHT = "<|channel>thought\nLet me see.<channel|>On Tuesdays."


def chat(runtime: ScriptedRuntime, **options: object) -> ChatTransom:
    return ChatTransom(engine=Engine(runtime), **options)


def test_messages_become_turns_of_the_model() -> None:
    runtime = ScriptedRuntime(["On Tuesdays."])
    said = [SystemMessage("Be brief."), HumanMessage("Hello"), AIMessage("Yes?"), HumanMessage("When?")]
    assert chat(runtime).invoke(said).content == "On Tuesdays."
    assert runtime.text().replace("<control>", "|") == (
        "|system\nBe brief.|\n|user\nHello|\n|assistant\nYes?|\n|user\nWhen?|\n|assistant\nOn Tuesdays."
    )


def test_a_conversation_that_goes_on_is_evaluated_once() -> None:
    runtime = ScriptedRuntime(["On Tuesdays.", "By boat."])
    model = chat(runtime)
    messages: list[BaseMessage] = [SystemMessage("Be brief."), HumanMessage("When?")]
    messages += [model.invoke(messages), HumanMessage("How?")]
    before = len(runtime.cache)
    answer = model.invoke(messages)
    assert answer.content == "By boat."
    assert isinstance(answer, AIMessage)
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["input_token_details"]["cache_read"] == before
    assert sum(runtime.decoded) == len(runtime.cache)  # no token twice


def test_an_answer_cut_short_is_evaluated_once_too() -> None:
    runtime = ScriptedRuntime(["On Tuesdays.", "By boat."])
    model = chat(runtime)
    first = model.invoke("When?", max_tokens=5)
    assert first.content == "On Tu"
    assert first.response_metadata["finish_reason"] == "length"
    model.invoke([HumanMessage("When?"), first, HumanMessage("How?")])
    assert sum(runtime.decoded) == len(runtime.cache)


def test_a_thought_is_shown_apart() -> None:
    chunks = list(chat(ScriptedRuntime([THOUGHT])).stream("When?"))
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    assert isinstance(whole, AIMessageChunk)
    assert whole.content == "On Tuesdays."
    assert [block["type"] for block in whole.content_blocks] == ["reasoning", "text"]
    assert whole.additional_kwargs["reasoning_content"] == "\nLet me see."
    assert whole.usage_metadata is not None
    assert whole.usage_metadata["output_token_details"]["reasoning"] == len("\nLet me see.")


def test_a_thought_does_not_come_back_as_history() -> None:
    runtime = ScriptedRuntime([THOUGHT, "By boat."])
    model = chat(runtime)
    model.invoke([HumanMessage("When?"), model.invoke("When?"), HumanMessage("How?")])
    assert "see" not in runtime.text()
    assert "On Tuesdays." in runtime.text()


def test_a_stop_ends_the_answer_and_is_not_shown() -> None:
    runtime = ScriptedRuntime(["One, two, three, four."] * 2)
    model = chat(runtime, stop=["three"])
    assert model.invoke("Count.").content == "One, two, "
    assert model.invoke("Count.", stop=["wo"]).content == "One, t"


def test_a_stream_that_is_closed_stops_the_model() -> None:
    runtime = ScriptedRuntime(["One, two, three, four."])
    stream = chat(runtime).stream("Count.")
    next(stream)
    stream.close()  # type: ignore[attr-defined]  # a generator
    assert "four" not in runtime.text()


def test_what_one_side_says_in_a_row_is_one_turn() -> None:
    runtime = ScriptedRuntime(["ok"])
    chat(runtime).invoke(
        [SystemMessage("A"), SystemMessage("B"), HumanMessage("C"), ChatMessage(content="D", role="user")]
    )
    assert "system\nA\n\nB<control>" in runtime.text()
    assert "user\nC\n\nD<control>" in runtime.text()


@pytest.mark.parametrize(
    ("messages", "told"),
    [
        ([HumanMessage([{"type": "image", "url": "https://example.org/a.png"}])], "text only, and no image"),
        ([HumanMessage("a"), ToolMessage("b", tool_call_id="1")], "'tool' cannot be shown"),
        ([HumanMessage("a"), AIMessage("b")], "no question"),
        ([SystemMessage("a")], "no question"),
    ],
)
def test_what_the_model_cannot_be_shown_is_told(messages: Sequence[BaseMessage], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        chat(ScriptedRuntime()).invoke(list(messages))


def test_a_conversation_longer_than_the_window_is_told() -> None:
    with pytest.raises(WindowError, match="do not fit"):
        chat(ScriptedRuntime(window_size=64)).invoke("a" * 100)


@given(st.text("abc", max_size=20), st.lists(st.text("abc", min_size=1, max_size=4), max_size=3), st.data())
def test_however_an_answer_is_cut_a_stop_is_never_shown(text: str, stops: list[str], data: st.DataObject) -> None:
    ends = [place for stop in stops if (place := text.find(stop)) >= 0]
    expected = text[: min(ends)] if ends else text
    shown, stopping = "", StopText(stops)
    while text:
        size = data.draw(st.integers(1, len(text)))
        shown += stopping.feed(text[:size])
        text = text[size:]
    # Which of two texts ends an answer may depend on how it comes; what is shown is never one of them.
    assert (shown + stopping.finish()).startswith(expected) or not ends
    assert not any(stop in shown for stop in stops)
    assert stopping.met == bool(ends)
