"""What the KV cache holds, entry by entry, and how a window gets into it: kept, read back, joined, evaluated."""

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.llm.joined import common, counted, parts, tokens
from app.llm.joiner import Joiner
from app.llm.runtime import BATCH, Runtime
from app.llm.saved import SavedWindow, SavedWindows
from ingest.errors import TransomError

_WORTH_SAVING = 128
"""Tokens below which a window is evaluated again sooner than it is written."""
_MARKS = 4
"""Places that a windowed cache can go back to."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """Progress of prefill, in tokens."""

    done: int
    total: int
    """What had to be evaluated: the window less what was reused and what is joined."""
    reused: int
    joined: int = 0
    """What was read ahead, and came in without being evaluated."""


@dataclass(slots=True)
class Speed:
    """What this machine and model do, as measured so far; tokens per second, 0 before the first measurement."""

    prefill: float = 0.0
    decode: float = 0.0


class Cache:
    """The one KV cache of a runtime. Windows that make room for others are saved. Not thread-safe."""

    def __init__(self, runtime: Runtime, saved: SavedWindows | None, joiner: Joiner | None, speed: Speed) -> None:
        self.trouble: TransomError | None = None
        """Why the last window could not be saved."""
        self._runtime = runtime
        self._saved = saved
        self._joiner = joiner
        self._speed = speed
        self._held: list[int] = []
        self._settled = 0
        """How many of the entries are part of a conversation; what is behind them was only tried."""
        self._stored = 0
        """How many of the entries are in a saved window."""
        self._marks: dict[int, bytearray] = {}

    def prefill(self, window: Sequence[int], pinned: int = 0) -> Iterator[Evaluated]:
        """Makes the cache hold `window`; closing the iterator stops it within one batch.

        The first `pinned` entries are saved for all windows that begin with them.
        """
        reused = self._reuse(window)
        ahead = list(parts(window, reused, pinned, BATCH))
        progress = Evaluated(0, sum(len(part) for part in ahead if not counted(part)), reused)
        yield progress
        evaluated, seconds = 0, 0.0
        for part in ahead:
            if counted(part):
                progress = yield from self._join(part, progress)
                yield progress
                continue
            started = time.monotonic()
            self.decode(part)
            seconds += time.monotonic() - started
            evaluated += len(part)
            if len(self._held) == pinned:
                self._save(pinned=True)
            progress = replace(progress, done=progress.done + len(part))
            yield progress
        self._mark()
        if evaluated >= BATCH:
            self._speed.prefill = evaluated / seconds

    def decode(self, entries: Sequence[int]) -> None:
        """Evaluates at most :data:`BATCH` entries behind what the cache holds."""
        self._runtime.decode(tokens(entries))
        self._held.extend(entries)

    def logits(self, entries: Sequence[int]) -> NDArray[np.float32]:
        """Evaluates at most :data:`BATCH` entries; gives the logits behind each of them, as (entries, vocabulary)."""
        found = self._runtime.logits(tokens(entries))
        self._held.extend(entries)
        return found

    def is_prepared(self, window: Sequence[int]) -> bool:
        """Whether `window` is saved for all windows that begin with it."""
        best = self._saved.best(window) if self._saved else None
        return best is not None and best.pinned and len(best.tokens) == len(window)

    def settle(self, window: Sequence[int]) -> None:
        """Says that `window` is worth keeping, as far as the cache holds it."""
        self._settled = max(self._settled, common(self._held, window))

    def put_away(self) -> None:
        """Saves what is settled, before it makes room for something else."""
        if self._saved is None or self._settled < _WORTH_SAVING or self._settled <= self._stored:
            return
        if self._cut(self._settled) >= _WORTH_SAVING:
            self._save()

    def _join(self, stretch: Sequence[int], progress: Evaluated) -> Generator[Evaluated, None, Evaluated]:
        """Takes in passages that were read ahead, with their labels; returns the progress behind it.

        Where a state is gone, its tokens are evaluated, and only take longer.
        """
        late = 0
        for count in self._taken_in(stretch):
            late += count
            progress = replace(progress, done=progress.done + count, total=progress.total + count)
            yield progress
        return replace(progress, joined=progress.joined + len(stretch) - late)

    def _taken_in(self, stretch: Sequence[int]) -> Iterator[int]:
        """Yields how many of its tokens were evaluated, batch by batch."""
        prefix = self._joiner.states.prefix if self._joiner else []
        if self._joiner is None or self._held[: len(prefix)] != prefix:
            for start in range(0, len(stretch), BATCH):
                self.decode(stretch[start : start + BATCH])
                yield len(stretch[start : start + BATCH])
            return
        try:
            yield from self._joiner.join(stretch, len(self._held))
            self._held.extend(stretch)
        except BaseException:
            self._runtime.keep(len(self._held))  # without what was joined half-way
            raise

    def _reuse(self, window: Sequence[int]) -> int:
        """Brings as much of `window` into the cache as was ever evaluated; returns how many entries that is."""
        wanted = window[:-1]  # the last token is always evaluated, because sampling needs its logits
        held = common(self._held, wanted)
        if held < self._settled:
            self.put_away()
        best = self._saved.best(wanted) if self._saved else None
        if best is not None and len(best.tokens) > held and self._read_back(best):
            return len(self._held)
        if held == len(self._held):
            self._mark()
        return self._cut(held)

    def _cut(self, count: int) -> int:
        """Cuts the cache back, or further to a marked place, if it can only go there; returns what is kept."""
        if count < len(self._held):
            if self._runtime.can_keep(count):
                self._runtime.keep(count)
            else:
                count = self._go_back(count)
            del self._held[count:]
            self._settled, self._stored = min(self._settled, count), min(self._stored, count)
            self._marks = {place: mark for place, mark in self._marks.items() if place <= count}
        return count

    def _go_back(self, count: int) -> int:
        place = max((place for place in self._marks if place <= count), default=0)
        if place and self._runtime.go_back(self._marks[place], place):
            return place
        self._runtime.keep(0)
        return 0

    def _mark(self) -> None:
        """Notes this place, if the cache could not come back to it without."""
        place = len(self._held)
        if place and place not in self._marks and (mark := self._runtime.mark()) is not None:
            self._marks[place] = mark
            if len(self._marks) > _MARKS:
                del self._marks[next(iter(self._marks))]

    def _save(self, pinned: bool = False) -> None:
        if self._saved is None:
            return
        try:
            self._saved.save(self._held, self._runtime.state(), pinned)
            self._stored, self.trouble = len(self._held), None
        except TransomError as error:  # it costs time later, and nothing else
            self.trouble = error

    def _read_back(self, saved: SavedWindow) -> bool:
        assert self._saved is not None
        state = self._saved.load(saved)
        if state is None:
            return False
        self._marks = {}
        if not self._runtime.restore(state):
            self._held, self._settled, self._stored = [], 0, 0
            return False
        self._held = saved.tokens.tolist()
        self._settled = self._stored = len(self._held)
        return True
