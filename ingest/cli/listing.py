"""`transom status | collections`: what the catalogue knows. Read without the index, also while others use it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

from ingest.cli.options import ANY_COLLECTION, JSON

if TYPE_CHECKING:
    from ingest.catalogue import Catalogue, Entry
    from ingest.overview import Overview
    from ingest.scan import Ignored, Unreadable
    from ingest.settings import IngestSettings

BESIDE = f"{__name__}.BESIDE"
"""Where a command that holds this one puts a function without arguments (`Context.meta`) that makes a Beside."""


class Beside(Protocol):
    """What others than ingest know of documents, told beside them."""

    def of_document(self, entry: "Entry") -> Mapping[str, Any]:
        """Keys for a document's JSON."""

    def of_collection(self, entries: Sequence["Entry"]) -> Sequence[str]:
        """Lines for a collection's counts."""


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@ANY_COLLECTION
@click.option("--failed", "only_failed", is_flag=True, help="Only what could not be read.")
@click.option("--ignored", is_flag=True, help="Look into the folders: what is left out, and why?")
@JSON
@click.pass_obj
def status(  # noqa: PLR0913 - one parameter for each option
    settings: "IngestSettings",
    paths: tuple[Path, ...],
    collection: str | None,
    only_failed: bool,
    ignored: bool,
    as_json: bool,
) -> None:
    """List the documents, their states, and why one failed; all, or those at PATH."""
    from ingest.catalogue import Catalogue, catalogue_path

    with Catalogue(catalogue_path(settings)) as catalogue:
        names = _names(catalogue, collection)
        if ignored:
            _list_left_out(catalogue, names, paths, as_json)
        else:
            beside = click.get_current_context().meta.get(BESIDE, _Nothing)()
            _list_documents(catalogue, names, paths, only_failed, as_json, beside)


@click.command()
@JSON
@click.pass_obj
def collections(settings: "IngestSettings", as_json: bool) -> None:
    """List the collections: documents, chunks, size, folders, and how much is read."""
    from ingest.catalogue import Catalogue, catalogue_path
    from ingest.overview import overview

    with Catalogue(catalogue_path(settings)) as catalogue:
        for name in _names(catalogue, None):
            found = overview(catalogue, name)
            click.echo(json.dumps(_as_json(found), ensure_ascii=False) if as_json else _in_words(found))


def _names(catalogue: "Catalogue", wanted: str | None) -> list[str]:
    """The collections that are meant."""
    from ingest.errors import UsageError

    known = list(catalogue.collections())
    if wanted is None:
        if not known:
            click.echo("There are no documents yet. Begin: `transom ingest PATH...`", err=True)
        return known
    if wanted not in known:
        raise UsageError(f"There is no collection {wanted!r}.", f"There are: {', '.join(known)}." if known else "")
    return [wanted]


class _Nothing:
    def of_document(self, entry: "Entry") -> Mapping[str, Any]:
        return {}

    def of_collection(self, entries: Sequence["Entry"]) -> Sequence[str]:
        return ()


def _list_documents(  # noqa: PLR0913 - what to list, and how
    catalogue: "Catalogue",
    names: Sequence[str],
    paths: Sequence[Path],
    only_failed: bool,
    as_json: bool,
    beside: Beside,
) -> None:
    from ingest.overview import overview
    from ingest.sources import meant

    for name in names:
        entries = list(catalogue.entries(name))
        for entry in chain.from_iterable(meant(entries, path) for path in paths) if paths else entries:
            if not only_failed or entry.state == "failed":
                row = {**asdict(entry), **beside.of_document(entry)}
                click.echo(json.dumps(row, ensure_ascii=False) if as_json else _line(entry))
        if not as_json:
            click.echo("\n".join((_in_words(overview(catalogue, name)), *beside.of_collection(entries))))


def _line(entry: "Entry") -> str:
    from rich.filesize import decimal

    from ingest.display import printable

    pages = f"{entry.pages:,} pages, " if entry.pages else ""
    detail = entry.reason or f"{pages}{entry.chunks:,} chunks, {decimal(entry.size)}"
    line = printable(f"{entry.state:8}  {entry.collection}  {entry.uri}  ({detail})")
    notes = (note for note in (entry.hint, entry.warning) if note)
    return "\n".join((line, *(f"{'':10}{printable(note)}" for note in notes)))


def _list_left_out(catalogue: "Catalogue", names: Sequence[str], paths: Sequence[Path], as_json: bool) -> None:
    from ingest.display import printable

    for root, found in _left_out(catalogue, names, paths):
        state = type(found).__name__.lower()
        if as_json:
            row = {"root": str(root), "uri": found.uri, "state": state, "reason": found.reason}
            click.echo(json.dumps(row, ensure_ascii=False))
        else:
            click.echo(printable(f"{state:10}  {found.uri}  ({found.reason})"))


def _left_out(
    catalogue: "Catalogue", names: Sequence[str], paths: Sequence[Path]
) -> Iterator[tuple[Path, "Ignored | Unreadable"]]:
    from ingest.scan import File, scan
    from ingest.sources import Source

    roots = sorted({root for name in names for root in catalogue.roots(name)})
    for path in paths or map(Path, roots):
        source = Source.of(path, roots)
        for found in scan(source.root, source.below):
            if not isinstance(found, File):
                yield source.root, found


def _as_json(found: "Overview") -> dict[str, Any]:
    coverage = found.coverage
    counts = coverage and {"read": coverage.read, "found": coverage.found}
    return {**asdict(found), "folders": list(found.folders), "coverage": counts}


def _in_words(found: "Overview") -> str:
    from rich.filesize import decimal

    from ingest.display import printable

    coverage = found.coverage
    read = f"{coverage.read:,} of {coverage.found:,} files read: " if coverage else ""
    failed = f", {found.failed:,} failed" if found.failed else ""
    return printable(
        f"{found.collection}: {read}{found.documents:,} documents{failed}, {found.chunks:,} chunks, "
        f"{decimal(found.bytes)}, from {', '.join(found.folders)}"
    )
