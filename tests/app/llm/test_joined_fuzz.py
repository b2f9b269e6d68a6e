"""However fresh and joined passages mix, the logits are those of taking the same window in from scratch.

On real llama.cpp: tiny files of the architecture `gemma4` whose sliding window is shorter than the passages; weights
and caches are kept in 32 bits, so that a wrong cache shows and the order of sums does not. The reference has read
nothing ahead: it evaluates each passage by itself and joins it live.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
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
from app.llm.joined import joined, runs
from app.llm.passages import PassageStates
from app.llm.runtime import Context, LlamaRuntime
from app.llm.sampling import Sampling
from app.llm.saved import SavedWindows
from tests.gemma4 import DENSE, SHARED, write

WINDOW = 1024
TOLERANCE = 2e-2
PREFIX = [*range(10, 40)]
PASSAGES = [[(number * 37 + place * place) % 250 + 5 for place in range(60 + 25 * number)] for number in range(5)]
QUESTION = 20
LABEL = 5
"""Tokens, too many to be joined. A shorter one behind a question is joined, or sees the question where both come in at
once: that hardly matters to an answer, but it would here."""

passages = st.lists(st.tuples(st.integers(0, len(PASSAGES) - 1), st.booleans()), max_size=4)
turns = st.tuples(st.just("turn"), st.integers(0, 1), passages)
restarts = st.tuples(st.just("restart"), st.integers(0, 1), passages)
compactions = st.tuples(st.just("compact"), st.integers(0, 1), passages)
readings = st.tuples(st.just("read"), st.just(0), passages)
losses = st.tuples(st.just("lose"), st.just(0), passages)
forks = st.tuples(st.just("fork"), st.integers(0, 1), st.lists(st.tuples(st.integers(0, 3), st.just(True)), max_size=1))
reopenings = st.tuples(st.just("reopen"), st.just(0), passages)
steps = st.lists(
    st.one_of(turns, turns, turns, readings, restarts, compactions, forks, losses, reopenings), min_size=2, max_size=8
)


@pytest.fixture(scope="module", autouse=True)
def precise() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(loading.KV_TYPES, "f16", llama_cpp.GGML_TYPE_F32)
        yield


@pytest.fixture(scope="module", params=["dense", "shared"])
def runtimes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[LlamaRuntime, LlamaRuntime]]:
    path = tmp_path_factory.mktemp("joined") / f"{request.param}.gguf"
    write(path, replace({"dense": DENSE, "shared": SHARED}[request.param], precise=True))
    context = Context(WINDOW, swa_full=True, flash_attention=False, joins=True)
    both = LlamaRuntime(path, context), LlamaRuntime(path, context)
    yield both
    for runtime in both:
        runtime.close()


def logits(runtime: LlamaRuntime) -> NDArray[np.float32]:
    size = llama_cpp.llama_vocab_n_tokens(runtime._vocab)
    return np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(runtime._context, -1), (size,)).copy()


def taken_in(engine: Engine, window: list[int]) -> NDArray[np.float32]:
    answering = engine.complete(window, 1, Sampling())
    for event in answering:
        if not isinstance(event, Evaluated):
            break
    answering.close()  # type: ignore[attr-defined]  # a generator: what was sampled is not evaluated
    assert isinstance(engine.runtime, LlamaRuntime)
    return logits(engine.runtime)


class Conversations:
    """Two conversations that share a model, and what was read ahead."""

    def __init__(self, runtime: LlamaRuntime, reference: LlamaRuntime, folder: Path) -> None:
        self.runtime, self.reference, self.folder = runtime, reference, folder
        self.windows: list[list[int]] = [list(PREFIX), list(PREFIX)]
        self.asked = 0
        runtime.keep(0)
        self.engine = self.opened()

    def opened(self) -> Engine:
        states = PassageStates(self.folder / "passages", "key", PREFIX, 1 << 30)
        return Engine(self.runtime, SavedWindows(self.folder / "windows", "key", 1 << 30), states=states)

    def step(self, what: str, which: int, added: list[tuple[int, bool]]) -> None:
        window = self.windows[which]
        if what == "restart":
            window[:] = PREFIX
        elif what == "compact":
            window[:] = [*PREFIX, *self.said(added)]
        elif what == "fork":
            window[:] = self.up_to(1 - which, sum(number for number, _ in added))
        elif what == "read":
            for number, _ in added:
                assert sum(self.engine.read_ahead("document", PASSAGES[number])) == len(PASSAGES[number])
        elif what == "lose":
            for path in sorted((self.folder / "passages").glob("*/*/*.state"))[:1]:
                path.unlink()
        elif what == "reopen":
            self.engine._cache.put_away()  # what closing does, without closing the runtime
            self.runtime.keep(0)
            self.engine = self.opened()
        else:
            self.ask(window, added)

    def up_to(self, which: int, passages: int) -> list[int]:
        """Another conversation up to the end of one of its passages."""
        window, end = self.windows[which], len(PREFIX)
        for run in islice(runs(window[end:]), 2 * passages):  # each has something that is evaluated before it
            end += len(run)
        return window[:end]

    def said(self, added: list[tuple[int, bool]]) -> list[int]:
        blocks = [(number, joined(PASSAGES[number]) if joins else PASSAGES[number]) for number, joins in added]
        self.asked += 1
        question = [(self.asked * 31 + place * place) % 200 + 5 for place in range(QUESTION)]
        return [*(entry for number, block in blocks for entry in (*[300 + number] * LABEL, *block)), *question]

    def ask(self, window: list[int], added: list[tuple[int, bool]]) -> None:
        grown = [*window, *self.said(added)]
        if len(grown) >= WINDOW:
            return
        found = taken_in(self.engine, grown)
        window[:] = grown
        self.engine.settle(window)
        self.reference.keep(0)
        with TemporaryDirectory() as nothing:
            fresh = Engine(self.reference, states=PassageStates(Path(nothing), "key", PREFIX, 0))
            np.testing.assert_allclose(found, taken_in(fresh, window), atol=TOLERANCE)


@given(steps=steps)
@settings(max_examples=15, deadline=None)
def test_the_logits_are_those_from_scratch(
    runtimes: tuple[LlamaRuntime, LlamaRuntime], steps: list[tuple[str, int, list[tuple[int, bool]]]]
) -> None:
    with TemporaryDirectory() as folder:
        conversations = Conversations(*runtimes, Path(folder))
        for step in steps:
            conversations.step(*step)


@pytest.mark.parametrize("kept", [1, 2, 3])
def test_going_back_to_the_end_of_any_passage(
    runtimes: tuple[LlamaRuntime, LlamaRuntime], tmp_path: Path, kept: int
) -> None:
    """What local layers no longer saw is seen again."""
    four = [(number, True) for number in range(4)]
    conversations = Conversations(*runtimes, tmp_path)
    for what, which, added in [
        ("read", 0, four),
        ("turn", 0, four),
        ("restart", 1, []),
        ("turn", 1, four[:kept]),
        ("turn", 0, []),
    ]:
        conversations.step(what, which, added)
