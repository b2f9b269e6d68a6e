"""The one assistant of this process, which every browser shares."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Lock, Thread

from app.assistant import Assistant

_PATIENCE = 1.0
"""Seconds after which a waiting person is told why."""


class Shared:
    """Opens the assistant in the background, gives it to every session, lets one question in at a time."""

    def __init__(self, open_assistant: Callable[[], Assistant]) -> None:
        self._open = open_assistant
        self._asking = Lock()
        self._begin()

    def assistant(self) -> Assistant:
        """The assistant, as soon as it is open; raises what stood in the way of opening it."""
        return self._opening.result()

    def open_again(self) -> None:
        """Tries once more, if opening failed."""
        if self._opening.done() and self._opening.exception():
            self._begin()

    @contextmanager
    def turn(self, on_wait: Callable[[], None]) -> Iterator[None]:
        """The right to ask; `on_wait` is called every second until it is granted."""
        while not self._asking.acquire(timeout=_PATIENCE):
            on_wait()
        try:
            yield
        finally:
            self._asking.release()

    def close(self) -> None:
        """Closes the assistant. One that is still being opened is left to the end of the process."""
        if self._opening.done() and not self._opening.exception():
            self._opening.result().close()

    def _begin(self) -> None:
        self._opening: Future[Assistant] = Future()
        # A daemon, because a model that takes a minute to load must not hold up Ctrl-C.
        Thread(target=self._fulfil, args=(self._opening,), name="opening", daemon=True).start()

    def _fulfil(self, opening: Future[Assistant]) -> None:
        try:
            opening.set_result(self._open())
        except BaseException as error:  # whoever asks for the result gets it
            opening.set_exception(error)


_shared: Shared | None = None


def share(open_assistant: Callable[[], Assistant]) -> Shared:
    """Begins to open the assistant of this process."""
    global _shared  # noqa: PLW0603 - a page is a script: nothing can be handed to it
    _shared = Shared(open_assistant)
    return _shared


def shared() -> Shared:
    """What :func:`share` made."""
    assert _shared is not None, "the chat is started by app.server"
    return _shared
