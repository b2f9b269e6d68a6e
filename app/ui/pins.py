"""Which documents are in every window from the start: chosen here, read here."""

from collections.abc import Sequence

import streamlit as st

from app.assistant import Assistant
from app.pins import Pins
from app.shared import shared
from app.turns import place_in_line
from app.ui.history import open_now
from app.ui.thread import show_error
from ingest.catalogue import Entry
from ingest.errors import TransomError


def show_pins(assistant: Assistant, collection: str) -> None:
    """The pinned documents of a collection, and others to choose."""
    names = {entry.document_id: entry.uri for entry in _readable(assistant, collection)}
    pinned = [each for each in Pins(assistant.settings.home).of(collection) if each in names]
    with st.expander(f"{len(pinned)} pinned" if pinned else "Pin documents", icon=":material/keep:"):
        chosen = st.multiselect(
            "In the window from the start",
            names,
            default=pinned,
            format_func=lambda each: names[each],
            help="They are read once. Then every new conversation has them in view, and no question waits for them.",
            key=f"pins of {collection}",
        )
        changed = chosen != pinned
        if st.button("Read them now" if chosen else "Unpin", disabled=not changed, key="pin", width="stretch"):
            _pin(assistant, chosen, collection)


def _readable(assistant: Assistant, collection: str) -> list[Entry]:
    return [entry for entry in assistant.library.catalogue.entries(collection) if entry.chunks]


def _pin(assistant: Assistant, chosen: Sequence[str], collection: str) -> None:
    bar = st.progress(0.0, "Reading")

    def waiting(ahead: int) -> None:
        bar.progress(0.0, f"Waiting: {place_in_line(ahead)}")

    try:
        with shared().turns.turn(waiting):
            for event in assistant.pin(chosen, collection):
                share = event.done / event.total if event.total else 1.0
                bar.progress(share, f"Reading: {event.done:,} of {event.total:,} tokens")
    except TransomError as error:
        show_error(error)
        return
    if talk := open_now():
        talk.begin_anew()
    st.rerun()
