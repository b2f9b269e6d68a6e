"""One question and its answer, as they stand in the chat once they are over."""

from dataclasses import dataclass, field

import streamlit as st

from app.answers import Answer, Citation
from app.ui.markup import answer_markup, literal, marked_passage
from ingest.display import place
from ingest.documents import Passage


@dataclass(slots=True)
class Exchange:
    """What one exchange shows."""

    question: str
    steps: list[str] = field(default_factory=list)
    """The sequence as it ran, one line for each step."""
    answer: Answer | None = None
    said: str = ""
    """What was streamed so far, for an answer that was stopped."""
    error: str = ""


def show_exchange(exchange: Exchange) -> None:
    """Shows a past exchange."""
    with st.chat_message("user"):
        st.markdown(literal(exchange.question))
    with st.chat_message("assistant"):
        if exchange.answer:
            with st.status(total(exchange.answer), state="complete"):
                show_steps(exchange)
            show_answer(exchange.answer)
        elif exchange.error:
            st.error(exchange.error)
        else:
            st.markdown(answer_markup(exchange.said, ()))
            st.caption("Stopped.")


def show_steps(exchange: Exchange) -> None:
    """The sequence orchestrator → vector DB → model, with the time of each."""
    for step in exchange.steps:
        st.markdown(step)


def show_answer(answer: Answer) -> None:
    """The checked answer, its sources, and what was found beside them."""
    if answer.abstained:
        st.info(answer.text)
        if answer.unsupported:
            with st.expander("What the model said, without support in the documents"):
                st.markdown(literal(answer.unsupported))
    else:
        st.markdown(answer_markup(answer.text, {citation.number for citation in answer.citations}))
    _show_sources(answer.citations)
    cited = {citation.number for citation in answer.citations}
    _show_uncited({number: p for number, p in answer.passages.items() if number not in cited})


def total(answer: Answer) -> str:
    """The line that stays when the steps are folded away."""
    seconds = sum(answer.timings.values())
    usage = answer.usage
    return f"{seconds:.1f} s · {usage.evaluated_tokens:,} tokens read, {usage.reused_tokens:,} reused"


def _show_sources(citations: tuple[Citation, ...]) -> None:
    """One entry for each cited passage, with the words that support the answer marked."""
    best: dict[int, Citation] = {}
    for citation in citations:
        if citation.number not in best or citation.verified > best[citation.number].verified:
            best[citation.number] = citation
    for number, citation in sorted(best.items()):
        chunk = citation.passage.chunk
        where = chunk.uri if citation.page is None else f"{chunk.uri}, page {citation.page}"
        doubt = "" if citation.verified else " — :orange[not verified]"
        with st.expander(f"\\[{number}\\] {literal(where)}{doubt}"):
            if chunk.headings:
                st.caption(literal(" > ".join(chunk.headings)))
            start, end = (place - chunk.span[0] for place in citation.span)
            st.markdown(marked_passage(chunk.text, start, end))


def _show_uncited(passages: dict[int, Passage]) -> None:
    if not passages:
        return
    with st.expander(f"{len(passages)} passages were found and not cited"):
        for number, passage in passages.items():
            st.markdown(f"**\\[{number}\\] {literal(place(passage))}** · score {passage.score:.2f}")
            st.markdown(literal(passage.chunk.text))
