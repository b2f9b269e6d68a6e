"""Whatever happens to a window, the logits before an answer are those of evaluating it from scratch.

On real llama.cpp: tiny files of the architecture `gemma4` with a sliding window shorter than the conversations,
with a full and with a windowed cache. The reference evaluates the very same batches, and cuts back where that was
done, in a full cache, which forgets nothing and never sees a saved state; weights and caches are kept in 32 bits.
So the order of sums hardly shows, and a wrong cache does.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import llama_cpp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.llm import loading
from app.llm.engine import Engine, Evaluated
from app.llm.runtime import BATCH, Context, LlamaRuntime
from app.llm.sampling import Sampling
from app.llm.saved import SavedWindows
from tests.gemma4 import DENSE, SHARED, write

WINDOW = 1024
TOLERANCE = 1e-2
"""Of logits: in a windowed cache and behind a restored state the cells lie in another order, and so do sums (1e-3)."""
LONG = 200
"""Tokens: longer than the files' sliding window, so that cutting back is not always possible."""

turns = st.tuples(st.just("turn"), st.integers(0, 2), st.integers(1, LONG), st.integers(0, 6))
tries = st.tuples(st.just("try"), st.integers(0, 2), st.integers(1, LONG), st.integers(0, 6))
restarts = st.tuples(st.just("restart"), st.integers(0, 2), st.just(0), st.just(0))
reopenings = st.tuples(st.just("reopen"), st.just(0), st.just(0), st.just(0))
compactions = st.tuples(st.just("compact"), st.integers(0, 2), st.integers(1, LONG), st.just(0))
steps = st.lists(st.one_of(turns, turns, tries, restarts, compactions, reopenings), min_size=2, max_size=8)


@pytest.fixture(scope="module", autouse=True)
def precise() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(loading.KV_TYPES, "f16", llama_cpp.GGML_TYPE_F32)
        yield


@pytest.fixture(scope="module", params=["dense-full", "dense-windowed", "shared-full", "shared-windowed"])
def setting(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Context]:
    name, cache = request.param.split("-")
    path = tmp_path_factory.mktemp("precise") / f"{name}.gguf"
    write(path, replace({"dense": DENSE, "shared": SHARED}[name], precise=True))
    return path, Context(WINDOW, swa_full=cache == "full", flash_attention=False)


class RecordingRuntime(LlamaRuntime):
    """Remembers how its cache came about."""

    def __init__(self, path: Path, context: Context) -> None:
        super().__init__(path, context)
        self.history: list[list[int] | int] = []
        """Batches that were evaluated, and counts of tokens that the cache was cut back to."""
        self._histories: dict[bytes, list[list[int] | int]] = {}

    def decode(self, tokens: Sequence[int]) -> None:
        super().decode(tokens)
        self.history.append(list(tokens))

    def keep(self, count: int) -> None:
        super().keep(count)
        self.history = [*self.history, count] if count else []

    def state(self) -> bytearray:
        return self._remembered(super().state())

    def mark(self) -> bytearray | None:
        mark = super().mark()
        return mark and self._remembered(mark)

    def restore(self, state: bytearray) -> bool:
        self.history = list(self._histories[bytes(state)])
        return super().restore(state)

    def go_back(self, mark: bytearray, count: int) -> bool:
        self.history = list(self._histories[bytes(mark)])
        return super().go_back(mark, count)

    def _remembered(self, state: bytearray) -> bytearray:
        self._histories[bytes(state)] = list(self.history)
        return state


@pytest.fixture(scope="module")
def scratch(setting: tuple[Path, Context]) -> Iterator[LlamaRuntime]:
    """Evaluates from nothing, with the plainest cache."""
    runtime = LlamaRuntime(setting[0], Context(WINDOW, swa_full=True, flash_attention=False))
    yield runtime
    runtime.close()


@pytest.fixture(scope="module")
def runtime(setting: tuple[Path, Context]) -> Iterator[RecordingRuntime]:
    runtime = RecordingRuntime(*setting)
    yield runtime
    runtime.close()


