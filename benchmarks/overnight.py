"""Does reading ahead keep out of the way, and within its limit? `python -m benchmarks.overnight --data DIR [--json]`

The background reader reads DIR/pdfqa_northwind ahead under a limit of 300 MB, while 20 questions are asked at random
times. After half of them the process is killed (`kill -9`) and another one goes on.

The last line is JSON: `late_batches_max` (batches of the reader that began after a question was asked and before it had
the model; the goal is 0: the one that runs may end), `wait_ms_max` beside `batch_ms_max` (how long a question waited
for the model, its search included, and the longest batch), `bytes_max` beside `limit`, `states_at_kill` and `states`,
`damaged` (states that cannot be read, the one that the kill cut off among them).
"""

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # run as a file, benchmarks/ would stand before the packages

from app.ahead.background import Background
from app.answers import Reading
from app.assistant import Assistant
from app.evaluation.answers import choose
from app.evaluation.corpus import fill, open_corpus
from app.evaluation.questions import QuestionSet, read_questions
from app.ingesting import Ingests
from app.llm.passages import bytes_held
from app.llm.statefile import read_head, read_state
from app.models.catalogue import STARTER, by_name
from app.settings import AnsweringSettings, Settings
from app.turns import Turns
from ingest.display import show
from ingest.index import Where
from ingest.library import DEFAULT_COLLECTION

_LIMIT = 300_000_000
_QUESTIONS = 20
_APART = (1.0, 25.0)
"""Seconds between two questions, from and to."""
_EVERYTHING = Where(collection=DEFAULT_COLLECTION)


@dataclass(slots=True)
class Batches:
    """When the reader evaluated something."""

    times: list[tuple[float, float]] = field(default_factory=list)

    def watch(self, spare: Any) -> None:
        """Notes every batch of a spare sequence from now on."""
        decode = spare.decode

        def noted(tokens: Sequence[int]) -> None:
            began = time.monotonic()
            decode(tokens)
            self.times.append((began, time.monotonic()))

        spare.decode = noted

    def late(self, asked: float, had: float) -> int:
        """How many began after a question was asked and before it had the model."""
        return sum(asked < began < had for began, _ in self.times)

    @property
    def longest(self) -> float:
        """Seconds."""
        return max((end - began for began, end in self.times), default=0.0)


def ask(data: Path, base: Path, model: Path, first: int, last: int) -> None:
    """Asks some of the questions while the reader reads, and prints a line of JSON for each."""
    questions, settings = _set(data), _settings(model)
    with open_corpus(questions, settings, base) as library:
        show(fill(library, questions), as_json=False)
        own = settings.model_copy(update={"home": library.settings.home})
        library.search("warms up what is loaded at the first search", 1, _EVERYTHING)
        with Assistant.open(own, library) as assistant, _reading(assistant) as (turns, batches):
            for number, question in enumerate(choose(questions, _QUESTIONS)[first:last], first):
                time.sleep(random.Random(number).uniform(*_APART))
                asked = time.monotonic()
                with turns.turn(lambda _: None):
                    had = _had_model(assistant, question.text)
                row = {"late": batches.late(asked, had), "wait": had - asked, "batch": batches.longest}
                print(json.dumps(row), flush=True)


def _had_model(assistant: Assistant, question: str) -> float:
    """When a question had the model; it is answered to its end."""
    had = 0.0
    for event in assistant.stream(question, _EVERYTHING):
        if isinstance(event, Reading):
            had = had or time.monotonic()
    return had or time.monotonic()


@contextmanager
def _reading(assistant: Assistant) -> Iterator[tuple[Turns, Batches]]:
    turns, batches = Turns(), Batches()
    batches.watch(assistant.engine.runtime.spare)
    with closing(Background(lambda: assistant.reader, turns, Ingests(), quiet=0.5)) as background:
        background.begin()
        yield turns, batches


def _set(data: Path) -> QuestionSet:
    return read_questions(data / "pdfqa_northwind")


def _settings(model: Path) -> Settings:
    settings = Settings.load()
    answering = AnsweringSettings(read_ahead="on", answer_tokens=16)
    window = settings.window.model_copy(update={"ahead_gb": _LIMIT / 1e9})
    named = settings.model.model_copy(update={"name": str(model)})
    return settings.model_copy(update={"answering": answering, "window": window, "model": named})


def _nothing(_: str) -> None:
    """Only the last line is wanted."""


class Night:
    """Two processes, of which the first is killed, and a look at the disk all the time."""

    def __init__(self, arguments: argparse.Namespace, base: Path) -> None:
        self._command = [sys.executable, "-m", "benchmarks.overnight", "--data", str(arguments.data)]
        self._command += ["--model", str(arguments.model), "--home", str(base)]
        self._base = base
        self._most = 0
        self._say: Callable[[str], None] = _nothing if arguments.json else partial(print, flush=True)

    def run(self) -> dict[str, float]:
        """What the night was like."""
        half = _QUESTIONS // 2
        rows = self._asked(0, half, kill=True)
        at_kill = len(self._states())
        rows += self._asked(half, _QUESTIONS, kill=False)
        return {
            "questions": len(rows),
            "late_batches_max": max(row["late"] for row in rows),
            "wait_ms_max": round(1e3 * max(row["wait"] for row in rows)),
            "batch_ms_max": round(1e3 * max(row["batch"] for row in rows)),
            "bytes_max": self._most,
            "limit": _LIMIT,
            "states_at_kill": at_kill,
            "states": len(self._states()),
            "damaged": sum(not _is_whole(path) for path in self._states()),
        }

    def _asked(self, first: int, last: int, kill: bool) -> list[dict[str, float]]:
        command = [*self._command, "--ask", str(first), str(last)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as asking:
            assert asking.stdout is not None
            rows = []
            for line in asking.stdout:
                if line.startswith("{"):
                    rows.append(json.loads(line))
                    self._say(line.strip())
                    self._most = max(self._most, sum(map(bytes_held, self._base.glob("*/passages"))))
                    if kill and len(rows) == last - first:
                        time.sleep(3)  # it reads again
                        asking.kill()
        return rows

    def _states(self) -> list[Path]:
        return list(self._base.glob("*/passages/*/*/*.state"))


def _is_whole(path: Path) -> bool:
    head = read_head(path)
    return head is not None and read_state(path, head.tokens) is not None


def main() -> None:
    """Measures, and prints a line of JSON."""
    starter = by_name(STARTER)
    assert starter is not None
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="holds the folder pdfqa_northwind")
    parser.add_argument("--model", type=Path, default=Settings.load().models_folder / starter.file_name)
    parser.add_argument("--home", type=Path, help="where documents are ingested (default: a folder of its own)")
    parser.add_argument("--ask", type=int, nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="only the line of JSON")
    options = parser.parse_args()
    if options.ask:
        ask(options.data, options.home, options.model, *options.ask)
        return
    with TemporaryDirectory() as folder:
        print(json.dumps(Night(options, options.home or Path(folder)).run()))


if __name__ == "__main__":
    main()
