"""The conversation on the page: each question with its sequence, its answer and its sources."""

from collections.abc import Callable, Generator
from contextlib import closing
from html import escape
from itertools import groupby
from typing import cast

import streamlit as st

from app.answers import Answer, Citation, Event, Token, Waiting
from app.assistant import Assistant
from app.conversation import Conversation
from app.shared import Shared
from app.ui.exchange import Exchange, Line
from app.ui.markup import answer_markdown, literal_html, literal_markdown
from ingest.display import place
from ingest.errors import TransomError


def show(exchange: Exchange) -> None:
    """A question that is over, in whatever way."""
    with st.chat_message("user", avatar=":material/person:"):
        st.html(literal_html(exchange.question))
    with st.chat_message("assistant", avatar=":material/window:"):
        with st.status(exchange.outcome, state="error" if exchange.error else "complete"):
            st.html(_sequence(exchange))
        if exchange.error:
            show_error(exchange.error)
        elif exchange.answer:
            _show_answer(exchange.answer)
        else:
            st.markdown(answer_markdown(exchange.said))
            st.caption("Stopped. What was said so far is not checked.")


def answer_live(exchange: Exchange, conversation: Conversation, assistant: Assistant, shared: Shared) -> None:
    """Answers a question before the person's eyes. Whatever ends the script stops the model."""
    with st.chat_message("user", avatar=":material/person:"):
        st.html(literal_html(exchange.question))
    with st.chat_message("assistant", avatar=":material/window:"):
        draw = _live_view()
        draw(exchange)

        def waiting(ahead: int) -> None:
            exchange.take(Waiting(ahead))
            draw(exchange)

        st.button("Stop", key="stop", icon=":material/stop_circle:", type="tertiary")
        try:
            stream = assistant.answer(exchange.question, conversation)
            events = cast(Generator[Event, None, None], stream)
            with shared.asking.turn(waiting), closing(events):
                for event in events:
                    exchange.take(event)
                    draw(exchange, only_text=isinstance(event, Token) and not event.thought)
        except TransomError as error:
            exchange.error = error


def show_error(error: TransomError) -> None:
    """What happened, and what to do about it."""
    st.error(f"**{literal_markdown(error.message)}**\n\n{answer_markdown(error.hint)}", icon=":material/error:")


def _live_view() -> Callable[..., None]:
    """Draws an exchange as it grows."""
    status = st.status("Understanding the question", expanded=True)
    sequence, text = status.empty(), st.empty()
    shown = ""

    def draw(exchange: Exchange, only_text: bool = False) -> None:
        nonlocal shown
        if not only_text or exchange.doing != shown:
            shown = exchange.doing
            status.update(label=literal_markdown(shown), expanded=True)  # else the browser folds it
            sequence.html(_sequence(exchange))
        if exchange.said:
            text.markdown(answer_markdown(exchange.said))

    return draw


def _show_answer(answer: Answer) -> None:
    unverified = {number for number, cited in _by_number(answer) if not any(each.verified for each in cited)}
    if answer.abstained:
        st.info(answer_markdown(answer.text), icon=":material/search_off:")
    else:
        st.markdown(answer_markdown(answer.text, unverified))
    for sentence in answer.unproved:
        st.caption(f":material/help: No passage supports: {literal_markdown(sentence)}")
    if answer.coverage is not None:
        st.caption(f"Read so far: {answer.coverage:.0%} of the files.")
    if answer.finish_reason == "length":
        st.caption("The answer was cut: it reached the longest that answering.answer_tokens allows.")
    if answer.finish_reason == "repeated":
        st.caption("The answer was stopped: the model only said the same again and again.")
    if answer.thought:
        with st.expander("What the model thought", icon=":material/psychology:"):
            st.html(literal_html(answer.thought))
    if answer.unsupported:
        with st.expander("What the model said, which no passage supports", icon=":material/help:"):
            st.html(literal_html(answer.unsupported))
    _show_sources(answer)


def _show_sources(answer: Answer) -> None:
    cited = _by_number(answer)
    if cited:
        st.caption("Sources")
    for number, citations in cited:
        with st.expander(_source_label(number, citations)):
            _show_passage(citations)
    rest = {n: passage for n, passage in answer.passages.items() if n not in dict(cited)}
    if rest:
        with st.expander("Read but not cited", icon=":material/visibility:"):
            for number, passage in rest.items():
                st.html(literal_html(f"[{number}] {place(passage)}", name="place"))
                st.html(literal_html(passage.chunk.text, name="passage"))


def _show_passage(citations: list[Citation]) -> None:
    chunk = citations[0].passage.chunk
    if chunk.headings:
        st.html(literal_html(" > ".join(chunk.headings), name="place"))
    begin = chunk.span[0]
    verified = [each for each in citations if each.verified]
    marks = [(each.span[0] - begin, each.span[1] - begin) for each in verified]
    st.html(literal_html(chunk.text, marks, name="passage"))


def _source_label(number: int, citations: list[Citation]) -> str:
    chunk = citations[0].passage.chunk
    pages = sorted({each.page for each in citations if each.page is not None})
    where = chunk.uri if not pages else f"{chunk.uri}, page {', '.join(map(str, pages))}"
    label = literal_markdown(f"[{number}] {where}")
    return label if any(each.verified for each in citations) else f"{label} :orange-badge[not verified]"


def _by_number(answer: Answer) -> list[tuple[int, list[Citation]]]:
    ordered = sorted(answer.citations, key=lambda citation: citation.number)
    return [(number, list(cited)) for number, cited in groupby(ordered, key=lambda citation: citation.number)]


def _sequence(exchange: Exchange) -> str:
    return f'<ol class="transom-sequence">{"".join(map(_item, exchange.lines.values()))}</ol>'


def _item(line: Line) -> str:
    seconds = "" if line.seconds is None else f"<span>{line.seconds:.2f} s</span>"
    return f"<li><b>{escape(line.who)}</b> <span>{escape(line.what)}</span> {seconds}</li>"
