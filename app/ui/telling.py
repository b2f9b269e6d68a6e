"""Errors of what a click does, before the page is drawn: told in words beside the page, which stays as it was."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

from app.ui.markup import literal_markdown
from ingest.errors import TransomError

P = ParamSpec("P")


def telling(clicked: Callable[P, None]) -> Callable[P, None]:
    """A callback whose errors a person sees."""

    @wraps(clicked)
    def told(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            clicked(*args, **kwargs)
        except TransomError as error:
            st.toast(literal_markdown(f"{error.message} {error.hint}"), icon=":material/error:", duration="long")

    return told
