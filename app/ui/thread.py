"""The conversation on the page: each question with its sequence, its answer and its sources."""

from html import escape

import streamlit as st

from app.answers import Answer
from app.citations.places import citation_at
from app.exchange import Exchange, Line, Problem
from app.talk import Talk
from app.ui.actions import show_actions, show_question_actions
from app.ui.markup import answer_markdown, literal_html, literal_markdown
from app.ui.sources import show_sources, source_label
from ingest.errors import TransomError


def show(talk: Talk, position: int) -> None:
    """A question that is over, in whatever way."""
    exchange = talk.exchanges[position]
    show_question(exchange)
    show_question_actions(talk, position)
    with st.chat_message("assistant", avatar=":material/window:"):
        with st.status(exchange.outcome, state="error" if exchange.problem else "complete"):
            st.html(sequence_html(exchange))
        if exchange.problem:
            show_error(exchange.problem)
        elif exchange.answer:
            _show_answer(exchange.answer, position)
        else:
            st.markdown(answer_markdown(exchange.said))
            st.caption("Stopped. What was said so far is not checked.")
        show_sources(exchange, position)
        show_actions(talk, position)


def show_question(exchange: Exchange) -> None:
    """What the person asked."""
    with st.chat_message("user", avatar=":material/person:"):
        st.html(literal_html(exchange.question))


def show_error(error: TransomError | Problem) -> None:
    """What happened, and what to do about it."""
    st.error(f"**{literal_markdown(error.message)}**\n\n{answer_markdown(error.hint)}", icon=":material/error:")


def sequence_html(exchange: Exchange) -> str:
    """The steps of an answer, with their times."""
    return f'<ol class="transom-sequence">{"".join(map(_item, list(exchange.lines.values())))}</ol>'


def _show_answer(answer: Answer, position: int) -> None:
    if answer.abstained:
        st.info(answer_markdown(answer.text), icon=":material/search_off:")
    else:
        doubtful = [claim.span[1] for claim in answer.claims if not claim.supported]
        st.markdown(answer_markdown(answer.text, _Chips(answer, position), doubtful))
    for remark in _remarks(answer):
        st.caption(remark)
    if answer.thought:
        with st.expander("What the model thought", icon=":material/psychology:"):
            st.html(literal_html(answer.thought))
    if answer.unsupported:
        with st.expander("What the model said, which no passage supports", icon=":material/help:"):
            st.html(literal_html(answer.unsupported))


class _Chips:
    """Makes the marks of an answer into links, which :mod:`app.ui.listener` hears of when they are clicked."""

    def __init__(self, answer: Answer, position: int) -> None:
        self._answer = answer
        self._position = position
        self._citation_at = citation_at(answer)

    def __call__(self, number: int, offset: int) -> str:
        """One chip; a number that cites nothing stays a number."""
        index = self._citation_at(number, offset)
        if index is None:
            return rf"\[{number}\]"
        citation = self._answer.citations[index]
        title = literal_markdown(source_label(citation.passage.chunk.uri, citation.page))
        if citation.verified:
            return f'[{number}](#cite-{self._position}-{index} "{title}")'
        return f'[{number}?](#cite-{self._position}-{index}-unverified "Not verified: {title}")'


def _remarks(answer: Answer) -> list[str]:
    remarks = []
    if doubtful := len(answer.unproved):
        remarks.append(f":material/help: No passage supports {doubtful} of the answer's sentences.")
    if answer.coverage is not None:
        remarks.append(f"Read so far: {answer.coverage:.0%} of the files.")
    if answer.finish_reason == "length":
        remarks.append("The answer was cut: it reached the longest that answering.answer_tokens allows.")
    if answer.finish_reason == "repeated":
        remarks.append("The answer was stopped: the model only said the same again and again.")
    return remarks


def _item(line: Line) -> str:
    seconds = "" if line.seconds is None else f"<span>{line.seconds:.2f} s</span>"
    return f"<li><b>{escape(line.who)}</b> <span>{escape(line.what)}</span> {seconds}</li>"
