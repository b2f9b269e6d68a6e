"""The download of a model in the background: one at a time, seen and stopped from anywhere."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, Thread

from app.errors import ModelError, unforeseen
from app.models.resolve import pull
from ingest.errors import TransomError


class _StoppedError(ModelError):
    """Somebody stopped a download."""


@dataclass(slots=True)
class Fetch:
    """A download that is going on, or the last one that ended."""

    name: str
    title: str = ""
    done: int = 0
    """Bytes that are here."""
    total: int = 0
    """Bytes there will be; 0 until that is known."""
    stopping: bool = False
    complete: bool = False
    error: TransomError | None = None
    """What ended it before; None where it was stopped."""
    _began: float = field(default_factory=time.monotonic)
    _found: int | None = None
    """Bytes that were here when it began."""

    def take(self, title: str, done: int, total: int) -> None:
        """Notes how far it is; ends it if somebody wants that."""
        self.title, self.done, self.total = title, done, total
        if self._found is None:
            self._found, self._began = done, time.monotonic()
        if self.stopping:
            raise _StoppedError("The download was stopped.", "What has arrived is kept.")

    @property
    def seconds_left(self) -> float | None:
        """None as long as nobody can know."""
        arrived, took = self.done - (self._found or 0), time.monotonic() - self._began
        return (self.total - self.done) * took / arrived if arrived > 0 else None


class Fetching:
    """The downloads of this process. Usable from any thread."""

    def __init__(self, models_folder: Path) -> None:
        self._folder = models_folder
        self._lock = Lock()
        self.running: Fetch | None = None
        self.last: Fetch | None = None
        self.ended = 0
        """How many have come to an end."""

    def start(self, name: str, then: Callable[[], object]) -> None:
        """Fetches a model, and does `then` when it is here; nothing, while another one is being fetched."""
        with self._lock:
            if self.running is None:
                self.running = Fetch(name)
                Thread(target=self._work, args=(self.running, then), name="fetching", daemon=True).start()

    def stop(self) -> None:
        """Stops the download; what has arrived is kept, and the next one goes on from there."""
        if fetch := self.running:
            fetch.stopping = True

    def _work(self, fetch: Fetch, then: Callable[[], object]) -> None:
        try:
            with suppress(_StoppedError):
                pull(fetch.name, self._folder, fetch.take)
                fetch.complete = True
                then()
        except TransomError as error:
            fetch.error = error
        except Exception as error:
            fetch.error = unforeseen(error)
        finally:
            self.running, self.last = None, fetch
            self.ended += 1
