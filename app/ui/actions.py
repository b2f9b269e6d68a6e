"""What a person can do with a question and its answer: ask it in another way, again, copy it, judge it."""

import streamlit as st

from app.answers import Wish
from app.exchange import Verdict
from app.shared import shared
from app.talk import Talk
from app.ui.listener import copy_link
from app.ui.telling import telling


def show_question_actions(talk: Talk, position: int) -> None:
    """Below a question: edit it."""
    if st.session_state.get("editing") == (talk.name, position):
        _show_editor(talk, position)
        return
    with st.container(horizontal=True, horizontal_alignment="right", gap=None, key=f"asked-{position}"):
        st.button(
            "Edit",
            icon=":material/edit:",
            type="tertiary",
            key=f"edit-{position}",
            help="Ask this in another way. What follows is taken back.",
            disabled=talk.open,
            on_click=_edit,
            args=((talk.name, position),),
        )


def show_actions(talk: Talk, position: int) -> None:
    """Below an answer: copy, ask again, judge."""
    exchange = talk.exchanges[position]
    said = exchange.answer.text if exchange.answer else exchange.said
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"actions-{position}"):
        if said:
            copy_link(position)
        st.button(
            "Ask again",
            icon=":material/refresh:",
            type="tertiary",
            key=f"again-{position}",
            help="Another answer to the same question. What follows is taken back.",
            disabled=talk.open,
            on_click=_again,
            args=(talk, position),
        )
        if exchange.answer:
            verdict = exchange.verdict
            st.feedback(
                "thumbs",
                key=_key("thumbs", talk, position),
                default=None if verdict is None else int(verdict.good),
                on_change=_judge,
                args=(talk, position),
            )
    if exchange.verdict:
        st.text_input(
            "Why?",
            exchange.verdict.reason,
            key=_key("reason", talk, position),
            placeholder="What was right or wrong? It stays on this machine, with the conversation.",
            label_visibility="collapsed",
            on_change=_judge,
            args=(talk, position),
        )


def _key(kind: str, talk: Talk, position: int) -> str:
    """Of a widget that belongs to one answer: the next one to the same question is judged anew."""
    return f"{kind}-{talk.name}-{position}-{talk.exchanges[position].at}"


def _show_editor(talk: Talk, position: int) -> None:
    with st.form(f"editor-{position}", border=True):
        question = st.text_area("Ask instead", talk.exchanges[position].question, key=f"instead-{position}")
        ask, leave = st.columns(2)
        wanted = ask.form_submit_button("Ask", type="primary", width="stretch")
        left = leave.form_submit_button("Leave it", width="stretch")
    if wanted and question.strip():
        shared().asking.ask_again(talk, position, question)
    if wanted or left:
        _edit(None)
        st.rerun()


def _edit(what: tuple[str, int] | None) -> None:
    st.session_state["editing"] = what


@telling
def _again(talk: Talk, position: int) -> None:
    exchange = talk.exchanges[position]
    shared().asking.ask_again(talk, position, exchange.question, Wish(attempt=exchange.attempt + 1))


@telling
def _judge(talk: Talk, position: int) -> None:
    thumb = st.session_state.get(_key("thumbs", talk, position))
    reason = st.session_state.get(_key("reason", talk, position)) or ""
    talk.judge(position, None if thumb is None else Verdict(bool(thumb), reason))
