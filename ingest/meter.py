"""How far a run has come, how fast it goes and how long it will take."""

import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from ingest.events import Event, Failed, Finished, Indexed, Progressed, Removed, Unchanged

_EVERY = 0.5
"""Seconds between two reports."""
_LATELY = 30.0
"""Seconds over which a rate is measured."""
_MB = 1e6


class _Sample(NamedTuple):
    moment: float
    bytes: float
    chunks: int


class Meter:
    """Counts a run's events; says from time to time how it goes."""

    def __init__(self) -> None:
        self.current = ""
        """What is being worked on."""
        self.total: tuple[int, int] | None = None
        """Files and bytes of all folders, as soon as they are counted."""
        self.read = 0
        """Files opened."""
        self.embedded = 0
        """Texts embedded."""
        self._indexed = self._unchanged = self._removed = self._failed = 0
        self._bytes = 0.0
        self._chunks = 0
        self._started = self._reported = time.monotonic()
        self._samples = deque([_Sample(self._started, 0.0, 0)])

    def take(self, event: Event) -> None:
        """Counts an event."""
        match event:
            case Indexed():
                self._indexed += 1
            case Unchanged():
                self._unchanged += 1
            case Removed():
                self._removed += 1
            case Failed():
                self._failed += 1

    def done(self, size: float) -> None:
        """A file of so many bytes is done."""
        self._bytes += size

    def stored(self, chunks: int, size: float) -> None:
        """So many chunks were stored, made from so many bytes of files."""
        self._chunks += chunks
        self._bytes += size

    def due(self) -> Progressed | None:
        """A report, if the last one was a while ago."""
        now = time.monotonic()
        if now - self._reported < _EVERY:
            return None
        self._reported = now
        self._samples.append(_Sample(now, self._bytes, self._chunks))
        while now - self._samples[0].moment > _LATELY and len(self._samples) > 2:
            self._samples.popleft()
        return self._report(now)

    def finished(self) -> Finished:
        """The counts at the end."""
        return Finished(
            files=self._files,
            indexed=self._indexed,
            unchanged=self._unchanged,
            removed=self._removed,
            failed=self._failed,
            read=self.read,
            chunks=self._chunks,
            embedded=self.embedded,
            seconds=round(time.monotonic() - self._started, 3),
        )

    @property
    def _files(self) -> int:
        return self._indexed + self._unchanged + self._failed

    def _report(self, now: float) -> Progressed:
        files, size = self.total or (None, None)
        return Progressed(
            files=self._files,
            total_files=files,
            megabytes=round(self._bytes / _MB, 3),
            total_megabytes=None if size is None else round(size / _MB, 3),
            chunks=self._chunks,
            failed=self._failed,
            seconds=round(now - self._started, 1),
            chunks_per_second=round(self._rate(lambda sample: sample.chunks), 1),
            seconds_left=self._seconds_left(),
            current=self.current,
        )

    def _rate(self, value: Callable[[_Sample], float]) -> float:
        first, last = self._samples[0], self._samples[-1]
        return (value(last) - value(first)) / max(last.moment - first.moment, 1e-9)

    def _seconds_left(self) -> float | None:
        rate = self._rate(lambda sample: sample.bytes)
        if self.total is None or rate <= 0:
            return None
        return round(max(self.total[1] - self._bytes, 0) / rate, 1)
