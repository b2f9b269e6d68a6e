from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ingest.index import SparseTerms
from ingest.index.ranking import LOOKED_AT, Ranking, to_passages, words_weight

TERMS = SparseTerms((1, 2), (1.0, 1.0))
PAYLOAD = {
    "collection": "c",
    "uri": "a",
    "title": "",
    "text": "",
    "headings": [],
    "pages": [],
    "page_starts": [],
    "start": 0,
    "end": 1,
    "tokens": 1,
}


def hit(name: int, score: float, angle: float, document: str = "", ordinal: int = 0) -> Any:
    """A hit whose cosine to the query (1, 0) is that of `angle`, in degrees."""
    vector = [float(np.cos(np.radians(angle))), float(np.sin(np.radians(angle)))]
    place = {"document_id": document or str(name), "ordinal": ordinal}
    return SimpleNamespace(id=name, score=score, vector={"dense": vector}, payload=PAYLOAD | place)


def ranked(hits: list[Any], by_words: list[Any], ranking: Ranking = "final", limit: int = 100) -> list[str]:
    return [passage.chunk.id for passage in to_passages(([2.0, 0.0], TERMS), hits, by_words, limit, ranking)]


def test_words_are_worth_less_the_more_of_them_are_asked_for() -> None:
    assert words_weight(TERMS) == 0.1
    assert words_weight(SparseTerms((), ())) == 0.2  # nothing to divide by


def test_the_second_look_knows_the_cosine_of_what_words_have_found() -> None:
    near, far = hit(1, 0.7, 10), hit(2, 0.8, 80)
    by_words = [SimpleNamespace(id=1, score=5.0), SimpleNamespace(id=2, score=6.0)]
    assert ranked([far, near], by_words, "hybrid") == ["2", "1"]
    assert ranked([far, near], by_words) == ["1", "2"]


def test_what_is_like_the_best_gains() -> None:
    best = [hit(n, 0.9, 30 + n) for n in range(5)]
    like, unlike = hit(7, 0.5, 61), hit(8, 0.5, -60)
    assert ranked([*best, unlike, like], [])[-2:] == ["7", "8"]


def test_a_neighbour_that_was_found_speaks_for_a_chunk() -> None:
    hits = [hit(1, 0.9, 20, "d", 4), hit(2, 0.5, 50, "other", 5), hit(3, 0.5, 50.0001, "d", 5), hit(4, 0.1, 90)]
    assert ranked(hits, []) == ["1", "3", "2", "4"]


def test_what_gets_no_second_look_stays_behind() -> None:
    hits = [hit(n, 1.0 - n / 100, 90) for n in range(LOOKED_AT)] + [hit(99, 0.5, 0)]
    passages = to_passages(([1.0, 0.0], TERMS), hits, [], 100, "final")
    assert passages[-1].chunk.id == "99"
    assert [p.score for p in passages] == sorted((p.score for p in passages), reverse=True)
    assert passages[-1].dense_score == pytest.approx(1.0)


def test_of_copies_the_first_in_the_document_comes_first() -> None:
    hits = [hit(1, 0.9, 20, "d", 9), hit(2, 0.9, 20, "d", 2), hit(3, 0.9, 20, "d", 5)]
    assert ranked(hits, [], "hybrid") == ranked(hits, []) == ["2", "3", "1"]
