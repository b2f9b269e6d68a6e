"""The one object that runs the model: evaluates only what the KV cache does not hold, and samples.

Callers hand over their whole window each time; the engine keeps the longest prefix that is already evaluated.
So several conversations can share a model, and an append-only conversation pays for its new tokens only.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from threading import Lock

from app.errors import WindowError
from app.llm.runtime import BATCH, Runtime, Sampling


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


@dataclass(slots=True)
class Speed:
    """What this machine and model do, as measured so far; tokens per second, 0 before the first measurement."""

    prefill: float = 0.0
    decode: float = 0.0


class Engine:
    """Runs one model for many callers, one at a time."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.speed = Speed()
        self._cached: list[int] = []
        self._lock = Lock()

    @property
    def window_size(self) -> int:
        """Tokens the window can hold."""
        return self.runtime.window_size

    def complete(self, window: Sequence[int], limit: int, sampling: Sampling) -> Iterator[Evaluated | Sampled]:
        """Evaluates `window` and generates at most `limit` tokens behind it.

        Yields :class:`Evaluated` after every batch, then :class:`Sampled`. Closing the iterator stops the model
        within one batch or token. Raises :class:`WindowError` if window and limit do not fit.
        """
        if len(window) + limit > self.window_size:
            raise WindowError(
                f"{len(window)} tokens and an answer of {limit} do not fit the window of {self.window_size}.",
                "Ask a shorter question, or set a larger window.tokens in the settings.",
            )
        with self._lock:
            yield from self._prefill(window)
            yield from self._decode(limit, sampling)

    def close(self) -> None:
        """Gives the model's memory back, once nobody uses it."""
        with self._lock:
            self.runtime.close()

    def _prefill(self, window: Sequence[int]) -> Iterator[Evaluated]:
        # The last token is always evaluated, because sampling needs its logits.
        reused = min(_common_prefix(self._cached, window), len(window) - 1)
        reused = self.runtime.keep(reused)
        del self._cached[reused:]
        total = len(window) - reused
        yield Evaluated(0, total, reused)
        started = time.monotonic()
        for start in range(reused, len(window), BATCH):
            self._evaluate(window[start : start + BATCH])
            yield Evaluated(len(self._cached) - reused, total, reused)
        if total >= BATCH:
            self.speed.prefill = total / (time.monotonic() - started)

    def _decode(self, limit: int, sampling: Sampling) -> Iterator[Sampled]:
        sampler = self.runtime.sampler(sampling)
        started = time.monotonic()
        try:
            for count in range(limit):
                token = sampler.sample()
                ends = self.runtime.is_end(token)
                yield Sampled(token, ends)
                if ends:
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
