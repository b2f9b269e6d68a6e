"""Reads ahead in the owner while nothing else happens there, and what a person wants read at once."""

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from functools import partial
from threading import Event as Flag
from threading import Lock, Thread
from time import monotonic
from typing import cast

import psutil

from app.ahead.gate import Gate
from app.ahead.progress import Estimate, Progress
from app.ahead.reader import Reader
from app.ahead.walking import read_collection, read_everything
from app.errors import unforeseen
from app.ingesting import Ingests
from app.turns import Turns
from ingest.errors import TransomError, UsageError

_QUIET = 20.0
"""Seconds without question or ingest before it begins."""
_LOOK = 0.2
"""Seconds between two looks at what happens."""
_ENDING = 30.0
"""Seconds that it gets to end: a batch on a slow machine, or a part of a trial."""


@dataclass(slots=True)
class Job:
    """A collection that somebody wants read now."""

    collection: str
    limit: int | None = None
    """Bytes."""
    progress: Progress | None = None
    """The latest."""
    trouble: TransomError | None = None
    """What ended it."""
    stopping: bool = False
    """Whether somebody wants it to end."""
    over: Flag = field(default_factory=Flag)


class Background:
    """One thread that reads: first what a person asked for, then everything. Usable from any thread.

    Between two batches it looks whether a question or an ingest has come, and then lets go of the model at once.
    """

    def __init__(
        self, reader: Callable[[], Reader | None], turns: Turns, ingests: Ingests, quiet: float = _QUIET
    ) -> None:
        """`reader` gives None as long as no model is open."""
        self._reader = reader
        self._turns = turns
        self._ingests = ingests
        self._quiet = quiet
        self._gate = Gate()
        self._lock = Lock()
        self._thread: Thread | None = None
        self._wake, self._closing, self._stopping = Flag(), Flag(), Flag()
        self._by_itself = False
        self._busy_at = monotonic()
        self._models = 0
        """How many there were before this one."""
        self._through: tuple[int, int] | None = None
        """What was read through: how many ingests had ended, and with which model."""
        self.job: Job | None = None
        """What somebody asked for last."""
        self.doing: Progress | None = None
        """What is read now; None while nothing is."""
        self.trouble: TransomError | None = None
        """What ended the last reading of everything."""

    def begin(self) -> None:
        """Reads by itself from now on, whenever nothing else happens."""
        self._by_itself = True
        self._start()

    def read_now(self, collection: str, limit: int | None = None) -> Job:
        """Reads one collection as soon as no question is answered and no ingest runs.

        Raises :class:`UsageError` while another one is read because somebody asked for it.
        """
        with self._lock:
            if self.job and not self.job.over.is_set():
                raise UsageError(
                    f"The collection {self.job.collection!r} is being read ahead already.",
                    "Wait until that is done, or stop it in the library of the chat.",
                )
            self.job = job = Job(collection, limit)
        self._start()
        self._wake.set()
        return job

    def follow(self, collection: str, limit: int | None = None) -> Iterator[Progress]:
        """The same, told as it goes on; closing the iterator stops it. Raises what ends it before its end."""
        job = self.read_now(collection, limit)
        try:
            while not job.over.wait(_LOOK):
                yield job.progress or Progress(collection)
            if job.trouble:
                raise job.trouble
            if job.stopping:
                raise TransomError(
                    "The reading was stopped in the chat.", "What was read is kept: begin again, and it goes on."
                )
            yield job.progress or Progress(collection)
        finally:
            job.stopping = True

    def stop(self) -> None:
        """Stops what is read now. By itself it goes on after the next ingest, or when the chat is opened again."""
        if self.job and not self.job.over.is_set():
            self.job.stopping = True
        else:
            self._stopping.set()
        self._wake.set()

    def estimate(self, collection: str) -> Estimate | None:
        """What reading a collection would take; None where that cannot be said now, or nothing can be read ahead."""
        with self._gate.use() as may:
            reader = self._reader() if may else None
            return reader.estimate(collection) if reader and reader.able else None

    def apart(self) -> AbstractContextManager[None]:
        """Nothing is read within this context: the model can be replaced. It begins anew behind it."""
        self._models += 1
        return self._gate.alone()

    def close(self) -> None:
        """Ends within one batch; what was read stays."""
        self._closing.set()
        self._wake.set()
        if self._thread:
            self._thread.join(_ENDING)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = Thread(target=self._work, name="reading ahead", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while not self._closing.is_set():
            if self._occupied():
                self._busy_at = monotonic()
            elif (job := self.job) and not job.over.is_set():
                self._do(job)
            elif self._may_read():
                self._read_everything()
            self._wake.wait(_LOOK)
            self._wake.clear()

    def _do(self, job: Job) -> None:
        def stopped() -> bool:
            job.progress = self.doing
            return job.stopping

        reading = partial(read_collection, collection=job.collection, limit=job.limit)
        try:
            if self._goes_through(reading, stopped) or job.stopping:
                job.over.set()
        except TransomError as error:
            job.trouble = error
            job.over.set()

    def _read_everything(self) -> None:
        self._stopping.clear()
        through, self.trouble = self._stand(), None
        try:
            if self._goes_through(read_everything, self._disturbed) or self._stopping.is_set():
                self._through = through
        except TransomError as error:
            self.trouble, self._through = error, through

    def _goes_through(self, steps: Callable[[Reader], Iterator[Progress]], stopped: Callable[[], bool]) -> bool:
        """Whether it came to its end. Whatever goes wrong is told as a :class:`TransomError`."""
        with self._gate.use() as may:
            reader = self._reader() if may else None
            if reader is None:
                return False
            try:
                with closing(cast(Generator[Progress, None, None], steps(reader))) as going:
                    for self.doing in going:
                        if stopped() or self._closing.is_set() or self._gate.closed or self._occupied():
                            return False
            except TransomError:
                raise
            except Exception as error:
                raise unforeseen(error) from error
            finally:
                self.doing = None
        return True

    def _occupied(self) -> bool:
        """Whether somebody wants the model or the index."""
        return bool(len(self._turns) or self._ingests.running)

    def _disturbed(self) -> bool:
        """Whether reading by itself should make room for what a person wants."""
        asked = self.job is not None and not self.job.over.is_set()
        return asked or self._stopping.is_set() or on_battery()

    def _stand(self) -> tuple[int, int]:
        return self._ingests.ended, self._models

    def _may_read(self) -> bool:
        due = self._by_itself and self._through != self._stand()
        return due and monotonic() - self._busy_at >= self._quiet and not on_battery()


def on_battery() -> bool:
    """Whether this machine lives on its battery now."""
    battery = psutil.sensors_battery()
    return battery is not None and battery.power_plugged is False
