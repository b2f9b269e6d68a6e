"""How an ingest looks in a terminal: a live picture, or in a log a line now and then; failures as they happen."""

import json
import re
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import NamedTuple, Protocol

import click
from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from ingest.documents import Passage
from ingest.events import Event, Failed, Finished, Indexed, Progressed, Removed, Skipped, Unchanged
from ingest.wire import event_json

_LOG_EVERY = 5.0
"""Seconds between two lines of progress in a log."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Outcome(NamedTuple):
    """How an ingest ended."""

    finished: Finished
    complete: bool
    """Whether all that was found could be read."""


def show(events: Iterator[Event], as_json: bool, following: bool = False) -> Outcome:
    """Shows events until they end; with `following`, those after the first Finished are told one by one.

    Ctrl-C ends the run, is told with what is done, and becomes exit status 130.
    """
    tally = _Tally()
    try:
        with closing(_face(as_json, following)) as face:
            for event in events:
                tally.take(event)
                face.take(event)
    except KeyboardInterrupt:
        if isinstance(events, Generator):
            events.close()
        click.echo(f"\nStopped. {tally.in_words()}", err=True)
        sys.exit(130)
    return tally.outcome()


def progress_in_words(progress: Progressed) -> str:
    """How far a run has come, on one line, without what it is working on."""
    words = [
        _of(progress.files, progress.total_files, "{:,}") + " files",
        _of(progress.megabytes, progress.total_megabytes, "{:,.1f}") + " MB",
        f"{progress.chunks:,} chunks",
        f"{progress.chunks_per_second:,.0f} chunks/s",
    ]
    if progress.failed:
        words.append(f"{progress.failed:,} failed")
    if progress.seconds_left is not None:
        words.append(f"{_clock(progress.seconds_left)} left")
    return ", ".join(words)


def summary(finished: Finished) -> str:
    """The counts of a run, for a person."""
    return (
        f"{finished.files:,} files in {finished.seconds:,.1f} s: {finished.indexed:,} indexed "
        f"({finished.chunks:,} chunks; {finished.embedded:,} texts embedded, "
        f"{finished.chunks - finished.embedded:,} known before), {finished.unchanged:,} unchanged, "
        f"{finished.removed:,} removed, {finished.failed:,} failed."
    )


def duration(seconds: float) -> str:
    """A time that nobody needs to the second."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes / 60:.1f}".removesuffix(".0") + " h"


def place(passage: Passage) -> str:
    """Where a passage stands, in words."""
    page = passage.chunk.page_at(0)
    where = passage.chunk.uri if page is None else f"{passage.chunk.uri}, page {page}"
    return " > ".join((where, *passage.chunk.headings))


def printable(name: str) -> str:
    """A file's name without what a terminal would obey."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", name)


def stderr_console() -> Console:
    """Progress goes to standard error, so that standard output holds results only."""
    return Console(stderr=True)


class _Tally:
    """What is known of a run when it ends, however it ends."""

    def __init__(self) -> None:
        self._files = 0
        self._total: int | None = None
        self._troubled = False
        self._finished: Finished | None = None

    def take(self, event: Event) -> None:
        match event:
            case Indexed() | Unchanged():
                self._files += 1
            case Failed():
                self._files += 1
                self._troubled = True
            case Skipped():
                self._troubled |= not event.on_purpose
            case Progressed():
                self._total = event.total_files
            case Finished():
                self._finished = event

    def in_words(self) -> str:
        if self._finished:
            return "What changed until now is in the index; the same command follows on."
        return f"{_of(self._files, self._total, '{:,}')} files are read; the same command goes on from there."

    def outcome(self) -> Outcome:
        assert self._finished, "an ingest ends with Finished"
        return Outcome(self._finished, not self._troubled)


class _Face(Protocol):
    def take(self, event: Event) -> None: ...

    def close(self) -> None: ...


def _face(as_json: bool, following: bool) -> _Face:
    if as_json:
        return _Json()
    console = stderr_console()
    return _Picture(console, following) if console.is_terminal else _Log(console, following)


class _Json:
    """One object a line."""

    def take(self, event: Event) -> None:
        click.echo(json.dumps(event_json(event), ensure_ascii=False))
        sys.stdout.flush()

    def close(self) -> None:
        pass


class _Log:
    """News as they come, and progress now and then."""

    def __init__(self, console: Console, following: bool) -> None:
        self._console = console
        self._following = following
        self._finished = False
        self._told: set[Event] = set()
        self._progressed = time.monotonic()

    def take(self, event: Event) -> None:
        match event:
            case Progressed():
                self._progress(event)
            case Finished():
                self._finish(event)
            case Failed() if event not in self._told:  # it is told again by every sweep
                self._told.add(event)
                self._tell(f"Not read: {event.document}: {event.reason}", "yellow")
            case Skipped() if not event.on_purpose:
                self._tell(f"Left as it was: {event.document}: {event.reason}", "yellow")
            case Removed():
                self._tell(f"Removed: {event.document}", "dim")
            case Indexed() if self._finished:
                self._tell(f"Read: {event.document}", "green")

    def close(self) -> None:
        pass

    def _tell(self, text: str, style: str) -> None:
        self._console.print(printable(text), markup=False, highlight=False, soft_wrap=True, style=style)

    def _progress(self, progress: Progressed) -> None:
        if time.monotonic() - self._progressed >= _LOG_EVERY:
            self._progressed = time.monotonic()
            self._tell(f"{progress_in_words(progress)}: {progress.current}", "none")

    def _finish(self, finished: Finished) -> None:
        if self._finished:
            return  # what it did was told one by one
        self._finished = True
        click.echo(summary(finished))
        if self._following:
            self._tell("Following what changes; Ctrl-C ends it.", "none")


class _Picture(_Log):
    """A live picture of the progress, under the news; it goes when a sweep is done."""

    def __init__(self, console: Console, following: bool) -> None:
        super().__init__(console, following)
        self._live = self._begin(Spinner("dots", "Starting"))

    def close(self) -> None:
        if self._live:
            self._live.stop()
            self._live = None

    def _begin(self, picture: RenderableType) -> Live | None:
        live = Live(picture, console=self._console, transient=True, refresh_per_second=8)
        live.start()
        return live

    def _progress(self, progress: Progressed) -> None:
        picture = _picture(progress)
        if self._live:
            self._live.update(picture, refresh=True)
        else:
            self._live = self._begin(picture)

    def _finish(self, finished: Finished) -> None:
        self.close()  # first, as the summary goes to standard output
        super()._finish(finished)


def _picture(progress: Progressed) -> RenderableType:
    rows = Table.grid()
    rows.add_row(ProgressBar(total=progress.total_megabytes or None, completed=progress.megabytes, width=40))
    rows.add_row(Text(progress_in_words(progress)))
    rows.add_row(Text(printable(progress.current), style="dim", no_wrap=True, overflow="ellipsis"))
    return rows


def _of(done: float, total: float | None, form: str) -> str:
    return form.format(done) if total is None else f"{form.format(done)} of {form.format(total)}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
