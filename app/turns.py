"""One at a time: the model answers one question, the index takes one ingest. Others stand in line, and say where."""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from threading import Condition

_PATIENCE = 1.0
"""Seconds after which somebody who waits hears that he still does."""


class Turns:
    """Whose turn it is: who came first. Usable from any thread."""

    def __init__(self) -> None:
        self._line: deque[object] = deque()
        """Whoever has the turn is the first."""
        self._moved = Condition()

    def wait(self) -> Generator[int]:
        """Ends when it is the caller's turn, which he ends with :meth:`end`.

        Until then it yields every second how many are before him. Closing it leaves the line.
        """
        ticket = object()
        with self._moved:
            self._line.append(ticket)
        try:
            while ahead := self._ahead(ticket):
                yield ahead
        except BaseException:
            with self._moved:
                self._line.remove(ticket)
                self._moved.notify_all()
            raise

    def end(self) -> None:
        """Lets the next one in."""
        with self._moved:
            self._line.popleft()
            self._moved.notify_all()

    def __len__(self) -> int:
        return len(self._line)

    @contextmanager
    def turn(self, on_wait: Callable[[int], None]) -> Iterator[None]:
        """A turn as a context; until it begins, `on_wait` is told every second how many are before the caller."""
        with closing(self.wait()) as waiting:
            for ahead in waiting:
                on_wait(ahead)
        try:
            yield
        finally:
            self.end()

    def _ahead(self, ticket: object) -> int:
        """How many are before this one, after a while; 0 as soon as there is nobody."""
        with self._moved:
            self._moved.wait_for(lambda: self._line[0] is ticket, _PATIENCE)
            return self._line.index(ticket)


def place_in_line(ahead: int) -> str:
    """Where a question stands, for the person who asked it."""
    if ahead == 1:
        return "another question is being answered; yours is next"
    return f"{ahead} questions are answered before yours"
