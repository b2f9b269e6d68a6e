"""The ingest that runs, whoever started it: drawn anew every second."""

from collections.abc import Iterable
from html import escape

import streamlit as st

from app.ingesting import Ingests, Run, StoppedError
from app.talk import Talk
from app.ui.thread import show_error
from ingest.catalogue import Catalogue
from ingest.display import duration, summary
from ingest.events import Failed, Progressed

_EVERY = 1.0
"""Seconds between two looks."""
_SHOWN = 3
"""Failures that are shown while it runs; the page lists all when it is over."""


def follow_ingests(
    ingests: Ingests, catalogue: Catalogue, empty: bool, place: str = "", talk: Talk | None = None
) -> None:
    """Shows what runs. The page is drawn anew when it has ended, when an `empty` library has got documents, and
    when another browser asks something in the `talk` that is on the page.

    A `place` tells it from another one on the same page.
    """
    ended, asked = ingests.ended, len(talk.exchanges) if talk else 0

    @st.fragment(run_every=_EVERY)
    def look() -> None:
        filled = empty and any(catalogue.collections().values())
        if filled or ingests.ended != ended or (talk and len(talk.exchanges) != asked):
            st.rerun()
        if run := ingests.running:
            st.html(run_html(run, ingests.waiting))
            st.button(
                "Stopping" if run.stopping else "Stop reading",
                key=f"stop ingest {place}".strip(),
                icon=":material/stop_circle:",
                type="tertiary",
                disabled=run.stopping,
                on_click=ingests.stop,
            )

    look()


def show_last_ingest(last: Run | None) -> None:
    """How the last ingest of this process ended."""
    if last is None:
        return
    if last.error is not None and not isinstance(last.error, StoppedError):
        show_error(last.error)
    elif not last.complete:
        st.info(f"Stopped at {last.progress.files:,} files. What was read is kept.", icon=":material/stop_circle:")
    elif last.finished is not None:
        st.success(summary(last.finished), icon=":material/check:")
        if last.failures:
            st.html(failures_html(last.failures))


def failures_html(failures: Iterable[Failed]) -> str:
    """What could not be read, each with its reason."""
    items = "".join(
        f"<li>{escape(each.document)}<small>{escape(f'{each.reason} {each.hint}')}</small></li>" for each in failures
    )
    return f'<ul class="transom-documents" tabindex="0" aria-label="Not read">{items}</ul>'


def run_html(run: Run, waiting: int = 0) -> str:
    """A running ingest in a few lines."""
    progress = run.progress
    failures = list(run.failures)[-_SHOWN:]
    lines = [f"<p>{_numbers(progress)}</p>", f"<small>{escape(progress.current)}</small>"]
    if progress.failed:
        lines.append(f"<p>{progress.failed:,} not read</p>")
    lines += [f"<small>{escape(failed.document)}: {escape(failed.reason)}</small>" for failed in failures]
    if waiting:
        lines.append(f"<small>{waiting:,} more {'waits' if waiting == 1 else 'wait'}</small>")
    return f'<div class="transom-ingest" role="status"><b>Reading documents</b>{_bar(progress)}{"".join(lines)}</div>'


def _bar(progress: Progressed) -> str:
    if not progress.total_files:
        return '<progress aria-label="Ingest"></progress>'
    return f'<progress aria-label="Ingest" value="{progress.files}" max="{progress.total_files}"></progress>'


def _numbers(progress: Progressed) -> str:
    total = f" of {progress.total_files:,}" if progress.total_files is not None else ""
    parts = [f"{progress.files:,}{total} files", f"{progress.chunks:,} chunks"]
    if progress.chunks_per_second:
        parts.append(f"{progress.chunks_per_second:,.0f} chunks/s")
    if progress.seconds_left is not None:
        parts.append(f"{duration(progress.seconds_left)} left")
    return " · ".join(parts)
