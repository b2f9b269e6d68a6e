"""What can be asked about and who answers: the collection, its documents, the model's adapters."""

from collections.abc import Callable
from html import escape

import streamlit as st

from app.models.adapters import parse_adapter
from app.ui.markup import literal_markdown
from ingest.catalogue import Catalogue, Entry

_SHOWN = 200
"""Most documents that are listed; `transom status` lists them all."""


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


def show_documents(catalogue: Catalogue, collection: str | None) -> None:
    """The documents of a collection, and the files that could not be read, with the reason."""
    entries = list(catalogue.entries(collection))
    indexed = [entry for entry in entries if entry.state == "indexed"]
    failed = [entry for entry in entries if entry.state == "failed"]
    if indexed:
        with st.expander(f"{len(indexed):,} documents", icon=":material/description:", expanded=True):
            st.html(_listed([(entry.uri, _size(entry)) for entry in indexed]))
    if failed:
        with st.expander(f"{len(failed):,} not read", icon=":material/warning:"):
            st.html(_listed([(entry.uri, f"{entry.reason} {entry.hint}") for entry in failed]))


def _size(entry: Entry) -> str:
    chunks = f"{entry.chunks:,} chunks" if entry.chunks != 1 else "1 chunk"
    pages = "" if not entry.pages else "1 page, " if entry.pages == 1 else f"{entry.pages:,} pages, "
    return f"{pages}{chunks}. {entry.warning}" if entry.warning else f"{pages}{chunks}"


def _listed(rows: list[tuple[str, str]]) -> str:
    items = "".join(f"<li>{escape(name)}<small>{escape(remark)}</small></li>" for name, remark in rows[:_SHOWN])
    more = f"<p>… and {len(rows) - _SHOWN:,} more</p>" if len(rows) > _SHOWN else ""
    return f'<ul class="transom-documents" tabindex="0">{items}</ul>{more}'
