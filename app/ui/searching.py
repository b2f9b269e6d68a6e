"""Searching a collection without asking the model."""

import streamlit as st

from app.ui.markup import literal_html
from app.ui.thread import show_error
from ingest.display import place
from ingest.errors import TransomError
from ingest.index import Where
from ingest.library import Library

_MOST = 10
"""Passages that are shown."""


def show_search(library: Library, collection: str) -> None:
    """A query and the passages that are found for it, with their scores."""
    st.subheader("Search inside", anchor=False)
    query = st.text_input("What to search for", key="search inside")
    if not query.strip():
        return
    try:
        passages = library.search(query, _MOST, Where(collection=collection))
    except TransomError as error:
        show_error(error)
        return
    if not passages:
        st.caption("Nothing was found.")
    for number, passage in enumerate(passages, 1):
        st.html(literal_html(f"[{number}] {place(passage)} · score {passage.score:.2f}", name="place"))
        st.html(literal_html(passage.chunk.text, name="passage"))
