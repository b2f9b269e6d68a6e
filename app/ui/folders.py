"""The folders of a collection: brought up to date, followed or not."""

from functools import partial
from pathlib import Path

import streamlit as st

from app.shared import shared
from app.ui.markup import literal_markdown
from ingest.overview import Overview


def show_folders(found: Overview) -> None:
    """Each folder with what can be done to it."""
    with st.expander(
        f"{len(found.folders):,} folders" if len(found.folders) != 1 else "1 folder", icon=":material/folder:"
    ):
        for folder in found.folders:
            _show(found.collection, folder)


def _show(collection: str, folder: str) -> None:
    following = shared().following
    st.markdown(f"**{literal_markdown(folder)}**")
    if trouble := following.trouble(collection, folder):
        st.warning(literal_markdown(trouble), icon=":material/warning:")
    with st.container(horizontal=True, vertical_alignment="center"):
        key = f"{collection} {folder}"
        st.toggle(
            "Follow changes",
            following.follows(collection, folder),
            key=f"follow {key} {shared().ingests.ended}",
            on_change=_turn,
            args=(collection, folder),
        )
        st.button(
            "Bring up to date",
            key=f"update {key}",
            icon=":material/sync:",
            on_click=partial(_update, collection, folder),
        )


def _turn(collection: str, folder: str) -> None:
    following = shared().following
    if following.follows(collection, folder):
        following.let_go(collection, folder)
    else:
        following.follow(collection, folder)


def _update(collection: str, folder: str) -> None:
    library = shared().library()
    shared().ingests.start(partial(library.ingest, [Path(folder)], collection, retry=True))
