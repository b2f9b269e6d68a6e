from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answers import Scope
from app.planning import LEAST, Budget, Costs, Wider, plan
from ingest.documents import Passage
from tests.builders import passage

ROOM = 1_000


def cost(each: Passage) -> int:
    return len(each.chunk.text)


COSTS = Costs(room=cost, reading=cost)


def passages(*sizes: int) -> list[Passage]:
    return [passage("x" * size, start=index) for index, size in enumerate(sizes)]


def wider(collection: list[Passage] | None, documents: list[Passage], sections: list[Passage]) -> Wider:
    return {"collection": lambda: collection, "documents": lambda: documents, "sections": lambda: sections}


def budget(patience: int | None, room: int = ROOM, part: int | None = None) -> Budget:
    part = room if part is None else part
    return Budget({"collection": part, "documents": part, "sections": part, "passages": room}, patience)


FOUND = passages(10, 10, 10)
AROUND = wider(passages(*[10] * 50), passages(*[10] * 20), passages(*[10] * 6))


@pytest.mark.parametrize(
    ("patience", "scope", "tokens"),
    [(500, "collection", 500), (499, "documents", 200), (199, "sections", 60), (59, "passages", 30)],
)
def test_the_widest_that_can_be_read_in_time_is_taken(patience: int, scope: Scope, tokens: int) -> None:
    chosen = plan(AROUND, FOUND, COSTS, budget(patience))
    assert chosen.scope == scope
    assert sum(map(cost, chosen.passages)) == tokens


def test_the_wider_scopes_leave_room_for_later_questions() -> None:
    assert plan(AROUND, FOUND, COSTS, budget(10_000, part=100)).scope == "sections"


def test_what_cannot_be_looked_at_is_passed_over() -> None:
    assert plan(wider(None, passages(5), passages(5)), FOUND, COSTS, budget(10_000)).scope == "documents"


def test_why_it_is_no_wider_is_told() -> None:
    slow = plan(AROUND, FOUND, COSTS, budget(59))
    assert slow.reason == (
        "The sections around the passages would take 60 tokens: 59 can be read within answering.patience."
    )
    small = plan(AROUND, FOUND, COSTS, budget(10_000, part=50))
    assert "the window has room for 50 of these" in small.reason


def test_as_long_as_the_speed_is_unknown_the_passages_are_read() -> None:
    chosen = plan(AROUND, passages(*[10] * 8), COSTS, budget(None))
    assert (chosen.scope, len(chosen.passages)) == ("passages", 8)
    assert "not known yet" in chosen.reason


def test_a_wished_scope_takes_its_time_and_fills_the_window_only() -> None:
    chosen = plan(AROUND, FOUND, COSTS, budget(1, room=100), wished="documents")
    assert (chosen.scope, len(chosen.passages)) == ("documents", 10)
    assert chosen.reason == "10 of 20 passages found no room."
    assert plan(AROUND, FOUND, COSTS, budget(10_000), wished="passages").passages == tuple(FOUND)


def test_a_passage_that_is_too_large_is_left_out_and_the_next_taken() -> None:
    small, large, other = passages(10, 900, 20)
    chosen = plan({}, [small, large, other], COSTS, budget(None, room=100))
    assert (chosen.passages, chosen.left_out) == ((small, other), (large,))


@given(st.lists(st.integers(1, 300), max_size=12), st.integers(0, 1_500), st.none() | st.integers(-50, 1_500))
def test_room_is_never_exceeded_and_patience_only_for_the_first_few(
    sizes: Sequence[int], room: int, patience: int | None
) -> None:
    found = passages(*sizes)
    chosen = plan({}, found, COSTS, budget(patience, room))
    tokens = sum(map(cost, chosen.passages))
    assert tokens <= room
    assert sorted(p.chunk.span for p in chosen.passages + chosen.left_out) == sorted(p.chunk.span for p in found)
    assert list(chosen.passages) == [each for each in found if each in chosen.passages]
    if patience is not None and tokens > patience:
        assert set(chosen.passages) <= set(found[:LEAST])
