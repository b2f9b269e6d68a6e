"""The page where questions are asked and answered."""

from functools import partial

import streamlit as st

from app.assistant import Assistant
from app.conversations import Conversations
from app.shared import shared
from app.suggestions import suggestions
from app.talk import Talk
from app.ui.beginning import show_beginning
from app.ui.history import begin, open_talk, recall, remember, show_history, show_menu
from app.ui.ingest import follow_ingests
from app.ui.listener import listen
from app.ui.live import follow
from app.ui.markup import literal_markdown
from app.ui.notice import show_notice
from app.ui.opening import opened_assistant
from app.ui.pages.library import library_page
from app.ui.reader import cited, show_reader
from app.ui.sidebar import collection_picker, show_adapters, show_documents
from app.ui.sources import Opened, open_source, opened
from app.ui.telling import telling
from app.ui.thread import show, show_error
from app.ui.window import show_window
from ingest.errors import TransomError
from ingest.library import Library

_NEXT = "next question"
"""What was asked while an answer was written: it is asked when that is over."""


def page() -> None:
    """The page, from top to bottom."""
    st.title("Transom", anchor=False)
    assistant = opened_assistant()
    try:
        _show(assistant)
    except TransomError as error:
        show_error(error)


def _show(assistant: Assistant) -> None:
    show_notice(assistant)
    store, catalogue = Conversations(assistant.settings.home), assistant.library.catalogue
    with st.sidebar:
        st.button("New conversation", icon=":material/add:", width="stretch", key="new", on_click=begin)
        recall(store)
        collection = collection_picker(catalogue, begin)
    if collection is None:
        _show_sidebar(assistant, store, None, None)
        show_beginning(assistant.library, assistant.model.path.name)
        return
    talk = open_talk(collection)
    _show_sidebar(assistant, store, collection, talk)
    _converse(talk, store, assistant.library)


def _show_sidebar(assistant: Assistant, store: Conversations, collection: str | None, talk: Talk | None) -> None:
    catalogue = assistant.library.catalogue
    with st.sidebar:
        show_history(store)
        follow_ingests(shared().ingests, catalogue, empty=collection is None, talk=talk)
        show_documents(catalogue, collection, library_page())
        show_adapters(assistant.settings.model.lora)


def _converse(talk: Talk, store: Conversations, library: Library) -> None:
    question = st.chat_input("Ask your documents", key="question")
    if clicked := listen(talk.exchanges):
        open_source(Opened(*map(int, clicked.split("-"))))
    question = question or _waiting(talk)
    if question and not shared().asking.ask(talk, question):
        st.session_state[_NEXT] = question
    remember(talk)
    where = opened()
    citation = cited(talk, where)
    if where is None or citation is None:
        _show_conversation(talk, store, library)
        return
    st.set_page_config(layout="wide")
    left, right = st.columns(2, gap="medium")
    with right:
        show_reader(talk, where, citation, library)
    with left:
        _show_conversation(talk, store, library)


def _show_conversation(talk: Talk, store: Conversations, library: Library) -> None:
    if not talk.exchanges:
        st.caption("Ask a question: the answer comes from your documents, and says where it stands.")
        _suggest(talk, library)
        show_window(talk, library)
        return
    show_menu(talk, store)
    for position, exchange in enumerate(list(talk.exchanges)):
        if exchange.over:
            show(talk, position)
        else:
            follow(talk, exchange, st.session_state.get(_NEXT, ""))
            st.rerun()  # draws what is finished in the one way there is
    show_window(talk, library)


def _suggest(talk: Talk, library: Library) -> None:
    for number, question in enumerate(suggestions(list(library.catalogue.entries(talk.where.collection)), library)):
        ask = partial(_ask, talk, question)
        st.button(literal_markdown(question), key=f"suggested-{number}", type="tertiary", on_click=ask)


@telling
def _ask(talk: Talk, question: str) -> None:
    shared().asking.ask(talk, question)


def _waiting(talk: Talk) -> str:
    return "" if talk.open else str(st.session_state.pop(_NEXT, ""))
