"""The conversations that are kept: which one is on the page, the others in the sidebar."""

from secrets import token_hex

import streamlit as st

from app.conversations import Conversations
from app.export import as_markdown, file_name
from app.shared import shared
from app.talk import Talk
from app.ui.markup import literal_markdown
from app.ui.sources import open_source
from app.ui.telling import telling
from ingest.index import Where

_PARAMETER = "conversation"
"""In the page's address: a reload comes back to the same conversation."""


def begin() -> None:
    """Begins a new conversation."""
    switch_to(token_hex(6))
    st.query_params.pop(_PARAMETER, None)


def switch_to(name: str) -> None:
    """Shows another conversation."""
    st.session_state["talk"] = name
    st.query_params[_PARAMETER] = name
    open_source(None)
    st.session_state.pop("editing", None)


def current_name() -> str:
    """The conversation of this session: what the address names, or what was there before another page, or a new one."""
    named = st.query_params.get(_PARAMETER) or st.session_state.get("talk") or token_hex(6)
    if st.session_state.get("talk") != named:
        st.session_state["talk"] = named
    return str(named)


def recall(store: Conversations) -> None:
    """Takes up the collection of the conversation that the address names, when a session begins with it."""
    if "collection" not in st.session_state and (collection := store.collection_of(current_name())):
        st.session_state["collection"] = collection


def remember(talk: Talk) -> None:
    """Puts a conversation in which something was said into the address."""
    if talk.exchanges and st.query_params.get(_PARAMETER) != talk.name:
        st.query_params[_PARAMETER] = talk.name


def open_talk(collection: str) -> Talk:
    """This session's conversation; a new one is about `collection`."""
    talk = shared().asking.open(current_name(), Where(collection=collection))
    if not talk.exchanges and talk.where.collection != collection:  # nothing was said: it may be about others
        begin()
        talk = shared().asking.open(current_name(), Where(collection=collection))
    st.session_state["open talk"] = talk  # the server forgets one that nobody looks at
    return talk


def show_history(store: Conversations) -> None:
    """The conversations in the sidebar, the newest first."""
    words = st.text_input(
        "Search conversations", placeholder="Search conversations", label_visibility="collapsed", key="words"
    )
    listed = store.listed(words)
    if words and not listed:
        st.caption("No conversation holds these words.")
    with st.container(gap=None, key="history", height=240 if len(listed) > 6 else "content"):
        for each in listed:
            st.button(
                literal_markdown(each.title),
                key=f"open-{each.name}",
                type="tertiary" if each.name != current_name() else "secondary",
                width="stretch",
                on_click=_open,
                args=(each.name, each.collection),
            )


def show_menu(talk: Talk, store: Conversations) -> None:
    """What can be done with the conversation on the page."""
    with st.popover("Conversation", icon=":material/more_horiz:", type="tertiary", key="menu"):
        title = st.text_input("Title", talk.title, key=f"title-{talk.name}")
        if title.strip() and title != talk.title:
            talk.rename(title)
            st.rerun()
        st.download_button(
            "Export as Markdown",
            lambda: as_markdown(talk.title, talk.exchanges),
            file_name(talk.title),
            "text/markdown",
            icon=":material/download:",
            on_click="ignore",
            width="stretch",
        )
        st.button(
            "Delete it", icon=":material/delete:", key="delete", width="stretch", on_click=_delete, args=(talk, store)
        )


def _open(name: str, collection: str) -> None:
    switch_to(name)
    if collection:
        st.session_state["collection"] = collection


@telling
def _delete(talk: Talk, store: Conversations) -> None:
    shared().asking.forget(talk)
    store.delete(talk.name)
    begin()
