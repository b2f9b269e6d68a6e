"""What does reading ahead save, and what does it cost? `python -m benchmarks.read_ahead --data DIR [--json]`

Asks questions of DIR/pdfqa_northwind and DIR/qa_covidqa with five passages each, in a window that holds nothing but the
system's turn: once with the passages evaluated where they stand, once joined as they were read ahead. Then pairs of
these questions, asked as one, with the best passages of both. Measured are the time to the first token, token F1
against the known answers, and the surprise at them (mean negative log-likelihood, in nats a token).

The last line is JSON: `ttft_ratio` (median of fresh / joined; the goal is at least 20), `f1_fresh`, `f1_joined` (within
.02), `nll_fresh`, `nll_joined` (within 5 %), `join_ms_per_1000_tokens`, `bytes_per_token`, `two_passage_f1_fresh`,
`two_passage_f1_joined`, and the like for the likelihood of pairs. `--keep FILE` keeps what is measured, question by
question, so that a run that was stopped goes on.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # run as a file, benchmarks/ would stand before the packages

from app.evaluation.answers import choose, f1
from app.evaluation.corpus import fill, open_corpus
from app.evaluation.questions import Question, read_questions
from app.llm.dialogue import Dialogue
from app.llm.engine import Engine, Evaluated, Ready, Sampled
from app.llm.passages import PassageStates
from app.llm.runtime import Context, LlamaRuntime
from app.llm.sampling import Sampling
from app.models.catalogue import STARTER, by_name
from app.prompting import prompt
from app.settings import Settings
from app.wording import asked, body, nothing_ready, shown
from ingest.display import show
from ingest.documents import Passage
from ingest.index import Where
from ingest.library import DEFAULT_COLLECTION, Library

SETS = ("pdfqa_northwind", "qa_covidqa")
_EVERYTHING = Where(collection=DEFAULT_COLLECTION)
_PASSAGES = 5
_SAID = 48
"""Tokens of an answer, at most."""
_ROOM = 1 << 40
"""Bytes for states: all that are made."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One way of asking one question."""

    first: float
    """Seconds to the first token."""
    f1: float
    nll: float
    evaluated: int
    joined: int


@dataclass(frozen=True, slots=True)
class Case:
    """A question, or two asked as one."""

    id: str
    text: str
    answers: tuple[str, ...]
    passages: tuple[Passage, ...]
    pair: bool = False


class Asking:
    """Asks one model both ways."""

    def __init__(self, model: Path, folder: Path) -> None:
        runtime = LlamaRuntime(model, Context(8192, joins=True))
        self._dialogue = Dialogue(runtime)
        self._opening = self._dialogue.opening(prompt("answer").text)
        self.states = PassageStates(folder, str(model), self._opening, _ROOM)
        self._engine = Engine(runtime, states=self.states)

    def close(self) -> None:
        """Gives the model's memory back."""
        self._engine.close()

    def measure(self, case: Case) -> dict[str, Any]:
        """Both ways, and what joining takes by itself."""
        passages = [body(passage.chunk, self._dialogue) for passage in case.passages]
        for passage in passages:
            if not self.states.holds(passage):
                for _ in self._engine.read_ahead("benchmark", passage):
                    pass
        count = sum(map(len, passages))
        return {
            "id": case.id,
            "pair": case.pair,
            "joined": asdict(self._ask(case, self.states.holds)),
            "fresh": asdict(self._ask(case, nothing_ready)),
            "join_ms_per_1000_tokens": 1e6 * self._join(passages) / count,
            "bytes_per_token": sum(map(self.states.size, passages)) / count,
        }

    def _ask(self, case: Case, ready: Ready) -> Asked:
        self._empty()
        passages = dict(enumerate(case.passages, 1))
        said = [*shown(passages, self._dialogue, ready), *asked(case.text, (), self._dialogue)]
        window = [*self._opening, *said, *self._dialogue.before_answer()]
        started, first, tokens, progress = time.monotonic(), 0.0, [], Evaluated(0, 0, 0)
        for event in self._engine.complete(window, _SAID, Sampling()):
            if isinstance(event, Sampled):
                first = first or time.monotonic() - started
                tokens += [] if event.ends else [event.token]
            else:
                progress = event
        text = b"".join(map(self._engine.runtime.piece, tokens)).decode("utf-8", "replace")
        surprise = self._engine.surprise(window, self._dialogue.text(case.answers[0])[:_SAID])
        best = max(f1(text, answer) for answer in case.answers)
        return Asked(first, best, surprise, progress.done, progress.joined)

    def _empty(self) -> None:
        """Leaves nothing in the window but the system's turn."""
        for _ in self._engine.complete([*self._opening, self._opening[-1]], 1, Sampling()):
            pass

    def _join(self, passages: Sequence[Sequence[int]]) -> float:
        """Seconds to read the states of passages and put them into the window."""
        self._empty()
        place = start = len(self._opening)
        spare = self._engine.runtime.spare
        assert spare is not None
        started = time.monotonic()
        for passage in passages:
            state = self.states.load(passage)
            assert state is not None and spare.restore(state)
            spare.collect(start, start + len(passage), place)
            place += len(passage)
        spare.join()
        taken = time.monotonic() - started
        self._engine.runtime.keep(start)
        return taken


