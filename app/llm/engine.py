"""The one object that runs the model: evaluates only what it has not evaluated before, and samples.

Callers hand over their whole window each time. What of it the KV cache holds is kept; where a saved window holds
more, that is read back. So several conversations share one model, each pays for its new tokens only, and a
conversation that is opened again pays nothing.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from threading import Lock

from app.errors import ModelError, WindowError
from app.llm.runtime import BATCH, Runtime
from app.llm.sampling import Sampling, repeats
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
    """What had to be evaluated: the window less what was reused."""
    reused: int


@dataclass(frozen=True, slots=True)
class Sampled:
    """One generated token."""

    token: int
    ends: bool
    """Whether the model ended its turn with it."""
    repeats: bool = False
    """Whether the model was stopped behind it, because it only says the same again and again."""


@dataclass(slots=True)
class Speed:
    """What this machine and model do, as measured so far; tokens per second, 0 before the first measurement."""

    prefill: float = 0.0
    decode: float = 0.0


class Engine:
    """Runs one model for many callers, one at a time."""

    def __init__(self, runtime: Runtime, saved: SavedWindows | None = None, speed: Speed | None = None) -> None:
        self.runtime = runtime
        self.speed = speed or Speed()
        self.trouble: TransomError | None = None
        """Why the last window could not be saved."""
        self._saved = saved
        self._cached: list[int] = []
        self._settled = 0
        """How many of the cached tokens are part of a conversation; what is behind them was only tried."""
        self._stored = 0
        """How many of the cached tokens are in a saved window."""
        self._marks: dict[int, bytearray] = {}
        self._lock = Lock()
        self._closed = False

    @property
    def window_size(self) -> int:
        """Tokens the window can hold."""
        return self.runtime.window_size

    def complete(
        self, window: Sequence[int], limit: int, sampling: Sampling, pinned: int = 0
    ) -> Iterator[Evaluated | Sampled]:
        """Evaluates `window` and generates at most `limit` tokens behind it.

        Yields :class:`Evaluated` after every batch, then :class:`Sampled`. Closing the iterator stops the model
        within one batch or token. The first `pinned` tokens are saved for all windows that begin with them.
        Raises :class:`WindowError` if window and limit do not fit.
        """
        self._require_room(len(window), limit)
        with self._lock:
            self._require_open()
            yield from self._prefill(window, pinned)
            yield from self._decode(limit, sampling)

    def prepare(self, window: Sequence[int]) -> Iterator[Evaluated]:
        """Evaluates `window` and saves it, for all windows that will begin with it.

        Raises :class:`WindowError` if it does not fit, and :class:`TransomError` where it cannot be saved.
        """
        self._require_room(len(window), 0)
        with self._lock:
            self._require_open()
            best = self._saved.best(window) if self._saved else None
            if best is not None and best.pinned and len(best.tokens) == len(window):
                yield Evaluated(0, 0, len(window))
                return
            try:
                yield from self._prefill(window, len(window))
            finally:  # stopped half-way, the next try goes on from there
                self._settled = max(self._settled, _common_prefix(self._cached, window))
            if self.trouble:
                raise self.trouble

    def weigh(self, window: Sequence[int], tokens: Sequence[int]) -> list[float]:
        """Evaluates `window`; gives how much the model wants each of `tokens` next, as logits.

        Raises :class:`WindowError` if it does not fit.
        """
        self._require_room(len(window), 0)
        with self._lock:
            self._require_open()
            for _ in self._prefill(window, 0):
                pass
            return self.runtime.next_logits(tokens)

    def settle(self, window: Sequence[int]) -> None:
        """Says that `window` is part of a conversation that may go on: it is worth keeping."""
        with self._lock:
            self._settled = max(self._settled, _common_prefix(self._cached, window))

    def close(self) -> None:
        """Saves the window and gives the model's memory back, once nobody uses it."""
        with self._lock:
            self._closed = True
            self._put_away()
            self.runtime.close()

    def _require_open(self) -> None:
        if self._closed:
            raise ModelError("Another model was loaded meanwhile.", "Ask again.")

    def _require_room(self, tokens: int, limit: int) -> None:
        if tokens + limit > self.window_size:
            raise WindowError(
                f"{tokens} tokens and an answer of {limit} do not fit the window of {self.window_size}.",
                "Ask a shorter question, or set a larger window.tokens in the settings.",
            )

    def _prefill(self, window: Sequence[int], pinned: int) -> Iterator[Evaluated]:
        reused = self._reuse(window)
        total = len(window) - reused
        yield Evaluated(0, total, reused)
        seconds = 0.0
        while (start := len(self._cached)) < len(window):
            end = min(start + BATCH, pinned if start < pinned else len(window))
            started = time.monotonic()
            self._evaluate(window[start:end])
            seconds += time.monotonic() - started
            if end == pinned:
                self._save(pinned=True)
            yield Evaluated(end - reused, total, reused)
        self._mark()
        if total >= BATCH:
            self.speed.prefill = total / seconds

    def _reuse(self, window: Sequence[int]) -> int:
        """Brings as much of `window` into the cache as was ever evaluated; returns how many tokens that is."""
        wanted = window[:-1]  # the last token is always evaluated, because sampling needs its logits
        held = _common_prefix(self._cached, wanted)
        if held < self._settled:
            self._put_away()
        best = self._saved.best(wanted) if self._saved else None
        if best is not None and len(best.tokens) > held and self._read_back(best):
            return len(self._cached)
        if held == len(self._cached):
            self._mark()
        return self._cut(held)

    def _cut(self, count: int) -> int:
        """Cuts the cache back, or further to a marked place, if it can only go there; returns what is kept."""
        if count < len(self._cached):
            if self.runtime.can_keep(count):
                self.runtime.keep(count)
            else:
                count = self._go_back(count)
            del self._cached[count:]
            self._settled, self._stored = min(self._settled, count), min(self._stored, count)
            self._marks = {place: mark for place, mark in self._marks.items() if place <= count}
        return count

    def _go_back(self, count: int) -> int:
        place = max((place for place in self._marks if place <= count), default=0)
        if place and self.runtime.go_back(self._marks[place], place):
            return place
        self.runtime.keep(0)
        return 0

    def _mark(self) -> None:
        """Notes this place, if the cache could not come back to it without."""
        place = len(self._cached)
        if place and place not in self._marks and (mark := self.runtime.mark()) is not None:
            self._marks[place] = mark
            if len(self._marks) > _MARKS:
                del self._marks[next(iter(self._marks))]

    def _put_away(self) -> None:
        """Saves what is settled, before it makes room for something else."""
        if self._saved is None or self._settled < _WORTH_SAVING or self._settled <= self._stored:
            return
        if self._cut(self._settled) >= _WORTH_SAVING:
            self._save()

    def _save(self, pinned: bool = False) -> None:
        if self._saved is None:
            return
        try:
            self._saved.save(self._cached, self.runtime.state(), pinned)
            self._stored, self.trouble = len(self._cached), None
        except TransomError as error:  # it costs time later, and nothing else
            self.trouble = error

    def _read_back(self, saved: SavedWindow) -> bool:
        assert self._saved is not None
        state = self._saved.load(saved)
        if state is None:
            return False
        self._marks = {}
        if not self.runtime.restore(state):
            self._cached, self._settled, self._stored = [], 0, 0
            return False
        self._cached = saved.tokens.tolist()
        self._settled = self._stored = len(self._cached)
        return True

    def _decode(self, limit: int, sampling: Sampling) -> Iterator[Sampled]:
        sampler = self.runtime.sampler(sampling)
        started = time.monotonic()
        try:
            said: list[int] = []
            for count in range(limit):
                token = sampler.sample()
                said.append(token)
                event = Sampled(token, self.runtime.is_end(token), repeats(said))
                yield event
                if event.ends or event.repeats:
                    return
                self._evaluate([token])
                self.speed.decode = (count + 1) / (time.monotonic() - started)
        finally:
            sampler.close()

    def _evaluate(self, tokens: Sequence[int]) -> None:
        self.runtime.decode(tokens)
        self._cached.extend(tokens)


def _common_prefix(left: Sequence[int], right: Sequence[int]) -> int:
    for index, (one, other) in enumerate(zip(left, right, strict=False)):
        if one != other:
            return index
    return min(len(left), len(right))
