"""The sources of an answer: below it, each with a button that opens it beside the conversation."""

from itertools import groupby
from typing import NamedTuple

import streamlit as st

from app.answers import Answer, Citation
from app.exchange import Exchange
from app.ui.markup import literal_html, literal_markdown
from ingest.display import place
from ingest.documents import Passage


class Opened(NamedTuple):
    """The citation whose source is open."""

    exchange: int
    citation: int


def opened() -> Opened | None:
    """The citation whose source is open, if there is one."""
    found: Opened | None = st.session_state.get("source")
    return found


def open_source(wanted: Opened | None) -> None:
    """Opens the source of a citation, on the page where it begins; None closes what is open."""
    st.session_state["source"] = wanted
    for turned in ("sheet", "reach"):
        st.session_state.pop(turned, None)


def source_label(uri: str, page: int | None) -> str:
    """A document and a page, in words."""
    return uri if page is None else f"{uri}, page {page}"


def show_sources(exchange: Exchange, position: int) -> None:
    """What an answer cites, and what else was found for it."""
    answer = exchange.answer
    if answer and answer.citations:
        st.caption("Sources")
        with st.container(gap=None, key=f"sources-{position}"):
            for citations in _by_number(answer):
                _button(answer, citations, position)
    _show_rest(exchange)


def _button(answer: Answer, citations: list[Citation], position: int) -> None:
    best = next((each for each in citations if each.verified), citations[0])
    pages = sorted({each.page for each in citations if each.page is not None})
    where = best.passage.chunk.uri + (f", page {', '.join(map(str, pages))}" if pages else "")
    label = literal_markdown(f"[{best.number}] {where}")
    st.button(
        label if best.verified else f"{label} :orange-badge[not verified]",
        key=f"source-{position}-{best.number}",
        type="tertiary",
        icon=":material/article:",
        on_click=open_source,
        args=(Opened(position, answer.citations.index(best)),),
    )


def _show_rest(exchange: Exchange) -> None:
    """What was found and not cited, the best first, with its scores."""
    answer = exchange.answer
    cited = {citation.passage.chunk.id for citation in answer.citations} if answer else set()
    numbers = {passage.chunk.id: number for number, passage in answer.passages.items()} if answer else {}
    read = list(answer.passages.values()) if answer else []
    passages = {passage.chunk.id: passage for passage in [*exchange.found, *read]}
    rest = [passage for name, passage in passages.items() if name not in cited]
    if not rest or not exchange.over:
        return
    with st.expander(f"Found but not cited: {len(rest):,}", icon=":material/visibility:"):
        for passage in rest[:_SHOWN]:
            number = numbers.get(passage.chunk.id)
            st.html(literal_html(_scored(passage, number), name="place"))
            st.html(literal_html(passage.chunk.text, name="passage"))


_SHOWN = 20
"""Most passages that are listed."""


def _scored(passage: Passage, number: int | None) -> str:
    read = f"[{number}]" if number is not None else "left out"
    if passage.rank < 0:
        return f"{read} {place(passage)} · stands beside what was found"
    scores = f"score {passage.score:.2f}, meaning {passage.dense_score:.2f}, words {passage.bm25_score:.1f}"
    return f"{read} {place(passage)} · {scores}"


def _by_number(answer: Answer) -> list[list[Citation]]:
    ordered = sorted(answer.citations, key=lambda citation: citation.number)
    return [list(cited) for _, cited in groupby(ordered, key=lambda citation: citation.number)]
