"""What rankings are worth: trec_eval's measures by pytrec_eval, recall, and how long it took. Pure."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytrec_eval

Values = dict[str, float]
"""A value for each measure."""

CUTS = (5, 10, 100)
"""Ranks at which recall is told."""

MEASURES = ("ndcg@10", "mrr@10", "hit@5", *(f"recall@{cut}" for cut in CUTS))

_TREC = {"ndcg_cut_10": "ndcg@10", "recip_rank": "mrr@10", "success_5": "hit@5"}


def score(ranks: Sequence[frozenset[int]], grades: Sequence[int]) -> Values:
    """The measures of one ranking.

    `ranks` holds for each rank which places of evidence are met there, by their position in `grades`. A place counts
    where it is met first; what meets several at once is worth all of them together.
    """
    wanted: dict[str, int] = {str(place): grade for place, grade in enumerate(grades)}
    run: dict[str, float] = {}
    seen: set[int] = set()
    for rank, places in enumerate(ranks[:10]):
        new = sorted(places - seen)
        seen |= places
        run[str(new[0]) if new else f"no {rank}"] = -rank
        if new:
            wanted[str(new[0])] = sum(wanted.pop(str(place)) for place in new)
    values = pytrec_eval.RelevanceEvaluator({"q": wanted}, set(_TREC)).evaluate({"q": run or {"none": 0.0}})["q"]
    recall = {f"recall@{cut}": len(frozenset().union(*ranks[:cut])) / len(grades) for cut in CUTS}
    return {name: float(values[trec]) for trec, name in _TREC.items()} | recall


def mean(values: Mapping[str, Values]) -> Values:
    """The mean over all questions."""
    rows = list(values.values())
    return {name: round(float(np.mean([row[name] for row in rows])), 4) for name in rows[0]} if rows else {}


def spread(seconds: Sequence[float], name: str = "") -> Values:
    """Median and 95th percentile of durations, in milliseconds."""
    p50, p95 = np.percentile(seconds, [50, 95]) if seconds else (0.0, 0.0)
    return {f"{name}p50_ms": round(1000 * float(p50), 2), f"{name}p95_ms": round(1000 * float(p95), 2)}