def cases(data: Path, base: Path, count: int) -> Iterator[Case]:
    """`count` questions, from each set as many, and half as many pairs."""
    for name in SETS:
        questions = read_questions(data / name)
        with open_corpus(questions, Settings.load(), base) as library:
            show(fill(library, questions), as_json=False)
            wanted = [each for each in choose(questions, count // len(SETS)) if each.answers]
            yield from (_case(library, question) for question in wanted)
            yield from (_pair(library, *two) for two in zip(wanted[::2], wanted[1::2], strict=False))


def _case(library: Library, question: Question) -> Case:
    passages = library.search(question.text, _PASSAGES, _EVERYTHING)
    return Case(question.id, question.text, question.answers, tuple(passages))


def _pair(library: Library, one: Question, other: Question) -> Case:
    """Two questions as one; each brings its best passages."""
    found = [library.search(question.text, _PASSAGES // 2 + 1, _EVERYTHING) for question in (one, other)]
    passages = {passage.chunk.id: passage for both in zip(*found, strict=True) for passage in both}
    text = f"{one.text} And: {other.text}"
    answer = f"{one.answers[0]} {other.answers[0]}"
    return Case(f"{one.id}+{other.id}", text, (answer,), tuple(passages.values()), pair=True)


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """The measures over all questions."""
    single = [row for row in rows if not row["pair"]]
    pairs = [row for row in rows if row["pair"]]

    def over(some: Sequence[dict[str, Any]], measure: str, way: str) -> float:
        return round(mean(row[way][measure] for row in some), 4) if some else 0.0

    told: dict[str, float] = {
        "questions": len(single),
        "ttft_ratio": round(median(row["fresh"]["first"] / row["joined"]["first"] for row in single), 1),
        "join_ms_per_1000_tokens": round(median(row["join_ms_per_1000_tokens"] for row in rows), 2),
        "bytes_per_token": round(mean(row["bytes_per_token"] for row in rows)),
    }
    for way in ("fresh", "joined"):
        told |= {f"{measure}_{way}": over(single, measure, way) for measure in ("first", "f1", "nll", "evaluated")}
        told |= {f"two_passage_{measure}_{way}": over(pairs, measure, way) for measure in ("f1", "nll")}
    return told


def _rows(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    keep: Path | None = options.keep
    known = [json.loads(line) for line in keep.read_text().splitlines()] if keep and keep.exists() else []
    yield from known
    ids = {row["id"] for row in known}
    home = options.home or Settings.load().home / "evaluation"
    with closing(Asking(options.model, home / "read-ahead")) as asking:
        for case in cases(options.data, home, options.count):
            if case.id in ids:
                continue
            row = asking.measure(case)
            if keep:
                with keep.open("a") as file:
                    file.write(json.dumps(row) + "\n")
            yield row


def main() -> None:
    """Measures, and prints a line for each question and one of JSON."""
    starter = by_name(STARTER)
    assert starter is not None
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--home", type=Path, help="where documents are ingested (default: TRANSOM_HOME/evaluation)")
    parser.add_argument("--model", type=Path, default=Settings.load().models_folder / starter.file_name)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--keep", type=Path, help="keeps what is measured; a run that was stopped goes on")
    parser.add_argument("--json", action="store_true", help="only the line of JSON")
    options = parser.parse_args()
    rows = []
    for row in _rows(options):
        rows.append(row)
        if not options.json:
            told = {way: {name: round(value, 3) for name, value in row[way].items()} for way in ("fresh", "joined")}
            print(row["id"], told, flush=True)
    print(json.dumps(summary(rows)))


if __name__ == "__main__":
    main()
