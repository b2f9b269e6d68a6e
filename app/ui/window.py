"""The window of the model, as a bar: what is in it, what is pinned there, what it cost, when it is begun anew."""

from html import escape

import streamlit as st

from app.exchange import Exchange
from app.meter import Meter, Part, nearly_full
from app.talk import Talk
from app.ui.pins import show_pins
from ingest.library import Library


def show_window(talk: Talk, library: Library) -> None:
    """The window as the last answer left it, or as the first question will find it; documents are pinned there."""
    measured = [exchange for exchange in talk.exchanges if exchange.meter]
    last = measured[-1] if measured else None
    meter = last.meter if last and last.meter else talk.meter()
    before = measured[-2].meter if len(measured) > 1 else None
    with st.container(key="window"):
        st.html(window_html(meter, last))
        if last and nearly_full(meter, before):
            st.caption(
                ":material/warning: The window is nearly full. With one of the next questions it is begun anew, "
                "with what is pinned and the last turns: earlier ones are out of the model's sight then."
            )
        show_pins(talk, library)


def window_html(meter: Meter, last: Exchange | None) -> str:
    """The bar, the parts by name, and what the last question cost."""
    parts = [part for part in meter.parts() if part.tokens or part.name == "Free"]
    bar = "".join(f'<i class="{_kind(part)}" style="flex-grow:{part.tokens}"></i>' for part in parts)
    named = "".join(f'<li><i class="{_kind(part)}"></i>{part.name} <b>{part.tokens:,}</b></li>' for part in parts)
    spoken = escape(f"{meter.used:,} of {meter.size:,} tokens of the window are taken", quote=True)
    return (
        f'<div class="transom-window"><div class="transom-bar" role="img" aria-label="{spoken}">{bar}</div>'
        f"<ul>{named}</ul><p>{escape(_cost(meter, last))}</p></div>"
    )


def _kind(part: Part) -> str:
    return f"transom-{part.name.lower()}"


def _cost(meter: Meter, last: Exchange | None) -> str:
    told = [f"{meter.used:,} of {meter.size:,} tokens taken"]
    if last and last.answer:
        told.append(f"last question: {last.answer.usage}")
        if last.left_out:
            told.append(f"{len(last.left_out):,} found but left out")
    if meter.prefill:
        told.append(f"reads {meter.prefill:,.0f} tokens/s")
    if meter.decode:
        told.append(f"writes {meter.decode:,.1f} tokens/s")
    return " · ".join(told)
