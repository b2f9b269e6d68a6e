"""The documents of a collection: listed, chosen, looked into, read again, removed."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from app.holdings import STATES, listed, read_again, table
from app.shared import shared
from app.ui.markup import literal_html, literal_markdown
from ingest.catalogue import Entry
from ingest.library import Library

_PAGE = 10
"""Chunks that are shown at once."""
_NAMED = 5
"""Documents that are named before they are removed."""


def show_documents(library: Library, collection: str) -> None:
    """The list, and what can be done with the documents that are chosen in it."""
    st.subheader("Documents", anchor=False)
    with st.container(horizontal=True):
        words = st.text_input("Find by name", key="document words")
        state = st.selectbox("State", STATES, format_func=lambda each: STATES[each], key="document state", width=160)
    entries = listed(list(library.catalogue.entries(collection)), words, state)
    if not entries:
        st.caption("No document is called that.")
        return
    chosen = _choose(entries)
    if not chosen:
        st.caption(f"{len(entries):,} listed. Choose some to look at them, to read them again, or to remove them.")
        return
    with st.container(horizontal=True):
        _offer_reading(library, chosen)
        _offer_removal(library, chosen)
    if len(chosen) == 1:
        _show_chunks(library, chosen[0])


def _choose(entries: Sequence[Entry]) -> list[Entry]:
    shown = hash(tuple(entry.document_id for entry in entries))  # a row is to mean the same as long as it is chosen
    answered = st.dataframe(
        table(entries),
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        key=f"documents {shown}",
        column_config={
            "Document": st.column_config.TextColumn(width="large"),
            "Size": st.column_config.NumberColumn(format="%.1f kB"),
        },
        alt="The documents, each with its state, pages, chunks and size",
    )
    rows = answered["selection"]["rows"]
    return [entries[row] for row in rows if row < len(entries)]


def _offer_reading(library: Library, chosen: Sequence[Entry]) -> None:
    if st.button("Read again", icon=":material/sync:"):
        shared().ingests.start(partial(read_again, library, chosen, st.session_state.get("ocr", False)))
        st.rerun()


def _offer_removal(library: Library, chosen: Sequence[Entry]) -> None:
    with st.popover("Remove", icon=":material/delete:"):
        for entry in chosen[:_NAMED]:
            st.markdown(f"- {literal_markdown(entry.uri)}")
        if len(chosen) > _NAMED:
            st.markdown(f"- and {len(chosen) - _NAMED:,} more")
        st.caption("No file is touched; what lies in a folder comes back with its next ingest.")
        if st.button(f"Forget {len(chosen):,}", key="forget", type="primary"):
            shared().ingests.start(partial(library.forget, [entry.document_id for entry in chosen]))
            st.rerun()


def _show_chunks(library: Library, entry: Entry) -> None:
    st.markdown(f"**Chunks of {literal_markdown(entry.uri)}**")
    pages = max(1, -(-entry.chunks // _PAGE))
    page = st.pagination(pages, key=f"chunks of {entry.document_id}") if pages > 1 else 1
    first = (page - 1) * _PAGE
    for chunk in library.chunks(entry.document_id, range(first, min(first + _PAGE, entry.chunks))):
        where = " > ".join(chunk.headings)
        number = chunk.page_at(0)
        label = f"{chunk.ordinal + 1}{f' · page {number}' if number else ''}{f' · {where}' if where else ''}"
        st.html(literal_html(label, name="place"))
        st.html(literal_html(chunk.text, name="passage"))
