"""Where does the model read the best passage best: first, or last, next to the question?

How likely the right answer is (negative log-likelihood per token, in nats) behind the same passages in both orders, for
questions that have a short answer and whose passages hold it. Nothing is generated.

    python -m benchmarks.order --data DIR --model FILE [--questions 20] [--passages 5] [--json]
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from tempfile import TemporaryDirectory

import numpy as np

from app.llm.dialogue import Dialogue
from app.llm.ledger import Ledger
from app.llm.runtime import BATCH, Context, LlamaRuntime
from app.prompting import prompt
from app.wording import asked, shown
from ingest.documents import Passage
from ingest.library import Library
from ingest.settings import IngestSettings


@dataclass(frozen=True, slots=True)
class Case:
    """A question, its answer, and passages that hold it; the best is the first."""

    question: str
    answer: str
    passages: list[Passage]


def main() -> None:
    """Prints the means of both orders, and of their difference with its standard error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a set with docs/ and questions.jsonl")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=20)
    parser.add_argument("--passages", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    runtime = LlamaRuntime(options.model, Context(4096))
    first, last = [], []
    with TemporaryDirectory() as home, Library(IngestSettings.load(home=Path(home))) as library:
        folder = options.data / "docs"
        for _ in library.ingest([folder if folder.exists() else options.data / "documents"]):
            pass
        for case in list(cases(options.data, library, options.passages))[: options.questions]:
            first.append(unlikelihood(runtime, case, case.passages))
            last.append(unlikelihood(runtime, case, case.passages[::-1]))
            print(f"{len(first):3}  first {first[-1]:.3f}  last {last[-1]:.3f}", file=sys.stderr)
    differences = [one - other for one, other in zip(last, first, strict=True)]
    error = stdev(differences) / len(differences) ** 0.5
    result = {"best_first": mean(first), "best_last": mean(last), "last_minus_first": mean(differences), "error": error}
    print(
        json.dumps(result) if options.json else "\n".join(f"{name:>16} {value:.3f}" for name, value in result.items())
    )


def cases(data: Path, library: Library, count: int) -> Iterator[Case]:
    """Questions with an answer of their own words in one of the passages found, but not in all."""
    for line in (data / "questions.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        if not (row["docs_present"] and row["answerable"] and row["answers"]):
            continue
        passages = library.search(row["question"], count)
        if holds(passages[0], row):
            yield Case(row["question"], row["answers"][0], passages)


def holds(passage: Passage, row: dict[str, list[dict[str, object]]]) -> bool:
    """Whether a passage stands where the evidence is."""
    pages = {(Path(str(each["doc"])).name, each.get("page")) for each in row["evidence"]}
    chunk = passage.chunk
    name = Path(chunk.uri).name
    return any(doc == name and (page is None or not chunk.pages or page in chunk.pages) for doc, page in pages)


def unlikelihood(runtime: LlamaRuntime, case: Case, passages: Sequence[Passage]) -> float:
    """Of the answer's tokens behind a window with these passages, in nats a token."""
    dialogue = Dialogue(runtime)
    ledger = Ledger(dialogue, prompt("answer").text)
    said = shown(ledger.numbered(passages), dialogue) + asked(case.question, (), dialogue)
    window = ledger.tokens + ledger.question(said)
    answer = dialogue.text(case.answer)[: BATCH - 1]
    runtime.keep(0)
    for start in range(0, len(window) - 1, BATCH):
        runtime.decode(window[start : min(start + BATCH, len(window) - 1)])
    logits = runtime.logits([window[-1], *answer[:-1]]).astype(np.float64)
    logits -= logits.max(axis=1, keepdims=True)
    logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return float(-logs[np.arange(len(answer)), answer].mean())


if __name__ == "__main__":
    main()
