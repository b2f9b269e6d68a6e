"""The page where documents are added, looked at, searched, read again and removed."""

from functools import partial

import streamlit as st
from rich.filesize import decimal

from app.holdings import removal
from app.shared import shared
from app.ui.adding import show_adding
from app.ui.ahead import show_ahead
from app.ui.documents import show_documents
from app.ui.folders import show_folders
from app.ui.ingest import follow_ingests, show_last_ingest
from app.ui.opening import opened_library
from app.ui.searching import show_search
from ingest.library import DEFAULT_COLLECTION, Library
from ingest.overview import Overview, overview


def library_page() -> st.Page:
    """For the navigation, and for links."""
    return st.Page(page, title="Library", icon=":material/folder_open:", url_path="library")


def page() -> None:
    """The page, from top to bottom."""
    st.title("Library", anchor=False)
    library = opened_library()
    known = list(library.catalogue.collections())
    collection = st.selectbox("Collection", known, key="shown collection") if len(known) > 1 else None
    collection = collection or (known[0] if known else DEFAULT_COLLECTION)
    ingests = shared().ingests
    follow_ingests(ingests, library.catalogue, empty=False)
    show_last_ingest(ingests.last)
    with st.expander("Add documents", icon=":material/add:", expanded=not known):
        show_adding(collection)
    if not known:
        st.info("There are no documents yet.", icon=":material/folder_open:")
        return
    found = overview(library.catalogue, collection)
    _show_counts(found)
    show_ahead(collection)
    show_folders(found)
    show_documents(library, collection)
    show_search(library, collection)
    _show_removal(library, found)


def _show_counts(found: Overview) -> None:
    columns = st.columns(4)
    columns[0].metric("Documents", f"{found.documents:,}")
    columns[1].metric("Not read", f"{found.failed:,}")
    columns[2].metric("Chunks", f"{found.chunks:,}")
    columns[3].metric("Size", decimal(found.bytes))
    if found.coverage:
        st.caption(f"Read so far: {found.coverage.read:,} of {found.coverage.found:,} files.")


def _show_removal(library: Library, found: Overview) -> None:
    with st.popover("Remove this collection", icon=":material/delete:"):
        st.markdown(f"Forget all {found.documents + found.failed:,} documents? No file is touched.")
        if st.button("Forget them all", key="remove collection", type="primary"):
            shared().following.forget(found.collection)
            shared().ingests.start(partial(removal, library, found.collection))
            st.rerun()
