from math import log2

import numpy as np
import pytest

from app.evaluation.comparing import changes, p_value
from app.evaluation.judging import met
from app.evaluation.metrics import score
from app.evaluation.questions import Evidence, Question
from app.evaluation.retrieval import Run
from ingest.documents import Chunk, Passage, Span
from ingest.errors import UsageError

NOTHING: frozenset[int] = frozenset()


def passage(uri: str, span: Span = (0, 100), pages: tuple[int, ...] = ()) -> Passage:
    chunk = Chunk(f"{uri}{span}", "c", uri, uri, "", 0, "x" * (span[1] - span[0]), (), pages, span, 1)
    return Passage(chunk, 1.0, 0, 1.0, 1.0)


def ask(*places: Evidence) -> Question:
    return Question("q", "?", places)


def test_the_best_passage_stands_for_its_document() -> None:
    found = [passage("b"), passage("b", (100, 200)), passage("a"), passage("b", (200, 300))]
    assert met(ask(Evidence("a")), found, "document") == [NOTHING, {0}]


def test_a_page_beside_the_evidence_counts_and_the_next_does_not() -> None:
    found = [passage("a", pages=(6,)), passage("a", pages=(3, 4)), passage("b", pages=(5,)), passage("a", pages=(7,))]
    assert met(ask(Evidence("a", 5)), found, "page") == [{0}, {0}, NOTHING, NOTHING]


def test_half_of_the_characters_must_be_there() -> None:
    places = (Evidence("a", span=(90, 110)), Evidence("a", span=(95, 195)), Evidence("a", span=(0, 900)))
    assert met(ask(*places), [passage("a", (0, 100)), passage("a", (100, 200))], "span") == [{0, 2}, {0, 1, 2}]


def test_measures_are_those_of_the_textbook() -> None:
    values = score([NOTHING, frozenset({1}), NOTHING, frozenset({0, 1})], [1, 2, 1])
    ideal = 2 / log2(2) + 1 / log2(3) + 1 / log2(4)
    assert values["ndcg@10"] == pytest.approx((2 / log2(3) + 1 / log2(5)) / ideal)
    assert values["mrr@10"] == 0.5
    assert values["hit@5"] == 1
    assert values["recall@5"] == pytest.approx(2 / 3)


def test_what_comes_after_the_tenth_rank_or_never_is_not_found() -> None:
    late = score([NOTHING] * 10 + [frozenset({0})], [1])
    assert (late["ndcg@10"], late["mrr@10"], late["hit@5"], late["recall@10"], late["recall@100"]) == (0, 0, 0, 0, 1)
    assert set(score([], [1]).values()) == {0.0}


def test_a_difference_is_told_from_chance() -> None:
    old = np.tile([0.0, 1.0], 20)
    assert p_value(old, old) == 1
    assert p_value(old, np.ones(40)) < 0.001
    assert p_value(np.array([0.0, 1.0, 1.0]), np.array([1.0, 0.0, 1.0])) == 1


def test_runs_are_compared_question_by_question() -> None:
    def run(**values: float) -> Run:
        rows = {name: {"ndcg@10": value, "mrr@10": value, "hit@5": value} for name, value in values.items()}
        return Run("set", "page", {"final": {}}, {"final": rows})

    first = next(changes(run(a=0.0, b=1.0, gone=1.0), run(a=1.0, b=1.0, new=0.0)))
    assert (first.before, first.after, first.better, first.worse) == (0.5, 1.0, 1, 0)
    with pytest.raises(UsageError, match="no question in common"):
        list(changes(run(a=0.0), run(b=0.0)))
