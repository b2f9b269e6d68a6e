"""The wait until library and model are open."""

from typing import NoReturn

import streamlit as st

from app.assistant import Assistant
from app.errors import ModelError
from app.shared import shared
from app.ui.beginning import show_beginning
from app.ui.thread import show_error
from ingest.errors import TransomError
from ingest.library import Library


def opened_assistant() -> Assistant:
    """The assistant; while there is none, the page leads to one and ends here."""
    try:
        with st.spinner("Loading the model and opening the library", show_time=True):
            return shared().assistant()
    except ModelError as error:
        show_beginning(opened_library(), "", error)
        st.stop()
    except TransomError as error:
        _end_with(error)


def opened_library() -> Library:
    """The library; while there is none, the page says why and ends here."""
    try:
        with st.spinner("Opening the library", show_time=True):
            return shared().library()
    except TransomError as error:
        _end_with(error)


def _end_with(error: TransomError) -> NoReturn:
    show_error(error)
    st.button("Try again", icon=":material/refresh:", on_click=shared().open_again)
    st.stop()
