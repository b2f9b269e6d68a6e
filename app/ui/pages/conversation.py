"""The page where questions are asked and answered."""

import streamlit as st

from app.assistant import Assistant
from app.conversation import Conversation
from app.shared import shared
from app.ui.beginning import show_beginning
from app.ui.exchange import Exchange
from app.ui.ingest import follow_ingests
from app.ui.notice import show_notice
from app.ui.opening import opened_assistant
from app.ui.pins import show_pins
from app.ui.sidebar import collection_picker, show_adapters, show_documents
from app.ui.thread import answer_live, show, show_error
from ingest.errors import TransomError
from ingest.index import Where


def page() -> None:
    """The page, from top to bottom."""
    st.title("Transom", anchor=False)
    assistant = opened_assistant()
    show_notice(assistant)
    catalogue = assistant.library.catalogue
    with st.sidebar:
        collection = collection_picker(catalogue)
        begin = st.button("New conversation", icon=":material/add:", width="stretch")
        follow_ingests(shared().ingests, catalogue, empty=collection is None)
        show_documents(catalogue, collection)
        if collection is not None:
            show_pins(assistant, collection)
        show_adapters(assistant.settings.model.lora)
    if collection is None:
        show_beginning(assistant.library, assistant.model.path.name)
        return
    try:
        conversation = _conversation(assistant, collection, begin)
    except TransomError as error:
        show_error(error)
        return
    _converse(assistant, conversation)


def _conversation(assistant: Assistant, collection: str, begin: bool) -> Conversation:
    """This session's conversation; another collection or the person's wish begins a new one.

    Raises :class:`~app.errors.WindowError` where what is pinned no longer fits the window.
    """
    held: Conversation | None = st.session_state.get("conversation")
    if held is None or begin or held.where.collection != collection:
        held = assistant.begin(Where(collection=collection))
        st.session_state.conversation = held
        st.session_state.exchanges = []
    return held


def _converse(assistant: Assistant, conversation: Conversation) -> None:
    exchanges: list[Exchange] = st.session_state.exchanges
    question = st.chat_input("Ask your documents")
    if not exchanges and not question:
        st.caption("Ask a question: the answer comes from your documents, and says where it stands.")
    for exchange in exchanges:
        show(exchange)
    if question:
        exchanges.append(Exchange(question))
        answer_live(exchanges[-1], conversation, assistant, shared())
        st.rerun()  # draws what was finished in the one way there is
