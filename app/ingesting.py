"""What the owner's ingests are doing: one runs at a time, others wait, and everybody may look."""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import islice
from threading import Thread
from time import monotonic
from typing import cast

from app.errors import unforeseen
from app.turns import Turns
from ingest.errors import TransomError
from ingest.events import Event, Failed, Finished, Progressed

_FAILURES = 20
"""Most failures that a run remembers; `transom status` lists them all."""

_STOPPING = 10
"""Seconds that a run gets to stop."""

Begin = Callable[[], Iterator[Event]]


class StoppedError(TransomError):
    """Somebody stopped an ingest from outside."""


@dataclass(slots=True)
class Run:
    """An ingest that is going on, or the last one that ended."""

    progress: Progressed
    """The latest."""
    failures: deque[Failed] = field(default_factory=lambda: deque(maxlen=_FAILURES))
    """The latest ones."""
    finished: Finished | None = None
    """Its counts, if it read anything to its end."""
    error: TransomError | None = None
    """What ended it before."""
    stopping: bool = False
    """Whether somebody wants it to end."""
    complete: bool = False
    """Whether it came to its end."""

    def take(self, event: Event) -> None:
        """Notes what happened."""
        if isinstance(event, Progressed):
            self.progress = event
        elif isinstance(event, Failed):
            self.failures.append(event)
        elif isinstance(event, Finished):
            self.finished = event


class Ingests:
    """The ingests of this process. Usable from any thread."""

    def __init__(self, afterwards: Callable[[], object] = lambda: None) -> None:
        """`afterwards` is done behind each ingest, before the next one begins."""
        self._afterwards = afterwards
        self._turns = Turns()
        self._closing = False
        self.running: Run | None = None
        """What runs now."""
        self.last: Run | None = None
        """What ran before."""
        self.ended = 0
        """How many have come to an end: as it grows, the documents may have changed."""

    @property
    def waiting(self) -> int:
        """How many wait until it is their turn."""
        return max(0, len(self._turns) - 1)

    def run(self, begin: Begin) -> Iterator[Event]:
        """The events of an ingest that begins when it is its turn; closing the iterator stops it.

        Raises :class:`StoppedError` where somebody else stops it.
        """
        yield from self._wait()
        run = Run(_nothing_yet(0, "starting"))
        try:
            self.running = run
            try:
                yield from self._events(run, begin)
                run.complete = True
            finally:
                self._afterwards()
        except TransomError as error:
            run.error = error
            raise
        finally:
            self.running, self.last = None, run
            self.ended += 1
            self._turns.end()

    def start(self, begin: Begin) -> None:
        """Runs an ingest in the background, when it is its turn; how it went stands in :attr:`last`."""
        Thread(target=self._drain, args=(begin,), name="ingest", daemon=True).start()

    def stop(self) -> None:
        """Stops what runs now, whoever began it. What is done is kept."""
        if run := self.running:
            run.stopping = True

    def close(self) -> None:
        """Stops everything, and waits until nothing runs any more, but not for longer than a run may take to stop."""
        self._closing = True
        self.stop()
        for _ in islice(self._turns.wait(), _STOPPING):
            pass

    def _wait(self) -> Iterator[Event]:
        started = monotonic()
        with closing(self._turns.wait()) as waiting:
            for _ in waiting:
                yield _nothing_yet(monotonic() - started, "waiting for another ingest to end")

    def _events(self, run: Run, begin: Begin) -> Iterator[Event]:
        with closing(cast(Generator[Event, None, None], begin())) as events:
            for event in events:
                run.take(event)
                yield event
                if (run.stopping or self._closing) and not run.finished:
                    raise StoppedError(
                        "The ingest was stopped in the chat.", "What was done is kept: begin again, and it goes on."
                    )

    def _drain(self, begin: Begin) -> None:
        with suppress(TransomError):  # it stands in `last`
            for _ in self.run(_told(begin)):
                pass


def _told(begin: Begin) -> Begin:
    """The same ingest; errors that nobody foresaw are told like all others."""

    def told() -> Iterator[Event]:
        try:
            yield from begin()
        except TransomError:
            raise
        except Exception as error:
            raise unforeseen(error) from error

    return told


def _nothing_yet(seconds: float, current: str) -> Progressed:
    return Progressed(
        files=0,
        total_files=None,
        megabytes=0,
        total_megabytes=None,
        chunks=0,
        failed=0,
        seconds=seconds,
        chunks_per_second=0,
        seconds_left=None,
        current=current,
    )
