"""Who answers a question for the command line: this process, or the chat that is open."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Protocol

from app.ahead.progress import PROGRESS_JSON, Progress
from app.answers import AS_SET, Event, Reading, Wish
from app.settings import Settings
from app.wire import answer_event_from_json
from ingest.index import Where
from ingest.remote import Line, owner_of
from ingest.wire import where_json

_SECTIONS = ("embedding", "chunking", "model", "window", "answering")


class Answering(Protocol):
    """Somebody who answers single questions."""

    @property
    def notice(self) -> str:
        """What a person should know about the model; empty if nothing."""

    def require(self, collection: str) -> None:
        """Raises :class:`~ingest.errors.UsageError` where a collection holds nothing that could be asked about."""

    def stream(self, question: str, where: Where, wish: Wish = AS_SET, named: str = "") -> Iterator[Event]:
        """The answer to a single question, or to one in the conversation that is kept under a name."""

    def pin(self, document_ids: Sequence[str], collection: str) -> Iterator[Reading]:
        """Pins these documents of a collection and no others, and reads them."""

    def read_ahead(self, collection: str, limit: int | None = None) -> Iterator[Progress]:
        """Reads a collection ahead, within `limit` bytes; closing the iterator stops it, and what is read stays."""


class RemoteAssistant:
    """An assistant whose owner does the work."""

    def __init__(self, line: Line) -> None:
        self._line = line

    @property
    def notice(self) -> str:
        """See :class:`Answering`."""
        (row,) = self._line.request("model")
        return str(row["notice"])

    def require(self, collection: str) -> None:
        """See :class:`Answering`."""
        for _ in self._line.request("require", collection=collection):
            pass

    def stream(self, question: str, where: Where, wish: Wish = AS_SET, named: str = "") -> Iterator[Event]:
        """See :class:`Answering`. While others are answered first, it tells where this one stands."""
        asked = {"question": question, "where": where_json(where), "wish": asdict(wish), "named": named}
        for row in self._line.request("ask", **asked):
            yield answer_event_from_json(row)

    def pin(self, document_ids: Sequence[str], collection: str) -> Iterator[Reading]:
        """See :class:`Answering`."""
        for row in self._line.request("pin", documents=list(document_ids), collection=collection):
            if isinstance(event := answer_event_from_json(row), Reading):
                yield event

    def read_ahead(self, collection: str, limit: int | None = None) -> Iterator[Progress]:
        """See :class:`Answering`. While questions are answered, it waits."""
        for row in self._line.request("read-ahead", collection=collection, limit=limit):
            yield PROGRESS_JSON.validate_python(row)


@contextmanager
def open_assistant(settings: Settings) -> Iterator[Answering]:
    """The assistant of these settings: that of the owner of the index, if it has one, else one opened here.

    Raises :class:`~ingest.errors.SettingsError` where the owner answers with other settings.
    """
    if owner := owner_of(settings):
        owner.check(settings, _SECTIONS)
        with Line(owner) as line:
            yield RemoteAssistant(line)
        return
    from app.assistant import Assistant
    from ingest.library import Library

    with Library(settings) as library, Assistant.open(settings, library) as assistant:
        yield assistant
