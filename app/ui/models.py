"""Which language models there are: what fits this machine, what is here, and the download of what is not."""

import streamlit as st

from app.beginning import let_answer
from app.models.catalogue import STARTER
from app.models.files import faults_in
from app.models.listing import Row, rows
from app.models.resolve import answers
from app.settings import Settings
from app.shared import shared
from app.ui.fetching import fetch, follow_fetching
from app.ui.markup import literal_markdown
from app.ui.thread import show_error
from ingest.errors import TransomError


def show_models(written: Settings) -> None:
    """A line for each model, with what can be done about it."""
    follow_fetching()
    folder = written.models_folder
    for row in rows(folder):
        chosen = row.here and answers(folder / row.file, written.model.name, folder)
        with st.container(horizontal=True, vertical_alignment="center", border=True):
            st.markdown(_in_words(row, chosen))
            _offer(row, chosen, written)
    for fault in faults_in(folder):
        st.warning(literal_markdown(fault), icon=":material/warning:")
    st.caption(f"GGUF files in {literal_markdown(str(folder))} are listed, too.")


def _in_words(row: Row, chosen: bool) -> str:
    size = f"{'' if row.size_exact else 'about '}{row.size / 1e9:.1f} GB"
    facts = [size, f"{row.window:,} tokens" if row.window else "", row.licence, _suits(row)]
    marks = " :green-badge[answers]" if chosen else " :gray-badge[here]" if row.here else ""
    told = literal_markdown(" · ".join(filter(None, facts)))
    return f"**{literal_markdown(row.title)}**{marks}  \n{told}"


def _suits(row: Row) -> str:
    if row.name == STARTER:
        return "a small stand-in"
    return {True: "suits this machine", False: "too heavy for this machine", None: ""}[row.fits]


def _offer(row: Row, chosen: bool, written: Settings) -> None:
    if not row.here:
        st.button(
            "Download",
            key=f"download {row.name}",
            icon=":material/download:",
            disabled=shared().fetching.running is not None,
            on_click=fetch,
            args=(row.name, shared().open_again),
        )
    elif not chosen and st.button("Use", key=f"use {row.name}", icon=":material/check:"):
        try:
            let_answer(row.name, written)
            shared().reload()
        except TransomError as error:
            show_error(error)
        else:
            st.rerun()
