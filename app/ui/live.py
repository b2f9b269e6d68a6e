"""An answer as it is written, whoever asked for it: the server writes it, this only looks."""

import time

import streamlit as st

from app.exchange import Exchange
from app.shared import shared
from app.talk import Talk
from app.ui.markup import answer_markdown, literal_markdown
from app.ui.thread import sequence_html, show_question

_LOOK = 0.25
"""Seconds until the page is drawn anew without news: then it notices, too, what the person clicked meanwhile."""
_APART = 0.05
"""Seconds between two drawings at least: the browser can do no more."""


def follow(talk: Talk, exchange: Exchange, following: str = "") -> None:
    """Shows an open exchange until it is over, and the question that will follow."""
    show_question(exchange)
    with st.chat_message("assistant", avatar=":material/window:"):
        status = st.status("Understanding the question", expanded=True)
        sequence, text = status.empty(), st.empty()
        st.button(
            "Stop",
            key="stop",
            icon=":material/stop_circle:",
            type="tertiary",
            on_click=shared().asking.stop,
            args=(talk,),
        )
        if following:
            st.caption(f"Asked next: {literal_markdown(following)}")
        said = drawn = ""
        while not exchange.over:
            news = talk.news
            if (lines := sequence_html(exchange)) != drawn:
                sequence.html(drawn := lines)
            if exchange.said != said:
                text.markdown(answer_markdown(said := exchange.said))
            status.update(label=_doing(exchange), expanded=True)  # else the browser folds it
            talk.wait(news, _LOOK)
            time.sleep(_APART)


def _doing(exchange: Exchange) -> str:
    return f"{literal_markdown(exchange.doing)} · {max(0.0, time.time() - exchange.at):.0f} s"
