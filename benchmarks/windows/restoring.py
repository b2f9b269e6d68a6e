"""How long does it take to read a window of 6,000 tokens back, and are the logits behind it the same?

The window is evaluated once, saved, and read back by the very parts that the engine uses. One more token is then
evaluated behind the window as it was, and behind the window as it came back.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from app.llm.runtime import Context
from app.llm.saved import SavedWindows
from benchmarks.windows.runtimes import BareRuntime

SIZES = (6_000, 6_016)
"""The second is a multiple of 64, the block in which llama.cpp sums: the numbers of local layers are put back from the
first cell on, so elsewhere sums may be made in another order."""
_ROOM = 8_192
_REPEATS = 5

SETTINGS = {
    "full": Context(_ROOM, swa_full=True, flash_attention=False),
    "full, flash attention": Context(_ROOM, swa_full=True, flash_attention=True),
    "windowed": Context(_ROOM, swa_full=False, flash_attention=False),
    "windowed, flash attention": Context(_ROOM, swa_full=False, flash_attention=True),
    "windowed, q8_0": Context(_ROOM, kv_type="q8_0", swa_full=False, flash_attention=True),
}
"""The first is the one that promises the same numbers."""

Logits = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Restored:
    """One window in one setting; seconds."""

    setting: str
    tokens: int
    prefill: float
    restore: float
    megabytes: float
    difference: float
    """Largest, of logits."""
    divergence: float
    """KL, in nats, of what the restored window predicts from what the uninterrupted one does."""
    same_token: bool


def measure(model: Path, text: str) -> Iterator[Restored]:
    """Every setting, and in it every size."""
    for name, context in SETTINGS.items():
        runtime = BareRuntime(model, context)
        try:
            yield from _measure(name, runtime, runtime.tokenize(text, special=False))
        finally:
            runtime.close()


def _measure(name: str, runtime: BareRuntime, tokens: Sequence[int]) -> Iterator[Restored]:
    if len(tokens) <= max(SIZES):
        raise ValueError("the documents are too short for a window of 6,000 tokens")
    prefill, kept = 0.0, {}
    for size in SIZES:  # goes on behind the shorter window: it need not be evaluated twice
        prefill += runtime.prefill(tokens[len(runtime.held) : size])
        state = runtime.state()
        prefill += runtime.prefill(tokens[size : size + 1])
        kept[size] = prefill, state, runtime.last_logits()
    for size, (seconds, state, expected) in kept.items():
        restore = median(_read_back(runtime, tokens[:size], state) for _ in range(_REPEATS))
        runtime.prefill(tokens[size : size + 1])
        yield _compared(name, size, seconds, restore, len(state), expected, runtime.last_logits())


def _read_back(runtime: BareRuntime, window: Sequence[int], state: bytearray) -> float:
    """Seconds from the file to a cache that holds the window."""
    with TemporaryDirectory() as folder:
        SavedWindows(Path(folder), "key", 1 << 40).save(window, state)
        opened = SavedWindows(Path(folder), "key", 1 << 40)
        started = time.perf_counter()
        saved = opened.best(window)
        read = saved and opened.load(saved)
        if not read or not runtime.restore(read):
            raise RuntimeError("a saved window could not be read back")
        return time.perf_counter() - started


def _compared(  # noqa: PLR0913 - what was measured
    name: str, size: int, prefill: float, restore: float, state: int, expected: Logits, found: Logits
) -> Restored:
    return Restored(
        setting=name,
        tokens=size,
        prefill=prefill,
        restore=restore,
        megabytes=state / 2**20,
        difference=float(np.abs(expected - found).max()),
        divergence=divergence(expected, found),
        same_token=int(expected.argmax()) == int(found.argmax()),
    )


def divergence(expected: Logits, found: Logits) -> float:
    """KL divergence in nats of the distribution of `found` from that of `expected`, both given as logits."""
    one, other = (each.astype(np.float64) - np.logaddexp.reduce(each.astype(np.float64)) for each in (expected, found))
    return float(np.sum(np.exp(one) * (one - other)))


def summary(restored: Sequence[Restored]) -> dict[str, float | bool]:
    """The ratio and the exactness of the first setting; how far the others are off."""
    first = [each for each in restored if each.setting == next(iter(SETTINGS))]
    others = [each for each in restored if each not in first]
    differences = {f"restore_max_logit_diff_{each.tokens}": each.difference for each in first}
    return {
        "restore_ratio": round(max(each.restore / each.prefill for each in first), 5),
        "restore_max_logit_diff": max(differences.values()),
        **differences,
        "restore_max_kl_elsewhere": max(each.divergence for each in others),
        "restore_same_token": all(each.same_token for each in restored),
    }


def table(restored: Sequence[Restored]) -> Iterator[str]:
    """For people."""
    yield f"{'setting':26} tokens  prefill   restore  prefill / restore     MB  logits differ by       KL  same token"
    for each in restored:
        yield (
            f"{each.setting:26} {each.tokens:6} {each.prefill:6.1f} s {each.restore * 1000:6.1f} ms "
            f"{each.prefill / each.restore:18.0f} {each.megabytes:6.1f} {each.difference:17.2g} {each.divergence:8.1g}"
            f"  {'yes' if each.same_token else 'NO'}"
        )
