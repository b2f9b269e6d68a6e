"""Passages + budget -> what goes into the window. Pure."""

from collections.abc import Callable, Sequence

from ingest.documents import Passage


def fit(
    passages: Sequence[Passage], cost: Callable[[Sequence[Passage]], int], budget: int
) -> tuple[list[Passage], list[Passage]]:
    """Takes passages in their order while `cost` of all taken stays within `budget` tokens.

    `cost` counts the tokens of the whole text that would be added, exactly, so that nothing ever overflows.
    A passage that is too large is left out and the next one tried. Returns (taken, left out).
    """
    taken: list[Passage] = []
    left_out: list[Passage] = []
    for passage in passages:
        if cost([*taken, passage]) <= budget:
            taken.append(passage)
        else:
            left_out.append(passage)
    return taken, left_out
