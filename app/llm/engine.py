"""The one object that runs the model: evaluates only what it has not evaluated before, and samples.

Callers hand over their whole window each time. What of it the KV cache holds is kept; where a saved window holds
more, that is read back. So several conversations share one model, each pays for its new tokens only, and a
conversation that is opened again pays nothing. What of a window is written as joined (:mod:`app.llm.joined`) was read
ahead, and comes in without being evaluated.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np

from app.errors import ModelError, WindowError
from app.llm.cache import Cache, Evaluated, Speed
from app.llm.joined import ALONE
from app.llm.joiner import Joiner
from app.llm.passages import PassageStates
from app.llm.runtime import BATCH, Runtime
from app.llm.sampling import Sampling, repeats
from app.llm.saved import SavedWindows
from ingest.errors import TransomError

__all__ = ["Engine", "Evaluated", "Ready", "Sampled", "Speed"]

Ready = Callable[[Sequence[int]], bool]
"""Whether the passage with these tokens was read ahead and can be joined."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """One generated token."""

    token: int
    ends: bool
    """Whether the model ended its turn with it."""
    repeats: bool = False
    """Whether the model was stopped behind it, because it only says the same again and again."""


class Engine:
    """Runs one model for many callers, one at a time."""

    def __init__(
        self,
        runtime: Runtime,
        saved: SavedWindows | None = None,
        speed: Speed | None = None,
        states: PassageStates | None = None,
    ) -> None:
        self.runtime = runtime
        self.speed = speed or Speed()
        self.states = states if runtime.spare else None
        """What was read ahead; None where the window cannot be joined to anything."""
        self._joiner = Joiner(runtime.spare, states) if runtime.spare and states else None
        self._cache = Cache(runtime, saved, self._joiner, self.speed)
        self._lock = Lock()
        self._closed = False

    @property
    def window_size(self) -> int:
        """Tokens the window can hold."""
        return self.runtime.window_size

    @property
    def trouble(self) -> TransomError | None:
        """Why the last window could not be saved."""
        return self._cache.trouble

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
            yield from self._cache.prefill(window, pinned)
            yield from self._decode(limit, sampling)

    def prepare(self, window: Sequence[int]) -> Iterator[Evaluated]:
        """Evaluates `window` and saves it, for all windows that will begin with it.

        Raises :class:`WindowError` if it does not fit, and :class:`TransomError` where it cannot be saved.
        """
        self._require_room(len(window), 0)
        with self._lock:
            self._require_open()
            if self._cache.is_prepared(window):
                yield Evaluated(0, 0, len(window))
                return
            try:
                yield from self._cache.prefill(window, len(window))
            finally:  # stopped half-way, the next try goes on from there
                self._cache.settle(window)
            if self.trouble:
                raise self.trouble

    def read_ahead(self, document_id: str, passage: Sequence[int]) -> Iterator[int]:
        """Makes the state of a passage of a document and saves it; yields how many tokens each batch had.

        Closing the iterator stops it within one batch, and then nothing is saved. Raises :class:`TransomError` where
        it cannot be saved, :class:`ModelError` where nothing can be joined, and :class:`WindowError` where it does not
        fit beside the window.
        """
        if self._joiner is None:
            raise ModelError("The window of this model cannot be joined to what is read ahead.")
        if not self.fits_beside(passage):
            raise WindowError(f"A passage of {len(passage):,} tokens is too long to be read ahead.")
        with self._lock:
            self._require_open()
            started = time.monotonic()
            yield from self._joiner.read(document_id, passage)
            if len(passage) >= BATCH:
                self.speed.prefill = len(passage) / (time.monotonic() - started)

    def fits_beside(self, passage: Sequence[int]) -> bool:
        """Whether there is room to read a passage ahead, beside the window."""
        return self.states is not None and len(self.states.prefix) + len(passage) <= ALONE

    def ready(self, window: Sequence[int]) -> Ready:
        """Tells of passages whether they can be joined to `window`: one that begins with what they were read behind."""
        states = self.states
        if states is None or list(window[: len(states.prefix)]) != states.prefix:
            return lambda _: False
        return states.holds

    def weigh(self, window: Sequence[int], tokens: Sequence[int]) -> list[float]:
        """Evaluates `window`; gives how much the model wants each of `tokens` next, as logits.

        Raises :class:`WindowError` if it does not fit.
        """
        self._require_room(len(window), 0)
        with self._lock:
            self._require_open()
            for _ in self._cache.prefill(window):
                pass
            return self.runtime.next_logits(tokens)

    def surprise(self, window: Sequence[int], answer: Sequence[int]) -> float:
        """How little the model expects `answer` behind `window`: its mean negative log-likelihood, in nats a token.

        Raises :class:`WindowError` if they do not fit.
        """
        self._require_room(len(window), len(answer))
        with self._lock:
            self._require_open()
            for _ in self._cache.prefill(window[:-1]):
                pass
            rows = self._cache.logits([window[-1], *answer[:-1]])
        rows -= rows.max(axis=1, keepdims=True)
        likelihoods = rows[np.arange(len(answer)), answer] - np.log(np.exp(rows).sum(axis=1))
        return -float(likelihoods.mean())

    def settle(self, window: Sequence[int]) -> None:
        """Says that `window` is part of a conversation that may go on: it is worth keeping."""
        with self._lock:
            self._cache.settle(window)

    def close(self) -> None:
        """Saves the window and gives the model's memory back, once nobody uses it."""
        with self._lock:
            self._closed = True
            self._cache.put_away()
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
                self._cache.decode([token])
                self.speed.decode = (count + 1) / (time.monotonic() - started)
        finally:
            sampler.close()
