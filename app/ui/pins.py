"""Which documents are in every window from the start: chosen here, read here."""

from collections.abc import Sequence
from contextlib import closing

import streamlit as st

from app.pins import Pins
from app.shared import shared
from app.talk import Talk
from app.turns import place_in_line
from app.ui.thread import show_error
from ingest.errors import TransomError
from ingest.library import Library


def show_pins(talk: Talk, library: Library) -> None:
    """The pinned documents of a conversation's collection, and others to choose."""
    collection = talk.where.collection or ""
    names = {entry.document_id: entry.uri for entry in library.catalogue.entries(collection) if entry.chunks}
    pinned = [each for each in Pins(library.settings.home).of(collection) if each in names]
    label = f"{len(pinned):,} pinned" if pinned else "Pin documents"
    with st.popover(label, icon=":material/keep:", type="tertiary", key="pins"):
        chosen = st.multiselect(
            "In the window from the start",
            names,
            default=pinned,
            format_func=lambda each: names[each],
            help="They are read once. Then every new conversation has them in view, and no question waits for them.",
            key=f"pins of {collection}",
        )
        if st.button("Read them now" if chosen else "Unpin", disabled=chosen == pinned, key="pin", width="stretch"):
            _pin(talk, chosen, collection)


def _pin(talk: Talk, chosen: Sequence[str], collection: str) -> None:
    """Reads what is pinned. Any click ends this run of the page, and the reading with it: so does "Stop"."""
    st.button("Stop", key="stop pinning", icon=":material/stop_circle:", width="stretch")
    bar = st.progress(0.0, "Reading")

    def waiting(ahead: int) -> None:
        bar.progress(0.0, f"Waiting: {place_in_line(ahead)}")

    try:
        with shared().turns.turn(waiting), closing(shared().assistant().pin(chosen, collection)) as events:
            for event in events:
                share = event.done / event.total if event.total else 1.0
                bar.progress(share, f"Reading: {event.done:,} of {event.total:,} tokens")
    except TransomError as error:
        show_error(error)
        return
    finally:
        talk.begin_anew()
    st.rerun()
