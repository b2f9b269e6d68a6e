"""What does the engine cost while it generates, beside `llama_decode` and a sampler alone?

Both write the same 1,000 tokens, in turns of 20, so that whatever else the machine does meets both. The engine's
tokens become the text that a person sees.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from app.llm.engine import Engine, Sampled
from app.llm.runtime import Context, LlamaRuntime
from app.llm.sampling import Sampling
from app.llm.visible import VisibleText
from benchmarks.windows.runtimes import BareRuntime, EndlessRuntime

TOKENS, SLICE = 1_000, 20
_CONTEXT = Context(window=2_048)
_SAMPLING = Sampling(temperature=2.0, top_k=64, top_p=1.0, seed=7)
"""Hot: who repeats himself is stopped by the engine."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """Tokens a second."""

    engine: float
    bare: float


def measure(model: Path, text: str, repeats: int) -> Iterator[Decoded]:
    """Several runs, one by one."""
    ours, bare = EndlessRuntime(model, _CONTEXT), BareRuntime(model, _CONTEXT)
    try:
        window = bare.tokenize(text, special=False)[:256]
        for _ in range(repeats):
            ours.keep(0)
            bare.reach([])
            bare.prefill(window)
            yield _side_by_side(_engines(ours, window), bare.generate(_SAMPLING))
    finally:
        ours.close()
        bare.close()


def _engines(runtime: LlamaRuntime, window: list[int]) -> Iterator[int]:
    """The tokens that the engine generates, each once its text could be shown."""
    visible = VisibleText()
    for event in Engine(runtime).complete(window, TOKENS + 1, _SAMPLING):
        if isinstance(event, Sampled):
            visible.feed(runtime.piece(event.token))
            yield event.token


def _side_by_side(ours: Iterator[int], bare: Iterator[int]) -> Decoded:
    if next(ours) != next(bare):  # not counted: before it lies the prefill
        raise RuntimeError("the two did not begin with the same token")
    seconds = [0.0, 0.0]
    for _ in range(TOKENS // SLICE):
        said = []
        for way, tokens in enumerate((ours, bare)):
            started = time.perf_counter()
            said.append(list(islice(tokens, SLICE)))
            seconds[way] += time.perf_counter() - started
        if said[0] != said[1]:
            raise RuntimeError("the two did not write the same text")
    return Decoded(*(TOKENS / each for each in seconds))


def table(decoded: list[Decoded]) -> Iterator[str]:
    """For people."""
    yield "   run   engine    bare  ratio"
    for number, each in enumerate(decoded, 1):
        yield f"{number:6} {each.engine:8.2f} {each.bare:7.2f} {each.engine / each.bare:6.3f}"
