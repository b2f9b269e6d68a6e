"""The sidebar: which documents can be asked."""

import streamlit as st

from app.ui.markup import literal
from ingest.catalogue import Entry
from ingest.library import Library

_SHOWN = 200


def show_library(library: Library) -> str | None:
    """Shows the collections and their documents; returns the chosen one, or None where there is nothing."""
    counts = {name: count for name, count in library.catalogue.collections().items() if count}
    if not counts:
        return None
    with st.sidebar:
        chosen = st.selectbox("Collection", list(counts), format_func=lambda name: f"{name} ({counts[name]})")
        entries = list(library.catalogue.entries(chosen))
        with st.expander(f"{counts[chosen]} documents", expanded=False):
            for entry in entries[:_SHOWN]:
                _show_entry(entry)
            if len(entries) > _SHOWN:
                st.caption(f"... and {len(entries) - _SHOWN} more: `transom status` lists all")
    return chosen


def _show_entry(entry: Entry) -> None:
    if entry.state == "failed":
        st.markdown(f":orange[{literal(entry.uri)}]")
        st.caption(literal(entry.reason))
    else:
        pages = f"{entry.pages} pages, " if entry.pages else ""
        st.markdown(literal(entry.uri))
        st.caption(f"{pages}{entry.chunks} chunks")
