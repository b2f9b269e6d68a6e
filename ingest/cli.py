"""`transom ingest | search | status | index`: the commands that need no language model.

Heavy modules are imported inside the commands, so that `transom --help` is there at once.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ingest.documents import Passage
    from ingest.library import Library
    from ingest.settings import IngestSettings

COLLECTION = click.option(
    "--collection", default="documents", show_default=True, metavar="NAME", help="A named set of documents."
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs (docs/cli.md).")


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@COLLECTION
@click.option("--rebuild", is_flag=True, help="Throw the index away first and make it anew.")
@JSON
@click.pass_obj
def ingest(settings: "IngestSettings", paths: tuple[Path, ...], collection: str, rebuild: bool, as_json: bool) -> None:
    """Read files and folders, and keep them ready for questions.

    Run again, it reads only what changed and forgets what was deleted. Exit status 1: some files failed.
    """
    from ingest.display import show
    from ingest.library import Library, drop_library
    from ingest.sources import Source

    for path in paths:
        Source.of(path, ())  # a missing path is told before anything is loaded, or thrown away
    if rebuild:
        drop_library(settings)
    with Library(settings) as library:
        finished = show(library.ingest(paths, collection), as_json)
    if not finished.files and not finished.removed:
        click.echo(f"There are no documents in {', '.join(map(str, paths))}.", err=True)
        click.echo("Give a folder that holds some; hidden files are left out.", err=True)
        sys.exit(2)
    sys.exit(1 if finished.failed else 0)


@click.command()
@click.argument("query", required=False)
@click.option("-k", "limit", default=5, show_default=True, type=click.IntRange(1, 1000), help="How many.")
@click.option("--in", "path_prefix", default="", metavar="PATH", help="Only in this folder or file.")
@click.option("--queries", type=click.File(encoding="utf-8"), metavar="FILE", help="JSON lines: _id, text.")
@COLLECTION
@JSON
@click.pass_obj
def search(  # noqa: PLR0913 - one parameter for each option
    settings: "IngestSettings",
    query: str | None,
    limit: int,
    path_prefix: str,
    queries: Any,
    collection: str,
    as_json: bool,
) -> None:
    """Find the passages for QUERY, without asking the model."""
    from ingest.index import Where
    from ingest.library import Library

    where = Where(collection=collection, path_prefix=path_prefix)
    with Library(settings) as library:
        library.require(collection)
        for identity, text in asked(query, queries):
            passages, timings = _search(library, text, limit, where)
            if as_json or queries:
                _print_passages_json(identity, passages, timings)
            else:
                _print_passages(passages)


@click.command()
@click.option("--collection", default=None, metavar="NAME", help="Only this one.")
@JSON
@click.pass_obj
def status(settings: "IngestSettings", collection: str | None, as_json: bool) -> None:
    """List the documents, their states, and why one failed."""
    from dataclasses import asdict

    from ingest.library import Library

    with Library(settings) as library:
        for entry in library.catalogue.entries(collection):
            if as_json:
                click.echo(json.dumps(asdict(entry), ensure_ascii=False))
            else:
                detail = entry.reason or f"{entry.chunks} chunks"
                click.echo(f"{entry.state:8}  {entry.collection}  {entry.uri}  ({detail})")


@click.group()
def index() -> None:
    """Look after the index."""


@index.command("copy")
@click.option("--from", "source", required=True, type=click.Choice(["embedded", "server"]))
@click.option("--collection", default=None, metavar="NAME", help="Only this one.")
@click.pass_obj
def copy(settings: "IngestSettings", source: str, collection: str | None) -> None:
    """Copy chunks, vectors and catalogue from another home into the one the settings name."""
    from ingest.library import copy_library

    for count in copy_library(settings, source, collection):
        click.echo(f"\r{count} chunks", nl=False, err=True)
    click.echo("\nCopied.", err=True)


def asked(text: str | None, lines: Any) -> Iterator[tuple[str | None, str]]:
    """The question on the command line, or those of a JSON lines file (`_id`, and `text` or `question`)."""
    from ingest.errors import UsageError

    if (text is None) == (lines is None):
        raise UsageError("There is nothing to ask.", "Give one question, or a file of them.")
    if text is not None:
        yield None, text
        return
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            yield str(row["_id"]), row.get("text") or row["question"]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(
                f"Line {number} of {lines.name} is not a question: {error!r}",
                "Each line is a JSON object with _id and text (or question).",
            ) from error


def _search(library: "Library", query: str, limit: int, where: Any) -> tuple[list["Passage"], dict[str, float]]:
    import time

    started = time.perf_counter()
    passages = library.search(query, limit, where)
    return passages, {"search": time.perf_counter() - started}


def _print_passages_json(identity: str | None, passages: list["Passage"], timings: dict[str, float]) -> None:
    from ingest.wire import passages_json, timings_json

    found = {"passages": passages_json(dict(enumerate(passages, 1))), "timings": timings_json(timings)}
    click.echo(json.dumps({"_id": identity, **found} if identity else found, ensure_ascii=False))


def _print_passages(passages: list["Passage"]) -> None:
    from ingest.display import place

    if not passages:
        click.echo("Nothing was found.")
    for number, passage in enumerate(passages, 1):
        click.secho(f"[{number}] {place(passage)}", bold=True)
        click.echo(" ".join(passage.chunk.text.split()) + "\n")
