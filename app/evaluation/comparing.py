"""What changed between two runs over the same questions, and whether it is more than chance."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import permutation_test

from app.evaluation.retrieval import Run
from ingest.errors import UsageError

COMPARED = ("ndcg@10", "mrr@10", "hit@5")
_RESAMPLES = 9_999


@dataclass(frozen=True, slots=True)
class Change:
    """How a measure of a ranking changed."""

    ranking: str
    measure: str
    before: float
    after: float
    better: int
    """Questions."""
    worse: int
    p: float
    """Of the paired randomisation test, two-sided: how likely so large a difference is by chance alone."""

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def changes(before: Run, after: Run) -> Iterator[Change]:
    """Compares the questions that both runs asked; raises :class:`UsageError` where there is none."""
    for ranking in after.questions:
        old, new = before.questions.get(ranking, {}), after.questions[ranking]
        both = [question for question in new if question in old]
        if not both:
            raise UsageError("The two runs have no question in common.", "Compare runs over the same question set.")
        for measure in COMPARED:
            pair = (np.array([run[question][measure] for question in both]) for run in (old, new))
            yield _change(ranking, measure, *pair)


def _change(ranking: str, measure: str, old: NDArray[np.float64], new: NDArray[np.float64]) -> Change:
    better, worse = int((new > old).sum()), int((new < old).sum())
    return Change(ranking, measure, float(old.mean()), float(new.mean()), better, worse, p_value(old, new))


def p_value(old: NDArray[np.float64], new: NDArray[np.float64]) -> float:
    """The paired randomisation test of the mean difference; 1 where less than two questions differ."""
    difference = (new - old)[new != old]  # what is equal stays equal, however it is exchanged
    if len(difference) < 2:
        return 1.0
    test = permutation_test(
        (difference,), np.mean, permutation_type="samples", n_resamples=_RESAMPLES, batch=500, rng=0
    )
    return float(test.pvalue)
