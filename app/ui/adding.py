"""How documents come in: from a folder of this machine, or through the browser."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from app.holdings import existing
from app.shared import shared
from app.ui.markup import literal_markdown
from app.ui.thread import show_error
from app.uploads import collection_name
from ingest.errors import TransomError


def show_adding(collection: str) -> None:
    """A folder or uploads, and the collection they go into; `collection` is the one that is offered."""
    wanted = st.text_input("Into the collection", collection, key=f"collection for {collection}")
    ocr = st.checkbox("Read scans and pictures, too (Tesseract; takes longer)", key="ocr")
    folder, upload = st.tabs(["A folder of this machine", "Upload"])
    with folder:
        _add_folder(wanted, ocr)
    with upload:
        _upload(wanted, ocr)


def _add_folder(collection: str, ocr: bool) -> None:
    with st.form("add folder", border=False, enter_to_submit=True):
        path = st.text_input("Path of a folder or file", placeholder="~/Papers")
        follow = st.checkbox("Follow what changes in it")
        if not st.form_submit_button("Add", icon=":material/add:"):
            return
    try:
        name = collection_name(collection)
        place = existing(path)
        if follow and place.is_dir():
            shared().following.follow(name, str(place))
        else:
            read([place], name, ocr)
    except TransomError as error:
        show_error(error)
    else:
        st.toast(f"It is being read into {literal_markdown(name)}.")


def read(places: Sequence[Path], collection: str, ocr: bool = False) -> None:
    """Reads files and folders into a collection, in the background."""
    library = shared().library()
    shared().ingests.start(partial(library.ingest, places, collection, retry=True, ocr=ocr))


def _upload(collection: str, ocr: bool) -> None:
    uploads = st.session_state.setdefault("uploads", 0)
    files = st.file_uploader(
        "Files to read",
        accept_multiple_files=True,
        help="PDF, Office, OpenDocument, HTML, EPUB, e-mail, Markdown, CSV, source code and other text.",
        key=f"uploads {uploads}",
    )
    if not files or not st.button(f"Read {len(files):,} {'file' if len(files) == 1 else 'files'}", type="primary"):
        return
    places = _stored(collection, files)
    if places:
        read(places, collection, ocr)
        st.session_state.uploads += 1  # an uploader of another name is empty
        st.toast(f"{len(places):,} added.")


def _stored(collection: str, files: Sequence[Any]) -> list[Path]:
    places = []
    for file in files:
        try:
            places.append(shared().uploads.store(collection, file.name, file.getvalue()))
        except TransomError as error:
            show_error(type(error)(f"{file.name}: {error.message}", error.hint))
    return places
