"""Several may use something at once, until somebody wants it alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class Gate:
    """Whoever uses something passes it. Usable from any thread."""

    def __init__(self) -> None:
        self._users = 0
        self._closed = 0
        self._moved = Condition()

    @property
    def closed(self) -> bool:
        """Whether somebody has it alone, or wants to: users should come out soon."""
        return self._closed > 0

    @contextmanager
    def use(self) -> Iterator[bool]:
        """Gives whether it may be used now; it may then for as long as the context lasts."""
        with self._moved:
            open_now = not self._closed
            self._users += open_now
        try:
            yield open_now
        finally:
            with self._moved:
                self._users -= open_now
                self._moved.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Lets nobody in any more, and begins when all are out."""
        with self._moved:
            self._closed += 1
            self._moved.wait_for(lambda: not self._users)
        try:
            yield
        finally:
            with self._moved:
                self._closed -= 1
