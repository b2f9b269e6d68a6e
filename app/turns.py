"""One at a time: the model answers one question, the index takes one ingest. Others wait, and can say so."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

_PATIENCE = 1.0
"""Seconds after which somebody who waits hears that he still does."""


class Turns:
    """Whose turn it is. Usable from any thread."""

    def __init__(self) -> None:
        self._taken = Lock()

    def wait(self) -> Iterator[None]:
        """Ends when it is the caller's turn, which he ends with :meth:`end`; yields every second until then."""
        while not self._taken.acquire(timeout=_PATIENCE):
            yield

    def end(self) -> None:
        """Lets the next one in."""
        self._taken.release()

    @contextmanager
    def turn(self, on_wait: Callable[[], None]) -> Iterator[None]:
        """A turn as a context; `on_wait` is called every second until it begins."""
        for _ in self.wait():
            on_wait()
        try:
            yield
        finally:
            self.end()
