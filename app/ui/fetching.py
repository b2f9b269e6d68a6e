"""The download of a model: offered, drawn as it goes on, stopped."""

from collections.abc import Callable

import streamlit as st

from app.beginning import Offer, let_answer
from app.models.fetching import Fetch
from app.settings import Settings
from app.shared import shared
from app.ui.markup import literal_markdown
from app.ui.thread import show_error

_EVERY = 1.0
"""Seconds between two looks."""


def offer_model(offer: Offer, primary: bool = False) -> None:
    """A button that fetches a model and lets it answer."""
    st.button(
        f"Get {offer.title} ({offer.gigabytes:.1f} GB)",
        key=f"get {offer.name}",
        icon=":material/download:",
        type="primary" if primary else "secondary",
        disabled=shared().fetching.running is not None,
        on_click=fetch,
        args=(offer.name, _answer_with(offer.name)),
    )


def fetch(name: str, then: Callable[[], object]) -> None:
    """Begins a download."""
    shared().fetching.start(name, then)


def follow_fetching() -> None:
    """How far a download is; the page is drawn anew when it has ended. Shows why the last one failed."""
    fetching = shared().fetching
    ended = fetching.ended
    if (last := fetching.last) and last.error and not fetching.running:
        show_error(last.error)
    elif last and last.complete:
        st.success(f"{literal_markdown(last.title or last.name)} is here.", icon=":material/check:")

    @st.fragment(run_every=_EVERY)
    def look() -> None:
        if fetching.ended != ended:
            st.rerun()
        if running := fetching.running:
            _show(running)

    look()


def _show(running: Fetch) -> None:
    share = min(1.0, running.done / running.total) if running.total else 0.0
    st.progress(share, _in_words(running))
    st.button(
        "Stopping" if running.stopping else "Stop the download",
        key="stop download",
        icon=":material/stop_circle:",
        type="tertiary",
        disabled=running.stopping,
        on_click=shared().fetching.stop,
        help="What has arrived is kept.",
    )


def _in_words(running: Fetch) -> str:
    name = literal_markdown(running.title or running.name)
    if not running.total:
        return f"{name}: asking where it is"
    left = running.seconds_left
    soon = "" if left is None else f", {left / 60:.0f} min left" if left >= 90 else f", {left:.0f} s left"
    return f"{name}: {running.done / 1e9:.2f} of {running.total / 1e9:.2f} GB{soon}"


def _answer_with(name: str) -> Callable[[], object]:
    def then() -> None:
        let_answer(name, Settings.load())
        shared().reload()

    return then
