"""Reads a collection ahead: passage by passage, the newest and most used documents first, within a limit."""

import shutil
from collections.abc import Iterator
from itertools import islice
from statistics import mean

from app.ahead.progress import Estimate, ReadSoFar
from app.ahead.tidying import note_version, outdated, remove_unfinished
from app.ahead.trial import try_out
from app.ahead.uses import uses
from app.answers import ReadAhead
from app.errors import ModelError
from app.llm.dialogue import Dialogue
from app.llm.engine import Engine
from app.llm.passages import Trial
from app.settings import Settings
from app.wording import body
from ingest.catalogue import Entry
from ingest.library import Library

_LOOKED_AT = 32
"""Passages whose tokens are counted for an estimate."""
_TOKENS_PER_EMBEDDED = 1.5
"""Tokens of a language model for one of the embedder's, which passages are cut by; with what stands around them."""


class Reader:
    """Makes the states of passages. It works with one engine, beside questions: these only wait for one batch."""

    def __init__(self, library: Library, engine: Engine, settings: Settings) -> None:
        self._library = library
        self._engine = engine
        self._settings = settings
        self._bytes_per_token = engine.states.keeping.bytes_per_token if engine.states else 0.0
        self._dialogue = Dialogue(engine.runtime)

    @property
    def wanted(self) -> ReadAhead:
        """What the settings say."""
        return self._settings.answering.read_ahead

    @property
    def able(self) -> bool:
        """Whether anything can be read ahead, and the settings allow it."""
        return self.wanted != "off" and self._engine.states is not None

    @property
    def pays(self) -> bool:
        """Whether passages are worth reading ahead: those of a question could not be read within the patience."""
        answering, speed = self._settings.answering, self._engine.speed.prefill
        tokens = answering.passages * self._settings.chunking.tokens * _TOKENS_PER_EMBEDDED
        return self.wanted == "on" or speed is None or speed * answering.patience < tokens

    @property
    def room(self) -> int:
        """Bytes that the states of all collections may take."""
        return self._limit(None)

    @property
    def trial(self) -> Trial | None:
        """How the model's trial went; None before it."""
        return self._engine.states.trial if self._engine.states else None

    def require(self) -> None:
        """Raises :class:`ModelError` where nothing can be read ahead, and says why."""
        if self.wanted == "off":
            raise ModelError("Reading ahead is switched off.", "Set answering.read_ahead to auto or on.")
        if self._engine.states is None:
            raise ModelError(
                "What is read ahead could not be joined to this model's window.",
                "Its KV cache has to keep the whole window: set model.swa_full to true, and model.kv_type to f16.",
            )

    def trusted(self) -> bool | None:
        """Whether what is read will be used, as far as the model's trial says; None before it."""
        trial = self.trial
        return True if self.wanted == "on" else trial.passed if trial else None

    def try_out(self) -> Iterator[None]:
        """Makes the model's trial if there was none; yields between its parts."""
        if self._engine.states and self.trusted() is None:
            yield from try_out(self._engine)

    def estimate(self, collection: str, limit: int | None = None) -> Estimate:
        """What :meth:`read` would take, as far as a look at a few passages tells."""
        passages = (passage for entry in self._documents(collection) for passage in self._passages(entry, _LOOKED_AT))
        each = mean(map(len, islice(passages, _LOOKED_AT))) if self._total(collection) else 0.0
        total, read = self._total(collection), self.read_before(collection)
        room = max(0, self._limit(limit) // max(1, int(each * self._bytes_per_token)) - read)
        left = min(total - read, room)
        speed = self._engine.speed.prefill
        return Estimate(
            left, left * each / speed if speed else None, int(left * each * self._bytes_per_token), read, total
        )

    def read_before(self, collection: str) -> int:
        """How many passages of a collection are read."""
        states = self._engine.states
        return sum(states.count(entry.document_id) for entry in self._entries(collection)) if states else 0

    def read(self, collection: str, limit: int | None = None) -> Iterator[ReadSoFar]:
        """Reads what is not read yet; yields after every batch. Closing the iterator stops it, and what is read stays.

        `limit`: bytes for this collection; by default as much as the settings allow for all together.
        Raises :class:`ModelError` where nothing can be read ahead, and :class:`~ingest.errors.TransomError` where it
        cannot be saved.
        """
        self.require()
        self.tidy()
        states = self._engine.states
        assert states is not None
        read, held, total, most = self.read_before(collection), 0, self._total(collection), self._limit(limit)
        for entry in self._documents(collection):
            passages = self._passages(entry)
            states.keep(entry.document_id, passages)
            for passage in passages:
                if states.holds(passage):
                    states.touch(passage)
                elif held + len(passage) * self._bytes_per_token > most:
                    yield ReadSoFar(self.read_before(collection), total, held, full=True)
                    return
                else:
                    note_version(states.place(entry.document_id), entry)
                    for _ in self._engine.read_ahead(entry.document_id, passage):
                        yield ReadSoFar(read, total, held)
                    read += 1
                held += states.size(passage)
            yield ReadSoFar(read, total, held)
        yield ReadSoFar(self.read_before(collection), total, held)

    def collections(self) -> list[str]:
        """All there are: those whose documents were used most come first."""
        used = uses(self._settings.home)
        times: dict[str, int] = {}
        for entry in self._entries(None):
            times[entry.collection] = times.get(entry.collection, 0) + used.get(entry.document_id, 0)
        return sorted(times, key=lambda collection: (-times[collection], collection))

    def tidy(self) -> None:
        """Removes the states of documents that are gone, and of passages that documents no longer have."""
        states = self._engine.states
        remove_unfinished(self._settings.home)
        for place, entry in list(outdated(self._settings.home, self._library.catalogue)):
            if states and entry and place == states.place(entry.document_id):
                states.keep(entry.document_id, self._passages(entry))
                note_version(place, entry)
            else:
                shutil.rmtree(place, ignore_errors=True)

    def _limit(self, limit: int | None) -> int:
        most = self._engine.states.limit if self._engine.states else 0
        return most if limit is None else min(limit, most)

    def _total(self, collection: str) -> int:
        return sum(entry.chunks for entry in self._entries(collection))

    def _entries(self, collection: str | None) -> list[Entry]:
        return [entry for entry in self._library.catalogue.entries(collection) if entry.chunks]

    def _documents(self, collection: str) -> list[Entry]:
        """The most used first, of these the newest."""
        used = uses(self._settings.home)
        entries = self._entries(collection)
        return sorted(entries, key=lambda entry: (-used.get(entry.document_id, 0), -entry.mtime_ns))

    def _passages(self, entry: Entry, most: int | None = None) -> list[list[int]]:
        """The tokens of each passage of a document, or of its first ones.

        Those that are too long to be read beside the window are left out.
        """
        chunks = self._library.chunks(entry.document_id, range(entry.chunks)[:most])
        passages = [body(chunk, self._dialogue) for chunk in chunks]
        return [each for each in passages if self._engine.fits_beside(each)]
