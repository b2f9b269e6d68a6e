"""What stands in place of the conversation until there are a model and documents."""

import streamlit as st

from app.beginning import best_offer, examples_folder, starter_offer
from app.shared import shared
from app.ui.adding import read, show_adding
from app.ui.fetching import follow_fetching, offer_model
from app.ui.ingest import follow_ingests, show_last_ingest
from app.ui.markup import answer_markdown, literal_markdown
from ingest.errors import TransomError
from ingest.library import DEFAULT_COLLECTION, Library


def show_beginning(library: Library, model: str, problem: TransomError | None = None) -> None:
    """The way to the first answer; `model` is the one that answers, or `problem` why none does."""
    documents = sum(library.catalogue.collections().values())
    st.markdown("Ask your own documents, on your own machine. Two things are needed for the first answer.")
    _show_model(model, problem)
    st.subheader("2. Documents", anchor=False)
    follow_ingests(shared().ingests, library.catalogue, empty=not documents, place="beginning")
    if documents:
        st.success(f"{documents:,} documents are here.", icon=":material/check:")
        return
    show_last_ingest(shared().ingests.last)
    if examples := examples_folder():
        st.button(
            "Take the examples",
            key="examples",
            icon=":material/menu_book:",
            help="A few documents about a lighthouse that never was.",
            on_click=read,
            args=([examples], DEFAULT_COLLECTION),
        )
    with st.container(border=True):
        show_adding(DEFAULT_COLLECTION)


def _show_model(model: str, problem: TransomError | None) -> None:
    st.subheader("1. A model", anchor=False)
    if problem is None:
        st.success(f"{literal_markdown(model)} answers.", icon=":material/check:")
        return
    st.info(f"**{literal_markdown(problem.message)}**\n\n{answer_markdown(problem.hint)}", icon=":material/info:")
    best = best_offer()
    with st.container(horizontal=True):
        offer_model(best, primary=True)
        offer_model(starter_offer())
        st.button("Look again", key="look again", icon=":material/refresh:", on_click=shared().open_again)
    folder = literal_markdown(str(shared().settings.models_folder))
    st.caption(
        f"{best.title} is what suits this machine. The starter is a small stand-in that comes from the Python package "
        f"index. Without a connection: put a GGUF file into {folder}, and look again."
    )
    follow_fetching()
