"""How much of a collection is read ahead, and the offer to read it now."""

from typing import Any, get_args

import streamlit as st

from app.ahead.background import Background
from app.ahead.progress import Estimate, Progress
from app.ahead.words import cost, so_far
from app.answers import ReadAhead
from app.settings import Settings
from app.shared import shared
from app.ui.thread import show_error
from ingest.errors import TransomError

_EVERY = 1.0
"""Seconds between two looks."""


def show_ahead(collection: str) -> None:
    """How far the reading of a collection is while it goes on, else how much is ready and what the rest would take.

    Nothing is shown as long as no model is open, or where nothing can be read ahead.
    """
    ahead = shared().ahead
    going = _going(ahead, collection)
    estimate = None if going else ahead.estimate(collection)

    @st.fragment(run_every=_EVERY)
    def look() -> None:
        now = _going(ahead, collection)
        if (now is None) != (going is None):
            st.rerun()
        if now:
            _show_going(ahead, now)

    look()
    if estimate:
        _show_offer(ahead, collection, estimate)


def ask_ahead(written: Settings) -> dict[str, dict[str, Any]]:
    """Whether passages are read ahead, and what room they get: by section and name."""
    kinds: list[ReadAhead] = list(get_args(ReadAhead))
    columns = st.columns(2)
    wanted = columns[0].selectbox(
        "Read ahead",
        kinds,
        kinds.index(written.answering.read_ahead),
        format_func=lambda each: {"auto": "where it pays and does no harm"}.get(each, each),
        help="Passages are read while nobody waits; questions that need them are answered sooner.",
    )
    room = columns[1].number_input(
        "Room for what is read ahead (GB)", 0.0, 10_000.0, written.window.ahead_gb, step=1.0, help="On the disk."
    )
    return {"answering": {"read_ahead": wanted}, "window": {"ahead_gb": room}}


def _going(ahead: Background, collection: str) -> Progress | None:
    """How far a collection is that is read now, or as soon as nobody asks anything."""
    if (job := ahead.job) and not job.over.is_set() and job.collection == collection:
        return job.progress or Progress(collection)
    doing = ahead.doing
    return doing if doing and doing.collection == collection else None


def _show_going(ahead: Background, progress: Progress) -> None:
    read = progress.read
    share = read.passages / read.total if read and read.total else 0.0
    st.progress(min(share, 1.0), f"Reading ahead: {so_far(progress)}")
    st.button("Stop", key="stop reading ahead", icon=":material/stop_circle:", type="tertiary", on_click=ahead.stop)


def _show_offer(ahead: Background, collection: str, estimate: Estimate) -> None:
    asked = ahead.job if ahead.job and ahead.job.collection == collection else None
    if trouble := (asked and asked.trouble) or ahead.trouble:
        show_error(trouble)
    if estimate.ready:
        st.caption(f"Read ahead: {estimate.ready:,} of {estimate.total:,} chunks.")
    if not estimate.passages:
        return
    if st.button(
        f"Read this collection now ({cost(estimate)})",
        key="read ahead",
        icon=":material/fast_forward:",
        help="Questions need not wait then until their passages are read. It goes on while you do something else.",
    ):
        try:
            ahead.read_now(collection)
        except TransomError as error:
            show_error(error)
        else:
            st.rerun()
