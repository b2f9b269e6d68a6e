"""A question being answered: the sequence live, the answer token by token, and a button to stop it."""

from collections.abc import Generator
from typing import cast

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.answers import Condensed, Event, Finished, Fitted, Reading, Retrieved, Token
from app.orchestrator import Conversation, Orchestrator
from app.ui.exchange import Exchange, show_answer, total
from app.ui.markup import answer_markup, literal
from ingest.errors import TransomError


def answer_live(orchestrator: Orchestrator, conversation: Conversation, exchange: Exchange) -> None:
    """Answers `exchange.question`, and fills the exchange in as it goes.

    A click on Stop, or anywhere else, ends this run of the page: the model is then stopped as well.
    """
    with st.chat_message("user"):
        st.markdown(literal(exchange.question))
    with st.chat_message("assistant"):
        view = _View(exchange)
        events = cast(Generator[Event, None, None], orchestrator.stream(exchange.question, conversation))
        try:
            for event in events:
                view.show(event)
        except TransomError as error:
            exchange.error = f"{error.message} {error.hint}"
            view.fail()
        finally:
            events.close()


class _View:
    """The widgets of one answer in the making."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._status = st.status("Searching ...", expanded=True)
        self._progress = self._status.empty()
        self._text = st.empty()
        self._stop: DeltaGenerator = st.empty()
        self._stop.button("Stop", key=f"stop-{id(exchange)}")

    def show(self, event: Event) -> None:
        """Shows one event."""
        match event:
            case Condensed():
                if event.question != self._exchange.question:
                    self._step(f"**Orchestrator** · searched for: {literal(event.question)} · {event.seconds:.2f} s")
                else:
                    self._step("**Orchestrator** · the question stands alone")
            case Retrieved():
                self._step(f"**Vector DB** · {len(event.passages)} passages · {event.seconds:.2f} s")
            case Fitted():
                self._fitted(event)
            case Reading():
                self._status.update(label=f"The model reads: {event.done:,} of {event.total:,} tokens")
                self._progress.progress(event.done / max(event.total, 1))
            case Token() if not event.thought:
                self._exchange.said += event.text
                self._status.update(label="The model writes ...")
                self._text.markdown(answer_markup(self._exchange.said, ()) + " ▌")
            case Finished():
                self._finish(event)

    def fail(self) -> None:
        """Shows that it went wrong."""
        self._clear()
        self._status.update(label="No answer", state="error", expanded=False)
        st.error(self._exchange.error)

    def _fitted(self, event: Fitted) -> None:
        line = f"**Orchestrator** · {len(event.passages)} passages for the model"
        if event.left_out:
            line += f", {len(event.left_out)} found no room"
        if event.restarted:
            line += "; the window was full, a new one was begun"
        self._step(line)

    def _finish(self, event: Finished) -> None:
        answer = event.answer
        self._exchange.answer = answer
        timings = answer.timings
        if "read" in timings:
            self._step(
                f"**Model** · read {answer.usage.evaluated_tokens:,} tokens · {timings['read']:.1f} s"
                f" · wrote · {timings['generate']:.1f} s"
            )
        self._clear()
        self._status.update(label=total(answer), state="complete", expanded=False)
        show_answer(answer)

    def _step(self, line: str) -> None:
        self._exchange.steps.append(line)
        self._status.markdown(line)

    def _clear(self) -> None:
        self._progress.empty()
        self._text.empty()
        self._stop.empty()
