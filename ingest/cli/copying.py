"""`transom index`: what concerns the index as a whole."""

from typing import TYPE_CHECKING

import click

from ingest.cli.options import ANY_COLLECTION

if TYPE_CHECKING:
    from ingest.settings import IngestSettings


@click.group()
def index() -> None:
    """Look after the index."""


@index.command("copy")
@click.option("--from", "source", required=True, type=click.Choice(["embedded", "server"]))
@ANY_COLLECTION
@click.pass_obj
def copy(settings: "IngestSettings", source: str, collection: str | None) -> None:
    """Copy chunks, vectors and catalogue from another home into the one the settings name."""
    from ingest.library import copy_library

    for count in copy_library(settings, source, collection):
        click.echo(f"\r{count} chunks", nl=False, err=True)
    click.echo("\nCopied.", err=True)
