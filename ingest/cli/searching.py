"""`transom search`: passages, without a language model."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ingest.cli.options import COLLECTION, JSON

if TYPE_CHECKING:
    from ingest.desk import Desk
    from ingest.documents import Passage
    from ingest.settings import IngestSettings


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
    from ingest.remote import open_library

    where = Where(collection=collection, path_prefix=path_prefix)
    with open_library(settings) as library:
        library.require(collection)
        for identity, text in asked(query, queries):
            passages, timings = _search(library, text, limit, where)
            if as_json or queries:
                _print_passages_json(identity, passages, timings)
            else:
                _print_passages(passages)


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


def _search(library: "Desk", query: str, limit: int, where: Any) -> tuple[list["Passage"], dict[str, float]]:
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
