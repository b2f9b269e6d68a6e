"""Is a window of passages that were read ahead the same as one joined live? `python -m benchmarks.joining --data DIR`

Takes five passages for each of some questions of DIR/pdfqa_northwind and DIR/qa_covidqa into a window twice: with
states that were written to the disk before, and without any, so that each passage is evaluated by itself and joined at
once. The logits behind the question are compared, with the window kept as q8_0 and as f16.

The last line is JSON: for each type the mean and the largest divergence (KL, in nats; the goals are 0 for q8_0 and
below 0.02 for f16), and the largest difference of two logits.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1]))  # run as a file, benchmarks/ would stand before the packages

import numpy as np
from numpy.typing import NDArray

from app.llm.engine import Engine
from app.llm.joined import joined
from app.llm.passages import PassageStates
from app.llm.runtime import Context, LlamaRuntime
from app.models.geometry import KvType
from app.prompting import prompt
from app.settings import Settings
from benchmarks.read_ahead import Case, cases

TYPES: tuple[KvType, ...] = ("q8_0", "f16")
_WINDOW = 4096
_ROOM = 1 << 40


class Comparison:
    """One model, loaded twice: with what was read ahead, and without."""

    def __init__(self, model: Path, kv_type: KvType, folder: Path) -> None:
        context = Context(_WINDOW, kv_type=kv_type, joins=True)
        self._runtimes = [LlamaRuntime(model, context) for _ in range(2)]
        self._prefix = self._tokens(prompt("answer").text)
        self._ahead, self._live = (
            Engine(runtime, states=PassageStates(folder / name, kv_type, self._prefix, room))
            for runtime, name, room in zip(self._runtimes, ("ahead", "live"), (_ROOM, 0), strict=True)
        )

    def close(self) -> None:
        """Gives the memory of both back."""
        for runtime in self._runtimes:
            runtime.close()

    def measure(self, case: Case) -> tuple[float, float]:
        """The divergence, and the largest difference of two logits."""
        window = list(self._prefix)
        for number, passage in enumerate(case.passages, 1):
            body = self._tokens(f"]\n{passage.chunk.text}\n\n")
            if self._ahead.fits_beside(body):
                for _ in self._ahead.read_ahead("benchmark", body):
                    pass
            window += [*self._tokens(f"[{number}"), *joined(body)]
        window += self._tokens(f"Question: {case.text}\nAnswer:")
        ahead, live = (self._logits(engine, window) for engine in (self._ahead, self._live))
        return _divergence(live, ahead), float(np.abs(live - ahead).max())

    def _logits(self, engine: Engine, window: Sequence[int]) -> NDArray[np.float64]:
        runtime = self._runtimes[0]
        return np.array(engine.weigh(window, range(runtime.vocabulary_size)), np.float64)

    def _tokens(self, text: str) -> list[int]:
        return self._runtimes[0].tokenize(text, special=False)


def _divergence(expected: NDArray[np.float64], found: NDArray[np.float64]) -> float:
    one, other = (each - each.max() - np.log(np.exp(each - each.max()).sum()) for each in (expected, found))
    return float((np.exp(one) * (one - other)).sum())


def measures(model: Path, some: Sequence[Case]) -> Iterator[tuple[str, float]]:
    """The measures over some questions, by name."""
    for kv_type in TYPES:
        with TemporaryDirectory() as folder, closing(Comparison(model, kv_type, Path(folder))) as comparison:
            rows = []
            for case in some:
                rows.append(comparison.measure(case))
                print(kv_type, case.id, *(f"{value:.6f}" for value in rows[-1]), flush=True)
        divergences, differences = zip(*rows, strict=True)
        yield f"kl_mean_{kv_type}", round(mean(divergences), 6)
        yield f"kl_max_{kv_type}", round(max(divergences), 6)
        yield f"difference_max_{kv_type}", round(max(differences), 6)


def main() -> None:
    """Measures, and prints a line for each question and one of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--home", type=Path, help="where documents are ingested (default: TRANSOM_HOME/evaluation)")
    parser.add_argument("--model", type=Path, required=True, help="a GGUF file")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--json", action="store_true", help="for those who read the last line only")
    options = parser.parse_args()
    home = options.home or Settings.load().home / "evaluation"
    some = [case for case in cases(options.data, home, options.count) if not case.pair]
    print(json.dumps({"questions": len(some), **dict(measures(options.model, some))}))


if __name__ == "__main__":
    main()
