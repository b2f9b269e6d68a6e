"""States of passages go with their document: when it is forgotten, and when it has become another.

Beside the states of a document stands which version of its file they were made of, so that this needs no model.
"""

import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from app.llm.passages import LABELS
from ingest.catalogue import Catalogue, Entry, catalogue_path
from ingest.errors import TransomError
from ingest.settings import IngestSettings

_VERSION = "version"
_WRITING = 60
"""Seconds that no file takes to be written."""


def note_version(place: Path, entry: Entry) -> None:
    """Writes down which version of a document the states in its folder are made of.

    Where that cannot be written, they will be taken for those of another one.
    """
    if not _is_of(place, entry):
        with suppress(OSError):
            place.mkdir(parents=True, exist_ok=True)
            (place / _VERSION).write_text(entry.sha256)


def outdated(home: Path, catalogue: Catalogue) -> Iterator[tuple[Path, Entry | None]]:
    """Folders of states that belong to no document (None), or to another version of it."""
    for place in home.glob("passages/*/*/"):
        if place.name == LABELS:
            continue
        entry = catalogue.get(place.name)
        if entry is None or not entry.chunks:
            yield place, None
        elif not _is_of(place, entry):
            yield place, entry


def remove_unfinished(home: Path) -> None:
    """Removes files that a process was writing when it was killed."""
    for file in home.glob("passages/*/*/new-*"):
        with suppress(OSError):
            if time.time() - file.stat().st_mtime > _WRITING:
                file.unlink()


def remove_outdated(home: Path, catalogue: Catalogue, changed: bool) -> None:
    """Removes the states of documents that are gone, and with `changed` those of documents that have become others.

    A reader does better with the latter: what such a document still says need not be read again.
    """
    for place, entry in outdated(home, catalogue):
        if changed or entry is None:
            shutil.rmtree(place, ignore_errors=True)


def tidy_up(settings: IngestSettings) -> None:
    """Removes what documents have left behind, unless an owner does that."""
    from ingest.remote import owner_of

    with suppress(TransomError):  # whatever is wrong with the catalogue, the command itself has told it
        if (settings.home / "passages").is_dir() and not owner_of(settings):
            with Catalogue(catalogue_path(settings)) as catalogue:
                remove_outdated(settings.home, catalogue, changed=True)


def _is_of(place: Path, entry: Entry) -> bool:
    with suppress(OSError):
        return (place / _VERSION).read_text() == entry.sha256
    return False
