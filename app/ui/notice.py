"""What a person should know about the model that answers, and the way to a better one."""

import streamlit as st

from app.assistant import Assistant
from app.beginning import best_offer
from app.ui.fetching import follow_fetching, offer_model
from app.ui.markup import answer_markdown


def show_notice(assistant: Assistant) -> None:
    """The notice; where a stand-in answers, with one click to the model that suits this machine."""
    if notice := assistant.notice:
        st.warning(answer_markdown(notice), icon=":material/info:")
    if assistant.model.stand_in:
        best = best_offer()
        if best.fits:
            offer_model(best)
        follow_fetching()
