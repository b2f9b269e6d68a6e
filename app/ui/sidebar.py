"""What can be asked about and who answers: the collection, how much is in it, the model's adapters."""

from collections.abc import Callable

import streamlit as st

from app.models.adapters import parse_adapter
from app.ui.markup import literal_markdown
from ingest.catalogue import Catalogue


def collection_picker(catalogue: Catalogue, on_change: Callable[[], None]) -> str | None:
    """The collection that is asked; None while no document is there."""
    filled = [name for name, documents in catalogue.collections().items() if documents]
    if len(filled) < 2:
        return filled[0] if filled else None
    if st.session_state.get("collection") not in filled:
        st.session_state.pop("collection", None)  # it was removed
    return st.selectbox("Collection", filled, key="collection", on_change=on_change)


def show_adapters(named: list[str]) -> None:
    """The LoRA adapters that the model wears, if any."""
    if named:
        worn = ", ".join(str(parse_adapter(text)) for text in named)
        st.caption(f":material/tune: {literal_markdown(worn)}")


def show_documents(catalogue: Catalogue, collection: str | None, library: st.Page) -> None:
    """How many documents there are, as a way to the `library`, which lists them."""
    states = [entry.state for entry in catalogue.entries(collection)]
    indexed, failed = states.count("indexed"), states.count("failed")
    if indexed or failed:
        told = f"{indexed:,} {'document' if indexed == 1 else 'documents'}"
        st.page_link(library, label=f"{told}, {failed:,} not read" if failed else told, icon=":material/description:")
