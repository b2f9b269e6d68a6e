"""What the owner's ingests are doing: one runs at a time, others wait, and everybody may look."""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from time import monotonic
from typing import cast

from app.turns import Turns
from ingest.events import Event, Failed, Progressed

_FAILURES = 20
"""Most failures that a run remembers; `transom status` lists them all."""

_STOPPING = 10
"""Seconds that a run gets to stop."""


@dataclass(slots=True)
class Run:
    """An ingest that is going on."""

    progress: Progressed
    """The latest."""
    failures: deque[Failed] = field(default_factory=lambda: deque(maxlen=_FAILURES))
    """The latest ones."""

    def take(self, event: Event) -> None:
        """Notes what happened."""
        if isinstance(event, Progressed):
            self.progress = event
        elif isinstance(event, Failed):
            self.failures.append(event)


class Ingests:
    """The ingests of this process. Usable from any thread."""

    def __init__(self) -> None:
        self._turns = Turns()
        self.running: Run | None = None
        """What runs now."""
        self.ended = 0
        """How many have come to an end: as it grows, the documents may have changed."""

    def run(self, begin: Callable[[], Iterator[Event]]) -> Iterator[Event]:
        """The events of an ingest that begins when it is its turn; closing the iterator stops it."""
        started = monotonic()
        with closing(self._turns.wait()) as waiting:
            for _ in waiting:
                yield _nothing_yet(monotonic() - started, "waiting for another ingest to end")
        try:
            self.running = run = Run(_nothing_yet(0, "starting"))
            with closing(cast(Generator[Event, None, None], begin())) as events:
                for event in events:
                    run.take(event)
                    yield event
        finally:
            self.running = None
            self.ended += 1
            self._turns.end()

    def wait(self) -> None:
        """Waits until nothing runs any more, but not for longer than a run may take to stop."""
        for _ in islice(self._turns.wait(), _STOPPING):
            pass


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
