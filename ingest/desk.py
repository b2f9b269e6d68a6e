"""What a library does for others, whoever does it: this process or the owner of the index."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol, Self, TypedDict, Unpack

from ingest.catalogue import Catalogue, Coverage
from ingest.documents import Passage
from ingest.events import Event, Removed
from ingest.index import Where


class Wishes(TypedDict, total=False):
    """How an ingest differs from the usual one: see :meth:`~ingest.library.Library.ingest`."""

    retry: bool
    ocr: bool
    missing_ok: bool


class Ingesting(Protocol):
    """Whoever does an ingest."""

    def ingest(self, paths: Sequence[Path], collection: str, **wishes: Unpack[Wishes]) -> Iterator[Event]:
        """Brings a collection up to date with files and folders; closing the iterator stops the run."""


class Desk(Ingesting, Protocol):
    """What a library does for the command line."""

    @property
    def catalogue(self) -> Catalogue:
        """What was ingested, and how it went."""

    def search(self, query: str, limit: int, where: Where) -> list[Passage]:
        """The best passages for a query."""

    def require(self, collection: str) -> None:
        """Raises :class:`~ingest.errors.UsageError` where a collection holds nothing that could be asked about."""

    def remove(self, paths: Sequence[Path], collection: str) -> Iterator[Removed]:
        """Forgets documents; the files themselves are not touched."""

    def remove_collection(self, collection: str) -> None:
        """Forgets a whole collection."""

    def coverage(self, collection: str) -> Coverage | None:
        """How much of the collection's folders was read; None where nothing was counted."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...
