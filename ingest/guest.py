"""The library in a process that owns nothing: used as long as nobody owns the index, and left to whoever does."""

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Unpack, cast

from ingest.desk import Wishes
from ingest.events import Event, Finished
from ingest.library import DEFAULT_COLLECTION, Library
from ingest.owner import Owner
from ingest.remote import RemoteLibrary, owner_of

_LOOK = 0.5
"""Seconds between two looks whether an owner has come."""


class Guest(Library):
    """Opens the index for each ingest alone, and hands one that is going on over to an owner that comes meanwhile."""

    def ingest(
        self, paths: Sequence[Path], collection: str = DEFAULT_COLLECTION, **wishes: Unpack[Wishes]
    ) -> Iterator[Event]:
        """See :class:`~ingest.desk.Desk`. The owner goes on where this process stopped."""
        owner = self._owner()
        if owner is None:
            try:
                owner = yield from self._until_owned(super().ingest(paths, collection, **wishes))
            finally:
                self.close()  # the embedder stays; between two sweeps of a watched folder the index is free
        if owner:
            with RemoteLibrary(self.settings, owner) as remote:
                yield from remote.ingest(paths, collection, **wishes)

    def _until_owned(self, events: Iterator[Event]) -> Generator[Event, None, Owner | None]:
        looked = time.monotonic()
        with closing(cast(Generator[Event, None, None], events)):
            for event in events:
                yield event
                if time.monotonic() - looked < _LOOK or isinstance(event, Finished):
                    continue
                if owner := self._owner():
                    return owner
                looked = time.monotonic()
        return None

    def _owner(self) -> Owner | None:
        owner = owner_of(self.settings)
        if owner:
            owner.check(self.settings)
        return owner
