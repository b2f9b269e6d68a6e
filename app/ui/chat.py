"""The chat page. Streamlit runs this file from top to bottom at every interaction."""

import streamlit as st

from app.assistant import Assistant
from app.ui import shared
from app.ui.answering import answer_live
from app.ui.exchange import Exchange, show_exchange
from app.ui.library import show_library
from ingest.errors import TransomError
from ingest.index import Where


def main() -> None:
    """The page."""
    st.set_page_config(page_title="Transom", page_icon="🪟", layout="centered")
    st.title("Transom", anchor=False)
    assistant = _assistant()
    collection = show_library(assistant.library)
    if assistant.model.notice:
        st.warning(assistant.model.notice)
    if collection is None:
        st.info("There are no documents yet. Add a folder of yours in a terminal: `transom ingest PATH...`")
        return
    _keep_conversation(assistant, collection)
    for exchange in st.session_state.exchanges:
        show_exchange(exchange)
    question = st.chat_input("Ask your documents")
    if question:
        exchange = Exchange(question)
        st.session_state.exchanges.append(exchange)
        answer_live(assistant.orchestrator, st.session_state.conversation, exchange)


def _assistant() -> Assistant:
    try:
        with st.spinner("Loading the model ..."):
            return shared.assistant()
    except TransomError as error:
        st.error(error.message)
        st.write(error.hint)
        st.button("Try again")
        st.stop()


def _keep_conversation(assistant: Assistant, collection: str) -> None:
    """A conversation is over one collection; another collection, or the button, begins a new one."""
    anew = st.sidebar.button("New conversation", use_container_width=True)
    if anew or st.session_state.get("collection") != collection:
        st.session_state.collection = collection
        st.session_state.conversation = assistant.begin(Where(collection=collection))
        st.session_state.exchanges = []


main()
