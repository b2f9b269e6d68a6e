"""The page where a model is chosen and settings are changed."""

import streamlit as st

from app.settings import Settings
from app.settings_file import overruled, write_settings
from app.shared import shared
from app.tuning import LIVE, Wanted, changes, consequences, with_wanted
from app.ui.ahead import ask_ahead
from app.ui.models import show_models
from app.ui.thread import show_error
from app.ui.tuning import ask_adapters, ask_answering, ask_embedding, ask_memory, show_plan
from ingest.errors import TransomError


def page() -> None:
    """The page, from top to bottom."""
    st.title("Settings", anchor=False)
    try:
        written = Settings.load()
        _show(written)
    except TransomError as error:
        show_error(error)


def _show(written: Settings) -> None:
    st.subheader("Model", anchor=False)
    show_models(written)
    adapters = ask_adapters(written)
    st.subheader("Memory", anchor=False)
    wanted: dict[str, dict[str, object]] = ask_memory(written)
    wanted["model"]["lora"] = adapters
    show_plan(with_wanted(written, wanted))
    st.subheader("Answers", anchor=False)
    wanted |= ask_answering(written)
    for section, answers in ask_ahead(written).items():
        wanted[section] |= answers
    st.subheader("Embedder", anchor=False)
    wanted |= ask_embedding(written)
    _offer_saving(written, wanted)
    if written.chat.password:
        st.link_button("Log out", "/logout", icon=":material/logout:")


def _offer_saving(written: Settings, wanted: Wanted) -> None:
    changed = changes(written, wanted)
    chunks = sum(entry.chunks for entry in shared().library().catalogue.entries())
    for told in consequences(changed, chunks):
        st.warning(told, icon=":material/info:")
    for name in overruled(changed):
        st.warning(f"The environment variable {name} is set, and wins while it is.", icon=":material/warning:")
    if st.button("Save", type="primary", icon=":material/save:", disabled=not changed, key="save"):
        write_settings(written.home, changed)
        if any(section in LIVE for section in changed):
            shared().reload()
        st.toast("The settings are saved.")
        st.rerun()
