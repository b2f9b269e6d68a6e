"""How an ingest looks in the terminal: one live line, failures as they happen, a summary."""

import json
import sys
from collections.abc import Iterator

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ingest.documents import Passage
from ingest.events import Event, Failed, Finished, Indexed, Progressed, Removed, Unchanged
from ingest.wire import event_json


def show(events: Iterator[Event], as_json: bool) -> Finished:
    """Shows events as they come; returns the last one."""
    return _print_json(events) if as_json else _show_live(events)


def place(passage: Passage) -> str:
    """Where a passage stands, in words."""
    page = passage.chunk.page_at(0)
    where = passage.chunk.uri if page is None else f"{passage.chunk.uri}, page {page}"
    return " > ".join((where, *passage.chunk.headings))


def _print_json(events: Iterator[Event]) -> Finished:
    for event in events:
        click.echo(json.dumps(event_json(event), ensure_ascii=False))
        sys.stdout.flush()
        if isinstance(event, Finished):
            return event
    raise AssertionError("an ingest ends with Finished")


def _show_live(events: Iterator[Event]) -> Finished:
    console = stderr_console()
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        line = progress.add_task("Starting", total=None)
        files = chunks = 0
        for event in events:
            match event:
                case Finished():
                    _summarise(event)
                    return event
                case Failed():
                    console.print(f"Not read: {event.document}: {event.reason}", markup=False, style="yellow")
                case Removed():
                    console.print(f"Removed: {event.document}", markup=False, style="dim")
                case Indexed():
                    chunks += event.chunks
            if isinstance(event, Indexed | Unchanged | Failed):
                files += 1
            if not isinstance(event, Progressed):
                progress.update(line, description=f"{files} files, {chunks} chunks  {event.document}")
    raise AssertionError("an ingest ends with Finished")


def _summarise(finished: Finished) -> None:
    click.echo(
        f"{finished.files} files in {finished.seconds:.1f} s: {finished.indexed} indexed "
        f"({finished.chunks} chunks), {finished.unchanged} unchanged, {finished.removed} removed, "
        f"{finished.failed} failed."
    )


def stderr_console() -> Console:
    """Progress goes to standard error, so that standard output holds results only."""
    return Console(stderr=True)
