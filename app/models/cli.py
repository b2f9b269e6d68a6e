"""`transom models`: see, fetch and choose language models."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from app.settings import Settings


@click.group()
def models() -> None:
    """See and fetch language models."""


@models.command("list")
@click.pass_obj
def list_models(settings: "Settings") -> None:
    """Which models there are, which are here, and which suit this machine."""
    from app.models.display import print_models

    print_models(settings.models_folder)


@models.command()
@click.argument("name", required=False)
@click.pass_obj
def pull(settings: "Settings", name: str | None) -> None:
    """Fetch a model: NAME, or the one that suits this machine unless a usable one is here."""
    from app.models.display import pull_with_progress

    resolved = pull_with_progress(name or settings.model.name, settings.models_folder)
    click.echo(f"Model: {resolved.path.name}", err=True)
    if resolved.notice:
        click.secho(resolved.notice, fg="yellow", err=True)
