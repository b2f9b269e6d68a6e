"""How models look in the terminal: the list, and the progress of a download."""

from pathlib import Path

import click
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from app.models.catalogue import STARTER
from app.models.files import faults_in
from app.models.listing import Row, rows
from app.models.resolve import ResolvedModel, pull
from ingest.display import stderr_console

_GB = 1e9


def print_models(models_folder: Path) -> None:
    """One line for each model, and on stderr what is wrong with damaged files."""
    for row in rows(models_folder):
        click.echo(_line(row))
    for fault in faults_in(models_folder):
        click.secho(fault, fg="yellow", err=True)
    click.echo(f"\nFolder: {models_folder}", err=True)


def pull_with_progress(name: str, models_folder: Path) -> ResolvedModel:
    """Fetches a model while a bar shows how far it is."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=stderr_console(), transient=True) as bar:
        task = bar.add_task("Looking", total=None)

        def show(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        return pull(name or None, models_folder, show)


def _line(row: Row) -> str:
    here = "here" if row.here else ""
    fits = "stand-in" if row.name == STARTER else {True: "fits", False: "too heavy", None: ""}[row.fits]
    size = f"{'' if row.size_exact else '~'}{row.size / _GB:.1f} GB"
    window = f"{row.window} tokens" if row.window else ""
    return f"{row.name:18} {row.title:42} {size:>8}  {window:>14}  {row.licence:12} {fits:9} {here}".rstrip()
