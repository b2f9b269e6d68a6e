import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.llm.visible import Piece, VisibleText

OUTPUT = "<|channel>thought\nLet me see: größer <3\n<channel|>The answer is 4 < 5 — naïve.<turn|>"


def shown(chunks: list[bytes]) -> tuple[str, str]:
    visible = VisibleText()
    pieces = [piece for chunk in chunks for piece in visible.feed(chunk)] + visible.finish()
    return tuple("".join(p.text for p in pieces if p.kind == kind) for kind in ("answer", "thought"))  # type: ignore[return-value]


@given(st.sets(st.integers(1, len(OUTPUT.encode()) - 1)))
def test_no_cut_ever_shows_a_thought_or_a_control_text(cuts: set[int]) -> None:
    data = OUTPUT.encode()
    places = [0, *sorted(cuts), len(data)]
    chunks = [data[a:b] for a, b in itertools.pairwise(places)]
    answer, thought = shown(chunks)
    assert answer == "The answer is 4 < 5 — naïve."
    assert thought == "\nLet me see: größer <3\n"


@given(st.text(alphabet="<|>channel thoughturn/k[1]ab", max_size=80))
def test_nothing_is_lost_without_markers(text: str) -> None:
    answer, thought = shown([char.encode() for char in text])
    whole, whole_thought = shown([text.encode()])
    assert (answer, thought) == (whole, whole_thought)


def test_plain_text_is_not_held_back() -> None:
    assert VisibleText().feed(b"Hello") == [Piece("answer", "Hello")]


@pytest.mark.parametrize("text", ["a < b", "5 <", "<b>bold</b>", "<|"])
def test_what_only_looks_like_a_marker_is_shown(text: str) -> None:
    assert shown([text.encode()]) == (text, "")


def test_think_tags_of_other_models() -> None:
    assert shown([b"<think>hm</think>yes"]) == ("yes", "hm")
