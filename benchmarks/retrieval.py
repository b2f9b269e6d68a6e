"""Is the right passage found? `python -m benchmarks.retrieval --data DIR [--home DIR] [--sets NAME...] [--json]`

Every folder of DIR that is a question set (see docs/retrieval.md) is measured as `transom eval retrieval` does, in one
process: each ranking, and what a search takes beside the embedding of its question. The numbers in
`ingest/index/ranking.py` are for all sets at once, so all are shown together. The documents are ingested below
--home (default: TRANSOM_HOME/evaluation), once. The last line is JSON: by set and ranking, the measures.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # run as a file, the folder of this one would come first

from app.evaluation.corpus import fill, open_corpus
from app.evaluation.questions import QuestionSet, read_questions
from app.evaluation.retrieval import Run, measure
from app.settings import Settings
from ingest.errors import UsageError

MAIN = {"document": "ndcg@10", "page": "hit@5", "span": "hit@5"}
"""What is looked at first, by what counts."""


def sets(data: Path, names: list[str] | None) -> Iterator[QuestionSet]:
    """The question sets below a folder, of which it is known where answers stand."""
    for folder in sorted(path for path in data.iterdir() if path.is_dir()):
        if names and folder.name not in names:
            continue
        try:
            found = read_questions(folder)
        except UsageError:
            continue  # not a question set
        if any(question.evidence for question in found.questions):
            yield found


def run(questions: QuestionSet, settings: Settings, home: Path) -> Run:
    """Ingests a set where that is still to do, and asks its questions."""
    with open_corpus(questions, settings, home) as library:
        for _ in fill(library, questions):
            pass
        return measure(library, questions, lambda: None)


def row(found: Run) -> str:
    """A run as a line of a table: the main measure and mrr@10 of each ranking, then times of the final one."""
    main = MAIN[found.by]
    cells = [f"{found.name}, {found.asked} questions: {main}, mrr@10"]
    cells += [f"{values[main]:.3f}, {values['mrr@10']:.3f}" for values in found.summary.values()]
    final = found.summary["final"]
    cells += [f"{final['characters@5']:,.0f}"]
    cells += [f"{final[f'search_{at}_ms']:.1f} of {final[f'{at}_ms']:.1f}" for at in ("p50", "p95")]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Measures, and prints a table and a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--sets", nargs="+")
    parser.add_argument("--json", action="store_true", help="only the line of JSON")
    options = parser.parse_args()
    settings = Settings.load()
    runs = []
    for questions in sets(options.data, options.sets):
        runs.append(run(questions, settings, options.home or settings.home / "evaluation"))
        if not options.json:
            print(row(runs[-1]), flush=True)
    print(json.dumps({found.name: {"by": found.by, "questions": found.asked, **found.summary} for found in runs}))


if __name__ == "__main__":
    main()
