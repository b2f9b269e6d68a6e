"""`transom doctor`: what this machine has for Transom, and what to do about what it lacks."""

import json
import os
import platform
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ingest.errors import TransomError

if TYPE_CHECKING:
    from app.settings import Settings

_LEAST_FREE = 5e9
"""Bytes on the disk: a model and an index want that much."""
_REBUILD = "pip install --force-reinstall --no-cache-dir --no-binary llama-cpp-python llama-cpp-python"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    said: str
    advice: str = ""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs (docs/cli.md).")
@click.pass_obj
def doctor(settings: "Settings", as_json: bool) -> None:
    """What this machine has for Transom, and what to do about what it lacks."""
    for check in examine(settings):
        if as_json:
            click.echo(json.dumps(asdict(check), ensure_ascii=False))
            continue
        click.secho("ok  " if check.ok else "warn", fg="green" if check.ok else "yellow", nl=False)
        click.echo(f"  {check.name:9} {check.said}")
        if check.advice:
            click.echo(f"{'':16}{check.advice}")


def examine(settings: "Settings") -> Iterator[Check]:
    """Everything that is looked at, one after the other; loading the embedder takes seconds."""
    looks: dict[str, Callable[[Settings], Check]] = {
        "processor": _processor,
        "memory": _memory,
        "graphics": _graphics,
        "home": _home,
        "disk": _disk,
        "model": _model,
        "plan": _plan,
        "embedder": _embedder,
        "documents": _documents,
    }
    for name, look in looks.items():
        try:
            yield look(settings)
        except TransomError as error:
            yield Check(name, False, error.message, error.hint)


def _processor(_: "Settings") -> Check:
    import psutil

    features = re.findall(r"(\w+) = 1", _llama_cpp())
    said = f"{psutil.cpu_count(logical=False) or psutil.cpu_count()} cores; llama.cpp uses {', '.join(features)}"
    slow = platform.machine().lower() in {"x86_64", "amd64"} and "AVX2" not in features
    return Check("processor", not slow, said, f"Without AVX2 it is slow. Build it here: {_REBUILD}" if slow else "")


def _memory(_: "Settings") -> Check:
    import psutil

    memory = psutil.virtual_memory()
    return Check("memory", True, f"{_gb(memory.total)}, of which {_gb(memory.available)} are free")


def _graphics(_: "Settings") -> Check:
    from app.models.memory import measure, nvidia_cards

    backends = [name for name in re.findall(r"(\w+) : ", _llama_cpp()) if name != "CPU"]
    if backends or measure().vram:
        return Check("graphics", True, f"llama.cpp computes on {', '.join(backends) or 'the graphics card'}")
    if cards := nvidia_cards():
        advice = f'Build it for the card: CMAKE_ARGS="-DGGML_CUDA=on" {_REBUILD}'
        return Check("graphics", False, f"An NVIDIA card ({_gb(cards)}) that llama.cpp was not built for", advice)
    return Check("graphics", True, "llama.cpp was built for the processor only, and no NVIDIA card was found")


def _home(settings: "Settings") -> Check:
    place = _nearest(settings.home)
    if not (place.is_dir() and os.access(place, os.W_OK)):
        return Check("home", False, f"{settings.home} cannot be written", "Set another TRANSOM_HOME.")
    return Check("home", True, f"{settings.home}{'' if settings.home.exists() else ' (not made yet)'}")


def _disk(settings: "Settings") -> Check:
    free = shutil.disk_usage(_nearest(settings.home)).free
    enough = free >= _LEAST_FREE
    return Check("disk", enough, f"{_gb(free)} are free", "" if enough else "Make room, or set another TRANSOM_HOME.")


def _model(settings: "Settings") -> Check:
    from app.models.adapters import adapters_for
    from app.models.resolve import resolve

    found = resolve(settings.model.name, settings.models_folder)
    said = [found.path.name, *map(str, adapters_for(found.path, settings.model.lora))]
    return Check("model", not found.notice, " with ".join(said), found.notice)


def _plan(settings: "Settings") -> Check:
    import psutil

    from app.models.inspection import inspect_model

    found = inspect_model(None, settings)
    if found.plan is None:
        return Check("plan", False, found.fault or "The header of the model does not say enough for a memory plan.")
    said = " ".join(found.plan.reasons)
    free = psutil.virtual_memory().available
    if found.plan.fits and found.plan.total - found.plan.on_card > free:
        return Check("plan", False, said, f"Only {_gb(free)} of memory are free at present: close other programs.")
    return Check("plan", found.plan.fits, said, "" if found.plan.fits else "`transom models list` says what suits.")


def _embedder(settings: "Settings") -> Check:
    from ingest.embedder import Embedder

    embedder = Embedder(settings.embedding)
    said = f"{embedder.name}, {embedder.dimension} dimensions, reads {embedder.max_tokens} tokens at once"
    return Check("embedder", True, said)


def _documents(settings: "Settings") -> Check:
    from ingest.catalogue import Catalogue, catalogue_path

    path = catalogue_path(settings)
    collections: dict[str, int] = {}
    if path.exists():
        with Catalogue(path) as catalogue:
            collections = catalogue.collections()
    if not sum(collections.values()):
        return Check("documents", False, "None are ingested yet", "`transom ingest PATH...`")
    return Check("documents", True, ", ".join(f"{count} in {name}" for name, count in collections.items()))


def _llama_cpp() -> str:
    """What llama.cpp says it was built with. Raises :class:`ModelError` where it cannot be loaded."""
    from app.models.memory import load_llama_cpp

    llama_cpp = load_llama_cpp()
    llama_cpp.llama_backend_init()
    return str(llama_cpp.llama_print_system_info().decode())


def _nearest(folder: Path) -> Path:
    """The folder, or the closest above it that is there."""
    return next(place for place in (folder, *folder.parents) if place.exists())


def _gb(size: float) -> str:
    return f"{size / 1e9:.1f} GB"
