"""How models look in the terminal: the list, the progress of a download, and what is in a file."""

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
from app.models.inspection import Inspection
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


def print_inspection(found: Inspection) -> None:
    """What the file is, line by line, then what speaks against it or how it would run."""
    for label, value in _facts(found):
        click.echo(f"{label:15} {value or 'not said'}")
    click.echo()
    if found.fault:
        click.secho(f"Transom has no use for it: {found.fault}", fg="yellow")
    elif not found.plan:
        click.secho("Its header does not say enough for a memory plan.", fg="yellow")
    else:
        click.secho("It answers questions." if found.plan.fits else "It is too large for this machine.", bold=True)
        for sentence in found.plan.reasons:
            click.echo(sentence)
        if found.longest_window:
            click.echo(f"This machine has room for a window of {found.longest_window:,} tokens (window.tokens).")


def _facts(found: Inspection) -> list[tuple[str, str]]:
    sliding = f"{found.sliding_window or 0:,} tokens in {found.local_layers} of {found.layers} layers"
    return [
        ("Model", found.title),
        ("File", str(found.path)),
        ("Architecture", f"{found.architecture}, {found.parameters / 1e9:.1f} billion weights"),
        ("Quantization", f"{found.quantization or 'unnamed'}, {found.bits} bits a weight"),
        ("Size", f"{found.size / _GB:.1f} GB"),
        ("Licence", found.licence),
        ("Trained window", f"{found.trained_window:,} tokens" if found.trained_window else ""),
        ("Sliding window", sliding if found.sliding_window else "none"),
        ("Soft-cap", ", ".join(f"{value:g} ({name})" for name, value in found.soft_caps) or "none"),
        ("Chat template", found.turn_format or "none"),
    ]


def _line(row: Row) -> str:
    here = "here" if row.here else ""
    fits = "stand-in" if row.name == STARTER else {True: "fits", False: "too heavy", None: ""}[row.fits]
    size = f"{'' if row.size_exact else '~'}{row.size / _GB:.1f} GB"
    window = f"{row.window} tokens" if row.window else ""
    return f"{row.name:18} {row.title:42} {size:>8}  {window:>14}  {row.licence:12} {fits:9} {here}".rstrip()
