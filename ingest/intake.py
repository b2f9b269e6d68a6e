"""Reads files ahead, in worker processes, while earlier ones are embedded."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ingest.catalogue import Entry
from ingest.errors import ReadError
from ingest.preparing import Prepared, Preparer, Unread
from ingest.sandbox import Sandbox
from ingest.settings import ReadingSettings

_MOST_FILES = 512
_MOST_BYTES = 16 << 20
"""Files that are read ahead, and what they may weigh together, so that memory stays bounded."""
_PATIENCE = 0.25
"""Seconds after which the caller may do something else."""
_LONG = 5.0
"""Seconds after which a file counts as one that takes long."""


@dataclass(eq=False, slots=True)
class Reading:
    """A file on its way."""

    entry: Entry
    path: Path
    future: Future[Prepared]
    attempt: int = 1


class Intake:
    """The files that are being read. What is ready comes first, so that a slow file holds up no other."""

    def __init__(self, limits: ReadingSettings, make_preparer: Callable[[], Preparer]) -> None:
        """Makes the preparer when the first file comes: a run that finds nothing new loads no model."""
        self._limits = limits
        self._make_preparer = make_preparer
        self._sandbox: Sandbox[Unread, Prepared] | None = None
        self._readings: dict[Future[Prepared], Reading] = {}
        self._bytes = 0
        self._heard = time.monotonic()
        """When a file was ready last, or the first one began."""

    @property
    def busy(self) -> bool:
        """Whether a file is on its way."""
        return bool(self._readings)

    @property
    def full(self) -> bool:
        """Whether enough files are on their way."""
        return len(self._readings) >= _MOST_FILES or self._bytes >= _MOST_BYTES

    def begin(self, entry: Entry, path: Path, attempt: int = 1) -> None:
        """Begins to read a file."""
        if not self.busy:
            self._heard = time.monotonic()
        if self._sandbox is None:
            self._sandbox = Sandbox(self._limits, self._make_preparer())
        unread = Unread(path, entry.document_id, entry.collection, entry.uri, entry.sha256)
        future = self._sandbox.submit(unread)
        self._readings[future] = Reading(entry, path, future, attempt)
        self._bytes += entry.size

    def ready(self) -> Iterator[Reading]:
        """The files that have been read, or have failed; none if that takes longer than a moment."""
        done, _ = wait(self._readings, _PATIENCE, FIRST_COMPLETED)
        for future in [future for future in self._readings if future in done]:
            reading = self._readings.pop(future)
            self._bytes -= reading.entry.size
            self._heard = time.monotonic()
            yield reading

    def slowest(self) -> str:
        """The file that is waited for, if it takes long; in words, for a person."""
        seconds = time.monotonic() - self._heard
        running = next((reading for future, reading in self._readings.items() if future.running()), None)
        return f"{running.entry.uri} (waited for since {seconds:.0f} s)" if running and seconds > _LONG else ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._sandbox:
            self._sandbox.__exit__(*error)


def outcome(reading: Reading) -> Prepared | ReadError:
    """What became of a file that is ready."""
    error = reading.future.exception()
    if error is None:
        return reading.future.result()
    if isinstance(error, ReadError):
        return error
    raise error
