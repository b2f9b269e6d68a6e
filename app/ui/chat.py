"""The chat: a script that Streamlit runs anew for every browser and after every click."""

from pathlib import Path

import streamlit as st

from app.ui.pages import conversation, settings
from app.ui.pages.library import library_page

_STYLE = Path(__file__).with_name("style.css")
_ICON = Path(__file__).with_name("icon.png")


def main() -> None:
    """What all pages share, and the page that was chosen."""
    st.set_page_config(page_title="Transom", page_icon=str(_ICON), layout="centered")
    st.html(_STYLE)
    chat = st.Page(conversation.page, title="Chat", icon=":material/chat:", url_path="chat", default=True)
    tuning = st.Page(settings.page, title="Settings", icon=":material/tune:", url_path="settings")
    st.navigation([chat, library_page(), tuning]).run()


main()
