"""The library as others see it while a chat owns it: the same methods, done by the owner over its loopback API."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self, Unpack

import httpx

from ingest.catalogue import Catalogue, Coverage, catalogue_path
from ingest.desk import Desk, Wishes
from ingest.documents import Passage
from ingest.errors import IndexUnavailableError
from ingest.events import Event, Removed
from ingest.index import Where
from ingest.owner import Owner, find_owner
from ingest.settings import IngestSettings
from ingest.sources import meant_ids
from ingest.wire import error_from_json, event_from_json, passages_from_json, where_json

_AGAIN = "What was done is kept: run the same command again, and it goes on from there."


def open_library(settings: IngestSettings) -> Desk:
    """The library of these settings: handed over to a live owner, else opened here until there is one.

    Raises :class:`~ingest.errors.SettingsError` where the owner works with other settings.
    """
    if owner := owner_of(settings):
        owner.check(settings)
        return RemoteLibrary(settings, owner)
    from ingest.guest import Guest

    return Guest(settings)


def owner_of(settings: IngestSettings) -> Owner | None:
    """Who owns the index that these settings name, if anybody does."""
    owner = find_owner(settings.home)
    same = owner and owner.settings["storage"] == settings.storage.model_dump(mode="json")
    return owner if same else None


class Line:
    """Requests to an owner. Each answer is a stream of JSON objects, of which one may be an error."""

    def __init__(self, owner: Owner) -> None:
        self._http = httpx.Client(
            base_url=f"{owner.address}/api/",
            headers={"Authorization": f"Bearer {owner.token}", "Accept-Encoding": "identity"},
            timeout=httpx.Timeout(10, read=None),  # the owner may think for as long as it has to
            trust_env=False,  # no proxy stands between this machine and itself
        )

    def request(self, work: str, **wanted: Any) -> Iterator[Mapping[str, Any]]:
        """What the owner answers, as it comes; closing the iterator stops the work.

        Raises the very error that the owner met, and :class:`IndexUnavailableError` where the owner ends.
        """
        body = json.dumps(wanted)  # ASCII, so that file names in any encoding pass
        try:
            with self._http.stream("POST", work, content=body) as answer:
                answer.raise_for_status()
                for line in answer.iter_lines():
                    row = json.loads(line)
                    if "error" in row:
                        raise error_from_json(row["error"])
                    yield row
        except httpx.HTTPStatusError as error:
            raise IndexUnavailableError(f"The chat refused this work: {answer.status_code}", _AGAIN) from error
        except httpx.TransportError as error:
            raise IndexUnavailableError("The chat that did this work has ended before it was done.", _AGAIN) from error

    def close(self) -> None:
        """Hangs up."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class RemoteLibrary:
    """A library whose owner does the work; only the catalogue is read here."""

    def __init__(self, settings: IngestSettings, owner: Owner) -> None:
        self.settings = settings
        self._line = Line(owner)

    @cached_property
    def catalogue(self) -> Catalogue:
        """What was ingested, and how it went."""
        return Catalogue(catalogue_path(self.settings))

    def ingest(self, paths: Sequence[Path], collection: str, **wishes: Unpack[Wishes]) -> Iterator[Event]:
        """See :class:`~ingest.desk.Desk`. While another ingest runs, this one waits and says so."""
        rows = self._line.request("ingest", paths=_absolute(paths), collection=collection, wishes=wishes)
        yield from map(event_from_json, rows)

    def search(self, query: str, limit: int, where: Where) -> list[Passage]:
        """See :class:`~ingest.desk.Desk`."""
        (row,) = self._line.request("search", query=query, limit=limit, where=where_json(where))
        return passages_from_json(row["passages"])

    def require(self, collection: str) -> None:
        """See :class:`~ingest.desk.Desk`."""
        for _ in self._line.request("require", collection=collection):
            pass

    def remove(self, paths: Sequence[Path], collection: str) -> Iterator[Removed]:
        """See :class:`~ingest.desk.Desk`."""
        for row in self._line.request("remove", documents=meant_ids(self.catalogue, collection, paths)):
            event = event_from_json(row)
            if isinstance(event, Removed):
                yield event

    def remove_collection(self, collection: str) -> None:
        """See :class:`~ingest.desk.Desk`."""
        for _ in self._line.request("remove-collection", collection=collection):
            pass

    def coverage(self, collection: str) -> Coverage | None:
        """See :class:`~ingest.desk.Desk`."""
        return self.catalogue.coverage(collection)

    def close(self) -> None:
        """Releases what was opened; the owner keeps its own."""
        self._line.close()
        if "catalogue" in self.__dict__:
            self.__dict__.pop("catalogue").close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _absolute(paths: Sequence[Path]) -> list[str]:
    """The owner has another working directory."""
    return [str(path.expanduser().absolute()) for path in paths]
