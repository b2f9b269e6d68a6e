"""`transom ingest | remove`: what is in a collection."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ingest.cli.options import COLLECTION, JSON

if TYPE_CHECKING:
    from ingest.desk import Desk
    from ingest.display import Outcome
    from ingest.errors import UsageError
    from ingest.events import Removed
    from ingest.settings import IngestSettings


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@COLLECTION
@click.option("--watch", "following", is_flag=True, help="Then follow what changes, until Ctrl-C.")
@click.option("--retry", is_flag=True, help="Read again what failed before.")
@click.option("--ocr", is_flag=True, help="Also read scans and pictures, with Tesseract.")
@click.option("--rebuild", is_flag=True, help="Throw the index away first and make it anew.")
@JSON
@click.pass_obj
def ingest(  # noqa: PLR0913 - one parameter for each option
    settings: "IngestSettings",
    paths: tuple[Path, ...],
    collection: str,
    following: bool,
    retry: bool,
    ocr: bool,
    rebuild: bool,
    as_json: bool,
) -> None:
    """Read files and folders, and keep them ready for questions.

    Run again, it reads only what changed and forgets what was deleted. Exit status 1: some files failed.
    """
    import threading

    from ingest.display import show
    from ingest.remote import open_library
    from ingest.sources import Source
    from ingest.watch import watch

    for path in paths:
        Source.of(path, ())  # a missing path is told before anything is loaded, or thrown away
    if rebuild:
        _drop(settings)
    with open_library(settings) as library:
        if following:
            events = watch(library, paths, collection, threading.Event(), retry=retry, ocr=ocr)
        else:
            events = library.ingest(paths, collection, retry=retry, ocr=ocr)
        _end(show(events, as_json, following), paths)


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@COLLECTION
@click.option("--all", "everything", is_flag=True, help="The whole collection.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@JSON
@click.pass_obj
def remove(  # noqa: PLR0913 - one parameter for each option
    settings: "IngestSettings",
    paths: tuple[Path, ...],
    collection: str,
    everything: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Forget documents: files or folders, as they lie on the disk or as they are shown. No file is touched."""
    from ingest.errors import UsageError
    from ingest.remote import open_library

    if bool(paths) == everything:
        raise UsageError("Name what is to be removed.", "Give one or more paths, or --all for the whole collection.")
    with open_library(settings) as library:
        if everything:
            _remove_collection(library, collection, yes, as_json)
        else:
            _remove_paths(library, paths, collection, as_json)


def _drop(settings: "IngestSettings") -> None:
    from ingest.errors import UsageError
    from ingest.library import drop_library
    from ingest.remote import owner_of

    if owner_of(settings):
        raise UsageError(
            "The index cannot be made anew while a chat uses it.", "Stop the chat, then run the same command again."
        )
    drop_library(settings)


def _end(outcome: "Outcome", paths: Sequence[Path]) -> None:
    """The exit status of an ingest."""
    finished = outcome.finished
    if not finished.files and not finished.removed and outcome.complete:
        click.echo(f"There are no documents in {', '.join(map(str, paths))}.", err=True)
        click.echo(
            "Give a folder that holds some; `transom status --ignored PATH` lists what is left out, and why.", err=True
        )
        sys.exit(2)
    sys.exit(0 if outcome.complete else 1)


def _remove_collection(library: "Desk", collection: str, yes: bool, as_json: bool) -> None:
    from ingest.events import Removed

    entries = list(library.catalogue.entries(collection))
    if not entries:
        raise _nothing(f"There is no collection {collection!r}.")
    if not yes:
        click.confirm(f"Remove all {len(entries):,} documents of the collection {collection!r}?", abort=True, err=True)
    library.remove_collection(collection)
    if as_json:
        for entry in entries:
            _tell(Removed(entry.uri), as_json)
    else:
        click.echo(f"Removed: {len(entries):,} documents.")


def _remove_paths(library: "Desk", paths: Sequence[Path], collection: str, as_json: bool) -> None:
    count = 0
    for count, event in enumerate(library.remove(paths, collection), 1):  # noqa: B007 - how many there were
        _tell(event, as_json)
    if not count:
        raise _nothing(f"The collection {collection!r} holds nothing at {', '.join(map(str, paths))}.")
    click.echo(
        "What still lies in an ingested folder comes back with its next ingest, unless a .transomignore names it.",
        err=True,
    )


def _tell(event: "Removed", as_json: bool) -> None:
    from ingest.display import printable
    from ingest.wire import event_json

    click.echo(
        json.dumps(event_json(event), ensure_ascii=False) if as_json else f"Removed: {printable(event.document)}"
    )


def _nothing(message: str) -> "UsageError":
    from ingest.errors import UsageError

    return UsageError(message, "`transom status` lists what there is, `transom collections` the collections.")
