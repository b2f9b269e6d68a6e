"""`transom read-ahead`: a collection is read while nobody waits."""

import sys
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, cast

import click

from ingest.cli.options import COLLECTION

if TYPE_CHECKING:
    from app.ahead.progress import Progress
    from app.settings import Settings

_GB = 1_000_000_000
_LOG_EVERY = 5.0
"""Seconds between two lines of progress where standard error is no terminal."""


@click.command("read-ahead")
@COLLECTION
@click.option(
    "--limit",
    type=click.FloatRange(min=0, min_open=True),
    metavar="GB",
    help="Room on the disk for this collection (default: window.ahead_gb, which holds for all together).",
)
@click.pass_obj
def read_ahead(settings: "Settings", collection: str, limit: float | None) -> None:
    """Read a collection beforehand, so that questions about it need not wait for that.

    Ctrl-C stops it; the same command goes on from there.
    """
    from app.remote import open_assistant

    with open_assistant(settings) as assistant:
        last = _show(assistant.read_ahead(collection, None if limit is None else int(limit * _GB)))
    _conclude(last)


def _show(events: "Iterator[Progress]") -> "Progress | None":
    """Tells the estimate once, and then how far it is; gives the last that was told."""
    from app.ahead.words import cost, so_far

    last, estimated, told_at = None, False, time.monotonic()
    with closing(cast("Generator[Progress, None, None]", events)):  # else the model is held until the end
        for last in events:
            if last.estimate and not estimated:
                estimated = True
                _line(f"{last.estimate.passages:,} passages to read: {cost(last.estimate)}", ends=True)
            elif sys.stderr.isatty():
                _line(so_far(last), ends=False)
            elif time.monotonic() - told_at >= _LOG_EVERY:
                told_at = time.monotonic()
                _line(so_far(last), ends=True)
    if sys.stderr.isatty():
        click.echo(err=True)
    return last


def _line(text: str, ends: bool) -> None:
    """One that is written over the one before, in a terminal."""
    over = "\r\x1b[K" if sys.stderr.isatty() else ""
    click.secho(over + text, dim=True, nl=ends, err=True)


def _conclude(last: "Progress | None") -> None:
    from rich.filesize import decimal

    assert last, "a reading tells its estimate"
    assert last.read, "and how far it is"
    read = last.read
    click.echo(f"Read ahead: {read.passages:,} of {read.total:,} passages, {decimal(read.bytes)}.")
    if read.full:
        click.echo(
            "There is no room for more: see --limit, and window.ahead_gb in the settings. "
            "The documents that are used most were read first.",
            err=True,
        )
