from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.llm.sampling import repeats

blocks = st.lists(st.integers(0, 300), min_size=1, max_size=64)


def text(words: str) -> list[int]:
    """Bytes as tokens: the hardest case, since forms repeat longer than in a real vocabulary."""
    return list(words.encode())


@given(st.lists(st.integers(0, 300), max_size=200), blocks, st.integers(0, 63))
def test_a_model_that_is_caught_is_noticed_within_a_few_rounds(said: list[int], block: list[int], more: int) -> None:
    rounds = max(5, 160 // len(block) + 1)
    assert repeats([*said, *block * rounds, *block[: more % len(block)]])


@given(st.lists(st.integers(), unique=True, min_size=1, max_size=64))
def test_three_times_the_same_is_not_too_often(block: list[int]) -> None:
    assert not repeats(block * 3)


@given(st.lists(st.integers(), unique=True, max_size=300))
def test_what_never_repeats_is_left_alone(said: list[int]) -> None:
    assert not repeats(said)


@pytest.mark.parametrize(
    "said",
    [
        "\n".join(f"| {year} | {year * 7 % 90} | none |" for year in range(1900, 1960)),
        "\n".join(f"{number}. {number * number}" for number in range(200)),
        ", ".join("0" * (number * number % 7 + number % 4) for number in range(80)),
        "\n".join(f"    assert value[{number}] == 0" for number in range(40)),
        "+" + ("-" * 20 + "+") * 3,
        "=" * 72 + "\n",
        "very " * 12,
        "| --- " * 16,
        "No.\nYes.\n" * 8,
        "x = 0\n" * 12,
    ],
)
def test_tables_numbers_and_code_are_no_repetition(said: str) -> None:
    tokens = text(said)
    assert not any(repeats(tokens[:end]) for end in range(len(tokens)))


def test_looking_costs_little_beside_a_token_of_the_model() -> None:
    tokens = [*range(900), *[7, 8] * 40]
    started = process_time()
    for _ in range(20):
        repeats(tokens)
    assert (process_time() - started) / 20 < 0.002
