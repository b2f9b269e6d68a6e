"""Can it be known before the model is asked? `python -m benchmarks.judge --data DIR [--home DIR] [--sets ...] [--json]`

Asks the questions of some sets, fits the weights of `app/evidence.py` to what was found, each set counting alike, and
says for thresholds what is abstained from. Figures of a set with many unanswerable questions (qa_clapnq_dev) are
cross-validated in five parts; those of each other set come from weights that were fitted without it.
The last line is JSON: the weights, and the figures by threshold. Sets are ingested once, into HOME.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from app.evaluation.corpus import fill, open_corpus
from app.evaluation.questions import read_questions
from app.evidence import evidence
from app.settings import Settings

_SETS = ("qa_clapnq_dev", "pdfqa_northwind", "qa_covidqa")
_PASSAGES = 5
_MOST_QUESTIONS = 600
_RIDGE = 0.01
_PARTS = 5
_THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
_FOREIGN = (
    "who won the world cup in 1998",
    "how do i bake sourdough bread",
    "what is the capital of mongolia",
    "when did the beatles break up",
    "how many moons does jupiter have",
    "who wrote crime and punishment",
    "what is the boiling point of ethanol",
    "how to change a bicycle tyre",
)
"""Questions that none of the collections answers."""

Values = NDArray[np.float64]
Table = tuple[Values, Values]
"""Evidence, a row for each question, and whether it can be answered."""


def collect(folder: Path, home: Path) -> tuple[Table, Table]:
    """The evidence for the questions of a set, and for foreign ones in the same documents."""
    questions = read_questions(folder)
    with open_corpus(questions, Settings(), home) as library:
        for _ in fill(library, questions):
            pass
        asked = [(each.text, each.answerable) for each in questions.questions[:_MOST_QUESTIONS]]

        def table(pairs: Sequence[tuple[str, bool]]) -> Table:
            rows = [evidence(text, library.search(text, _PASSAGES)).values for text, _ in pairs]
            return np.array(rows), np.array([answerable for _, answerable in pairs], dtype=np.float64)

        return table(asked), table([(text, False) for text in _FOREIGN])


def fit(tables: Sequence[Table]) -> Values:
    """A constant and weights by logistic regression; each table counts alike, however long."""
    found, right = np.vstack([rows for rows, _ in tables]), np.concatenate([labels for _, labels in tables])
    share = np.concatenate([np.full(len(labels), 1 / len(labels)) for _, labels in tables])
    mean, spread = found.mean(axis=0), found.std(axis=0) + 1e-9
    scaled = (found - mean) / spread

    def loss(weights: Values) -> float:
        margins = (2 * right - 1) * (scaled @ weights[1:] + weights[0])
        return float((share * np.logaddexp(0, -margins)).sum() / share.sum() + _RIDGE * (weights[1:] ** 2).sum())

    weights: Values = minimize(loss, np.zeros(found.shape[1] + 1)).x
    return np.concatenate([[weights[0] - (weights[1:] * mean / spread).sum()], weights[1:] / spread])


def confidences(weights: Values, found: Values) -> Values:
    """Between 0 and 1, for each row."""
    odds: Values = 1 / (1 + np.exp(-(found @ weights[1:] + weights[0])))
    return odds


def cross_validated(table: Table, rest: Sequence[Table]) -> Values:
    """Confidences of a table's rows, each from weights that were fitted without its part of the table."""
    found, right = table
    part = np.random.default_rng(0).integers(0, _PARTS, len(right))
    result = np.zeros(len(right))
    for number in range(_PARTS):
        others = (found[part != number], right[part != number])
        result[part == number] = confidences(fit([others, *rest]), found[part == number])
    return result


def figures(confident: Values, right: Values, threshold: float) -> dict[str, float]:
    """What abstaining below a threshold does: answers lost, and precision and recall where some cannot be answered."""
    abstained, unanswerable = confident < threshold, right == 0
    values = {"lost": float(abstained[~unanswerable].mean()) if (~unanswerable).any() else 0.0}
    if unanswerable.any():
        values["precision"] = float((abstained & unanswerable).sum() / max(abstained.sum(), 1))
        values["recall"] = float(abstained[unanswerable].mean())
    return {name: round(value, 3) for name, value in values.items()}


def judged(sets: dict[str, Table]) -> Iterator[tuple[str, Values, Values]]:
    """For each set, confidences that do not know its answers, and the answers."""
    for name, (found, right) in sets.items():
        rest = [table for other, table in sets.items() if other != name]
        mixed = (right == 0).any() and len(right) > len(_FOREIGN) * _PARTS
        yield name, cross_validated((found, right), rest) if mixed else confidences(fit(rest), found), right


def main() -> None:
    """Measures all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--home", type=Path, default=Settings().home / "evaluation")
    parser.add_argument("--sets", nargs="+", default=[*_SETS], help="folders below DIR")
    parser.add_argument("--json", action="store_true", help="only the last line")
    given = parser.parse_args()
    folders = [*(given.data / name for name in given.sets), Path("examples")]
    collected = {folder.name: collect(folder, given.home) for folder in folders}
    sets = {name: asked for name, (asked, _) in collected.items()}
    foreign = {name: outside for name, (_, outside) in collected.items()}
    weights = fit([*sets.values()])
    result: dict[str, Any] = {"weights": [round(float(weight), 2) for weight in weights]}
    confident = list(judged(sets))
    for threshold in _THRESHOLDS:
        row = {name: figures(values, right, threshold) for name, values, right in confident}
        outside = np.concatenate([confidences(weights, found) for found, _ in foreign.values()])
        result[str(threshold)] = {**row, "foreign": {"recall": round(float((outside < threshold).mean()), 3)}}
        if not given.json:
            print(threshold, result[str(threshold)])
    print(json.dumps(result))


if __name__ == "__main__":
    main()
