"""Is every token evaluated once, and is that as fast as it can be? `python -m benchmarks.window --data DIR [--json]`

Five parts, each to be had alone with `--only`; what they measure exactly stands in the modules of `benchmarks.windows`:

- followups: a conversation of 12 turns over DIR/pdfqa_northwind, beside llama.cpp alone, and beside the usual way;
- restore: a window of 6,000 tokens, read back from the disk, beside evaluating it;
- switching: three conversations that share the model, asked in turn;
- decode: 1,000 generated tokens, beside a bare loop;
- kv: the memory that was planned for KV caches, beside what llama.cpp allocates.

All but the last run one small model (`--model`), by default the GGUF of Gemma 3 270M in the models folder. The last
line is JSON. `reevaluated_tokens` are those of followups and switching; the goals are at most 1.15 for
`followup_ratio`, 0.005 for `restore_ratio`, 0.05 for `kv_plan_error`, and at least 0.95 for `decode_ratio`.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # run as a file, benchmarks/ would stand before the packages

from app.models.catalogue import STARTER, by_name
from app.settings import Settings
from benchmarks.windows import decoding, followups, planned, restoring, switching
from benchmarks.windows.corpus import Corpus, opened
from tests.gemma4 import DENSE, SHARED, write

PARTS = ("followups", "restore", "switching", "decode", "kv")
SMALL = "gemma-3-270m-q4_k_m.gguf"
"""What the file is called in the packages that it comes in."""
Say = Callable[[Iterable[str]], None]


class Measuring:
    """The parts, one by one; what each finds goes into `result`."""

    def __init__(self, arguments: argparse.Namespace, say: Say) -> None:
        self._arguments = arguments
        self._say = say
        self.result: dict[str, Any] = {}

    def run(self, parts: Iterable[str]) -> None:
        """Measures these parts."""
        wanted = [part for part in PARTS if part in parts]
        with self._corpus(wanted) as corpus:
            for part in wanted:
                getattr(self, f"_{part}")(corpus)

    @contextmanager
    def _corpus(self, parts: list[str]) -> Iterator[Corpus | None]:
        if parts == ["kv"]:
            yield None
            return
        with opened(self._arguments.data / "pdfqa_northwind") as corpus:
            yield corpus

    def _followups(self, corpus: Corpus) -> None:
        turns = list(followups.measure(self._arguments.model, corpus))
        self._say(followups.table(turns))
        found = followups.summary(turns)
        self._reevaluated(int(found.pop("reevaluated_tokens")))
        self.result |= found

    def _restore(self, corpus: Corpus) -> None:
        restored = list(restoring.measure(self._arguments.model, corpus.text()))
        self._say(restoring.table(restored))
        self.result |= restoring.summary(restored)

    def _switching(self, corpus: Corpus) -> None:
        rounds = list(switching.measure(self._arguments.model, corpus))
        self._say(switching.table(rounds))
        self._reevaluated(sum(each.twice for each in rounds))

    def _decode(self, corpus: Corpus) -> None:
        decoded = list(decoding.measure(self._arguments.model, corpus.text(), self._arguments.repeats))
        self._say(decoding.table(decoded))
        self.result["decode_ratio"] = round(median(each.engine / each.bare for each in decoded), 3)

    def _kv(self, _: Corpus | None) -> None:
        with TemporaryDirectory() as folder:
            tiny = {f"{name} gemma4": write(Path(folder) / name, shape) for name, shape in _TINY.items()}
            models = {path.stem[:24]: path for path in (self._arguments.model, self._arguments.starter)}
            held = list(planned.measure(models | tiny))
        self._say(planned.table(held))
        self.result["kv_plan_error"] = round(max(each.error for each in held), 4)

    def _reevaluated(self, tokens: int) -> None:
        self.result["reevaluated_tokens"] = self.result.get("reevaluated_tokens", 0) + tokens


_TINY = {"dense": DENSE, "shared": SHARED}


def _arguments() -> argparse.Namespace:
    folder, starter = Settings.load().models_folder, by_name(STARTER)
    assert starter is not None
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, required=True, help="holds the folder pdfqa_northwind")
    options.add_argument("--model", type=Path, default=folder / SMALL, help="the GGUF that is measured")
    options.add_argument("--starter", type=Path, default=folder / starter.file_name, help="one more for kv")
    options.add_argument("--only", choices=PARTS, action="append", help="this part; may be given several times")
    options.add_argument("--repeats", type=int, default=3, help="runs of decode, of which the median counts")
    options.add_argument("--json", action="store_true", help="only the last line")
    return options.parse_args()


def main() -> None:
    """Measures, and prints."""
    arguments = _arguments()

    def say(lines: Iterable[str]) -> None:
        if not arguments.json:
            print(*lines, "", sep="\n", flush=True)

    measuring = Measuring(arguments, say)
    measuring.run(arguments.only or PARTS)
    print(json.dumps(measuring.result))


if __name__ == "__main__":
    main()
