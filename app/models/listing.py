"""The table of `transom models list`."""

from dataclasses import dataclass
from pathlib import Path

from app.models.catalogue import CatalogueEntry, catalogue
from app.models.files import in_folder, metadata
from app.models.memory import Memory, measure
from app.models.resolve import entry_of, licence_of


@dataclass(frozen=True, slots=True)
class Row:
    """A model of the catalogue, or a GGUF in the models folder that the catalogue does not know."""

    name: str
    file: str
    """Its name in the models folder."""
    title: str
    size: int
    """Bytes."""
    size_exact: bool
    licence: str
    """Empty where it is not known."""
    window: int | None
    """Tokens it was trained for; None where it is not known."""
    here: bool
    fits: bool | None
    """Whether it suits this machine; None where that is not known."""


def rows(models_folder: Path, *, memory: Memory | None = None) -> list[Row]:
    """All models, the catalogue's first."""
    memory = memory or measure()
    here = in_folder(models_folder)
    names = {path.name for path in here}
    known = [_known(entry, entry.file_name in names, memory) for entry in catalogue()]
    return known + [_unknown(path) for path in here if entry_of(path) is None]


def _known(entry: CatalogueEntry, here: bool, memory: Memory) -> Row:
    return Row(
        name=entry.name,
        file=entry.file_name,
        title=entry.title,
        size=entry.source.size or 0,
        size_exact=entry.source.size_exact,
        licence=entry.licence,
        window=entry.window,
        here=here,
        fits=entry.fits(memory),
    )


def _unknown(path: Path) -> Row:
    said = metadata(path)
    window = said.get(f"{said.get('general.architecture')}.context_length")
    return Row(
        name=path.name,
        file=path.name,
        title=str(said.get("general.name", path.stem)),
        size=path.stat().st_size,
        size_exact=True,
        licence=licence_of(path),
        window=window if isinstance(window, int) else None,
        here=True,
        fits=None,
    )
