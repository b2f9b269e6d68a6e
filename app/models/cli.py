"""`transom models`: see, fetch, choose, look into and remove language models."""

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from app.settings import Settings


def _put_on(context: click.Context, _parameter: click.Parameter, named: tuple[str, ...]) -> None:
    """Settings in which these adapters stand in place of those that were set."""
    if not named:
        return
    from app.models.adapters import parse_adapter

    adapters = map(parse_adapter, named)  # absolute, because an open chat compares the settings
    lora = [f"{adapter.path}:{adapter.scale:g}" for adapter in adapters]
    settings: Settings = context.obj
    context.obj = settings.model_copy(update={"model": settings.model.model_copy(update={"lora": lora})})


LORA = click.option(
    "--lora",
    metavar="FILE[:SCALE]",
    multiple=True,
    callback=_put_on,
    expose_value=False,
    help="A LoRA adapter for the model, in GGUF; can be given more than once.",
)


@click.group()
def models() -> None:
    """See, fetch and choose language models."""


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
    from app.models.resolve import answers, licence_of

    pulled = pull_with_progress(name or settings.model.name, settings.models_folder)
    click.echo(f"Model: {pulled.path.name}", err=True)
    click.echo(f"Licence: {licence_of(pulled.path) or 'not said'}", err=True)
    _warn(pulled.notice)
    if not answers(pulled.path, settings.model.name, settings.models_folder):
        click.echo(f"It does not answer yet: `transom models use '{name or pulled.path.name}'`.", err=True)


@models.command()
@click.argument("name", metavar="NAME|FILE")
@click.pass_obj
def use(settings: "Settings", name: str) -> None:
    """Let a model answer from now on: it is written to transom.toml."""
    import os

    from app.models.choice import VARIABLE, choose, lasting_name
    from app.models.resolve import resolve

    resolved = resolve(name, settings.models_folder)
    file = choose(lasting_name(resolved, name, settings.models_folder), settings.home)
    click.echo(f"{resolved.path.name} answers from now on ({file}).", err=True)
    _warn(resolved.notice)
    if VARIABLE in os.environ:
        _warn(f"But the environment variable {VARIABLE} is set, and wins while it is.")


@models.command()
@click.argument("name", required=False, metavar="NAME|FILE")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs (docs/cli.md).")
@click.pass_obj
def inspect(settings: "Settings", name: str | None, as_json: bool) -> None:
    """What a GGUF file is, and how it would run here; without NAME the model that answers."""
    from app.models.display import print_inspection
    from app.models.inspection import inspect_model, inspection_json

    inspection = inspect_model(name, settings)
    if as_json:
        click.echo(json.dumps(inspection_json(inspection), ensure_ascii=False))
    else:
        print_inspection(inspection)


@models.command()
@click.argument("name", metavar="NAME|FILE")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--force", is_flag=True, help="Even the model that answers.")
@click.pass_obj
def remove(settings: "Settings", name: str, yes: bool, force: bool) -> None:
    """Delete a model's file from the models folder."""
    from app.errors import ModelError
    from app.models.removal import find_removal

    removal = find_removal(name, settings.model.name, settings.models_folder)
    room = f"{removal.size / 1e9:.1f} GB"
    if removal.in_use and not force:
        raise ModelError(f"{removal.name} is the model that answers.", "Choose another first, or add --force.")
    if not yes and not click.confirm(f"Remove {removal.name}? That frees {room}.", err=True):
        return
    removal.carry_out()
    click.echo(f"{removal.name} is removed: {room} freed.", err=True)


def _warn(text: str) -> None:
    if text:
        click.secho(text, fg="yellow", err=True)
