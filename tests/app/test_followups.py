"""Which follow-ups stand alone, and what the others are completed with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.followups import completed, stands_alone


@pytest.mark.parametrize(
    "question",
    [
        "At what visibility is the fog signal started?",
        "Who built the tower at Harrow Point?",
        "What happened in 1987?",
        "Is there a rule that keepers must follow in the garden?",
        "Which expenses are refunded this year?",
    ],
)
def test_a_whole_question_stands_alone(question: str) -> None:
    assert stands_alone(question)


@pytest.mark.parametrize(
    "question",
    [
        "Who repairs it?",
        "And in winter, when the harbour lights freeze?",
        "What about the assistant keepers of the lighthouse?",
        "Why?",
        "Why is that?",
        "What does that mean for visitors of the garden?",
        "How long do they keep the lamp burning?",
        "Who lived there before the lighthouse keepers came?",
        "Are other lighthouses painted white, too?",
        "How high?",
        "",
    ],
)
def test_one_that_leans_on_the_conversation_does_not(question: str) -> None:
    assert not stands_alone(question)


def test_it_is_completed_with_what_was_talked_about() -> None:
    before = "When does the keeper light the lamp in the lantern room?"
    assert completed("Who repairs it?", before) == "Who repairs it? (keeper light lamp lantern room)"
    assert completed("Who trims the lamps?", before) == "Who trims the lamps? (keeper light lantern room)"
    assert completed("Why?", "Is it?") == "Why?"


def test_a_long_chain_does_not_grow() -> None:
    asked = "How high is the tower of the old lighthouse above the harbour, the cliffs and the northern meadows?"
    for _ in range(20):
        asked = completed("And the other one?", asked)
    assert len(asked.split()) <= 12


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_word_of_the_question_is_lost(question: str, before: str) -> None:
    assert completed(question, before).startswith(question.strip())
