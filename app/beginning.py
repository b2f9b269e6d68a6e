"""From nothing to the first answer: which model is offered, and which documents there are to try."""

from dataclasses import dataclass
from pathlib import Path

from app.models.catalogue import STARTER, CatalogueEntry, by_name, catalogue, suitable
from app.models.memory import Memory, measure
from app.settings import Settings
from app.settings_file import write_settings


@dataclass(frozen=True, slots=True)
class Offer:
    """A model that can be fetched with one click."""

    name: str
    title: str
    gigabytes: float
    fits: bool
    """Whether it suits this machine."""


def best_offer(memory: Memory | None = None) -> Offer:
    """The Gemma 4 that suits this machine best."""
    memory = memory or measure()
    entry = suitable(catalogue(), memory)
    return _offer(entry, entry.fits(memory))


def starter_offer() -> Offer:
    """The small stand-in, which comes without the model hub."""
    entry = by_name(STARTER)
    assert entry is not None  # the catalogue's test says so
    return _offer(entry, True)


def let_answer(name: str, settings: Settings) -> None:
    """Chooses a model; one that another choice in the settings file would keep from answering, too."""
    if settings.model.name != name:
        write_settings(settings.home, {"model": {"name": name}})


def examples_folder() -> Path | None:
    """The documents that come with Transom's sources, where it runs from these."""
    folder = Path(__file__).parents[1] / "examples" / "documents"
    return folder if folder.is_dir() else None


def _offer(entry: CatalogueEntry, fits: bool) -> Offer:
    return Offer(entry.name, entry.title, (entry.source.size or 0) / 1e9, fits)
