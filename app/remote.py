"""Who answers a question for the command line: this process, or the chat that is open."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from app.answers import Event
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

    def stream(self, question: str, where: Where) -> Iterator[Event]:
        """The answer to a single question, which belongs to no conversation."""


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

    def stream(self, question: str, where: Where) -> Iterator[Event]:
        """See :class:`Answering`. While another question is being answered, this one waits."""
        for row in self._line.request("ask", question=question, where=where_json(where)):
            if row["event"] != "waiting":
                yield answer_event_from_json(row)


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
