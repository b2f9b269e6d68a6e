"""Are answers right, cited and honest? `python -m benchmarks.answers --data DIR [--count 40] [--sets NAME...] [--json]`

Asks `--count` questions of each set below DIR, always the same ones, half of them unanswerable where a set has
such, with the model of the settings; documents are ingested below --home (default: TRANSOM_HOME/evaluation), once.
The last line is JSON: for all sets together `f1`, `verified_share`, `citation_precision`, `abstain_precision` and
`abstain_recall` (means over the sets that can tell), and under `sets` what each gave.
"""

import argparse
import json
import sys
from pathlib import Path
from statistics import mean

sys.path.insert(0, str(Path(__file__).parents[1]))  # run as a file, the folder of this one would come first

from app.evaluation.metrics import Values
from app.evaluation.questions import read_questions
from app.evaluation.running import answer_questions
from app.settings import Settings

SETS = ("pdfqa_northwind", "qa_covidqa", "qa_clapnq_dev")
TOLD = ("f1", "verified_share", "citation_precision", "abstain_precision", "abstain_recall")
_ABSTAINING = ("abstain_precision", "abstain_recall")


def together(found: dict[str, Values], with_unanswerable: list[str]) -> Values:
    """The means; when to abstain, only a set with unanswerable questions can tell."""
    told = {}
    for measure in TOLD:
        names = with_unanswerable if measure in _ABSTAINING else list(found)
        told[measure] = round(mean(found[name][measure] for name in names), 4) if names else 0.0
    return told


def main() -> None:
    """Asks, and prints a line for each set and one of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--json", action="store_true", help="only the line of JSON")
    options = parser.parse_args()
    settings = Settings.load()
    found: dict[str, Values] = {}
    with_unanswerable = []
    for name in options.sets:
        questions = read_questions(options.data / name)
        found[name] = answer_questions(settings, questions, options.home or settings.home / "evaluation", options.count)
        if any(not question.answerable for question in questions.questions):
            with_unanswerable.append(name)
        if not options.json:
            print(name, found[name], flush=True)
    print(json.dumps({**together(found, with_unanswerable), "sets": found}))


if __name__ == "__main__":
    main()