def logits(runtime: LlamaRuntime) -> NDArray[np.float32]:
    pointer = llama_cpp.llama_get_logits_ith(runtime._context, -1)
    size = llama_cpp.llama_vocab_n_tokens(runtime._vocab)
    return np.ctypeslib.as_array(pointer, (size,)).copy()


def from_scratch(runtime: LlamaRuntime, history: Sequence[list[int] | int]) -> NDArray[np.float32]:
    runtime.keep(0)
    for step in history:
        if isinstance(step, int):
            runtime.keep(step)
        else:
            runtime.decode(step)
    return logits(runtime)


def in_batches(window: Sequence[int]) -> list[list[int] | int]:
    return [list(window[start : start + BATCH]) for start in range(0, len(window), BATCH)]


class Conversations:
    """Three conversations that share an engine, driven by random steps."""

    def __init__(self, runtime: RecordingRuntime, scratch: LlamaRuntime, folder: Path) -> None:
        self.runtime, self.scratch, self.folder = runtime, scratch, folder
        runtime.keep(0)
        self.engine = self.opened()
        self.windows = [[5], [5, 6], [7]]
        self.fresh = 8

    def opened(self) -> Engine:
        return Engine(self.runtime, SavedWindows(self.folder, "key", 1 << 30))

    def tokens(self, count: int) -> list[int]:
        self.fresh += 1
        return [(self.fresh * 31 + number * number) % 200 + 5 for number in range(count)]

    def step(self, what: str, which: int, added: int, generated: int) -> None:
        window = self.windows[which]
        if what == "restart":
            window[1:] = []
        elif what == "compact":
            window[1:] = window[1:][-added:]
        elif what == "reopen":
            self.engine._cache.put_away()  # what closing does, without closing the runtime
            self.runtime.keep(0)
            self.engine = self.opened()
        elif len(window) + added + generated + 1 < WINDOW:
            answer = self.ask(window + self.tokens(added), generated)
            if what == "turn":
                window[:] = answer
                self.engine.settle(window)

    def ask(self, window: list[int], generated: int) -> list[int]:
        answering = self.engine.complete(window, generated + 1, Sampling())
        for event in answering:
            if isinstance(event, Evaluated):
                if event.done == event.total:
                    expected = from_scratch(self.scratch, self.runtime.history)
                    np.testing.assert_allclose(logits(self.runtime), expected, atol=TOLERANCE)
                continue
            if generated == 0 or event.ends:
                break
            window = [*window, event.token]
            generated -= 1
        answering.close()  # type: ignore[attr-defined]  # a generator: stops the model
        return window


@given(steps=steps)
@settings(max_examples=25, deadline=None)
def test_random_turns_stops_switches_compactions_and_restores(
    runtime: RecordingRuntime, scratch: LlamaRuntime, steps: list[tuple[str, int, int, int]]
) -> None:
    with TemporaryDirectory() as folder:
        conversations = Conversations(runtime, scratch, Path(folder))
        for step in steps:
            conversations.step(*step)


def test_a_wrong_cache_would_be_noticed(
    setting: tuple[Path, Context], runtime: RecordingRuntime, scratch: LlamaRuntime
) -> None:
    if setting[1].swa_full:
        pytest.skip("a full cache is never wrong")
    window = [number % 200 + 5 for number in range(600)]
    from_scratch(runtime, in_batches(window))
    assert not runtime.can_keep(300)
    runtime.keep(300)
    runtime.decode(window[300:310])
    wrong = np.abs(logits(runtime) - from_scratch(scratch, in_batches(window[:310]))).max()
    assert wrong > 2 * TOLERANCE


def test_three_conversations_in_turn_evaluate_nothing_twice(
    runtime: RecordingRuntime, scratch: LlamaRuntime, tmp_path: Path
) -> None:
    conversations = Conversations(runtime, scratch, tmp_path)
    for _ in range(5):
        for which, window in enumerate(conversations.windows):
            known = len(window)
            asked = window + conversations.tokens(30)
            first = next(iter(conversations.engine.complete(asked, 1, Sampling())))
            assert isinstance(first, Evaluated)
            assert first.reused >= known - 1 if known > 128 else True
            conversations.step("turn", which, 30, 2)
