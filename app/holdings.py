"""What the library holds, as its page lists it, and how a part of it is read again."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from ingest.catalogue import Catalogue, Entry
from ingest.desk import Ingesting
from ingest.errors import UsageError
from ingest.events import Event, Removed
from ingest.sources import Source

STATES = {"all": "All", "indexed": "Ready", "indexing": "Being read", "failed": "Not read"}
"""What can be listed, and what a person calls it."""


class Shelf(Ingesting, Protocol):
    """What of a library is needed here."""

    @property
    def catalogue(self) -> Catalogue:
        """What was ingested, and how it went."""

    def forget(self, document_ids: Sequence[str]) -> Iterator[Removed]:
        """Removes documents by their ids."""

    def remove_collection(self, collection: str) -> None:
        """Removes every document of a collection, and what is known of its folders."""


def listed(entries: Sequence[Entry], words: str = "", state: str = "all") -> list[Entry]:
    """The documents whose name or title holds all of these words, in that state."""
    wanted = words.casefold().split()

    def is_meant(entry: Entry) -> bool:
        name = f"{entry.uri} {entry.title}".casefold()
        return state in ("all", entry.state) and all(word in name for word in wanted)

    return list(filter(is_meant, entries))


def table(entries: Sequence[Entry]) -> dict[str, list[Any]]:
    """The columns of the list of documents."""
    return {
        "Document": [entry.uri for entry in entries],
        "State": [STATES[entry.state] for entry in entries],
        "Pages": [entry.pages or None for entry in entries],
        "Chunks": [entry.chunks for entry in entries],
        "Size": [round(entry.size / 1000, 1) for entry in entries],
        "Remark": [remark(entry) for entry in entries],
    }


def remark(entry: Entry) -> str:
    """Why a document could not be read, or what it hides; empty for most."""
    return " ".join(filter(None, (entry.reason, entry.hint, entry.warning)))


def read_again(library: Shelf, entries: Sequence[Entry], ocr: bool = False) -> Iterator[Event]:
    """Forgets documents of one collection and reads their files anew.

    Raises :class:`UsageError`, and forgets nothing, where a file is not there.
    """
    places = [Path(entry.root) / entry.uri for entry in entries]
    for place in places:
        if not place.is_file():
            raise UsageError(
                f"There is no file {place}.", "Check that its disk is there; what was read of it before is kept."
            )
    yield from library.forget([entry.document_id for entry in entries])
    yield from library.ingest(places, entries[0].collection, retry=True, ocr=ocr)


def existing(typed: str) -> Path:
    """What a typed path names, absolute; raises :class:`UsageError` where there is nothing."""
    plain = typed.strip().strip("'\"")
    if not plain:
        raise UsageError("No path was typed.", "Type the path of a folder or a file of the machine Transom runs on.")
    return Source.of(Path(plain), ()).below


def removal(library: Shelf, collection: str) -> Iterator[Event]:
    """Removes a whole collection, as a run that tells nothing."""
    library.remove_collection(collection)
    yield from ()
