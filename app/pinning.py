"""`transom pin | unpin`: documents that every conversation has in its window from the start."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ingest.cli.options import COLLECTION

if TYPE_CHECKING:
    from app.answers import Reading
    from app.settings import Settings
    from ingest.catalogue import Entry


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@COLLECTION
@click.pass_obj
def pin(settings: "Settings", paths: tuple[Path, ...], collection: str) -> None:
    """Keep documents in every window, read beforehand. Without PATH, list those that are pinned.

    A question then finds them read, and pays for its own words only.
    """
    from app.pins import Pins
    from app.remote import open_assistant

    entries = _entries(settings, collection)
    pins = Pins(settings.home).of(collection)
    if not paths:
        _list(entry for entry in entries if entry.document_id in pins)
        return
    wanted = _meant(entries, paths, collection)
    new = [entry.document_id for entry in entries if entry.document_id in wanted]
    with open_assistant(settings) as assistant:
        _show(assistant.pin(list(dict.fromkeys([*pins, *new])), collection))
    _list(entry for entry in entries if entry.document_id in wanted)


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option("--all", "everything", is_flag=True, help="Whatever is pinned in the collection.")
@COLLECTION
@click.pass_obj
def unpin(settings: "Settings", paths: tuple[Path, ...], everything: bool, collection: str) -> None:
    """Keep documents in every window no more. Conversations that go on keep theirs."""
    from app.pins import Pins
    from ingest.errors import UsageError

    if bool(paths) == everything:
        raise UsageError("Name what is no longer to be pinned.", "Give one or more paths, or --all.")
    pins = Pins(settings.home)
    gone = set(pins.of(collection)) if everything else _meant(_entries(settings, collection), paths, collection)
    pins.put(collection, [each for each in pins.of(collection) if each not in gone])


def _entries(settings: "Settings", collection: str) -> list["Entry"]:
    """The documents of a collection, read beside whoever owns the index."""
    from ingest.catalogue import Catalogue, catalogue_path

    with Catalogue(catalogue_path(settings)) as catalogue:
        return [entry for entry in catalogue.entries(collection) if entry.chunks]


def _meant(entries: Sequence["Entry"], paths: Sequence[Path], collection: str) -> set[str]:
    from ingest.errors import UsageError
    from ingest.sources import meant

    ids = {entry.document_id for path in paths for entry in meant(entries, path)}
    if not ids:
        raise UsageError(
            f"The collection {collection!r} holds nothing at {', '.join(map(str, paths))}.",
            "`transom status` lists what there is.",
        )
    return ids


def _list(entries: Iterable["Entry"]) -> None:
    from ingest.display import printable

    for entry in entries:
        click.echo(f"Pinned: {printable(entry.uri)}")


def _show(events: "Iterator[Reading]") -> None:
    """A line that is written anew in a terminal, and at the end only elsewhere."""
    done = total = 0
    for event in events:
        done, total = event.done, event.total
        if sys.stderr.isatty():
            click.secho(f"\rreading {done:,} of {total:,} tokens", dim=True, nl=False, err=True)
    if sys.stderr.isatty():
        click.echo(err=True)
    click.secho(f"{done:,} tokens were read." if total else "It was read before.", err=True)
