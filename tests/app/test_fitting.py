from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from app.fitting import fit
from ingest.documents import Passage
from tests.builders import passage


def characters(passages: Sequence[Passage]) -> int:
    return sum(len(each.chunk.text) for each in passages)


def test_a_passage_that_is_too_large_is_left_out_and_the_next_taken() -> None:
    small, large, other = passage("ab"), passage("x" * 50), passage("cd")
    assert fit([small, large, other], characters, 10) == ([small, other], [large])


def test_nothing_fits_into_nothing() -> None:
    assert fit([passage("a")], characters, 0)[0] == []


@given(st.lists(st.text("ab", min_size=1, max_size=30), max_size=12), st.integers(0, 100))
def test_never_overflows_and_loses_nothing(texts: list[str], budget: int) -> None:
    passages = [passage(text, start=index) for index, text in enumerate(texts)]
    taken, left_out = fit(passages, characters, budget)
    assert characters(taken) <= budget
    assert sorted(p.chunk.span for p in taken + left_out) == sorted(p.chunk.span for p in passages)
    assert taken == [p for p in passages if p in taken]
