import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.llm.visible import _MARKERS, Piece, VisibleText

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


STREAMS = {
    "Gemma 4": ("<|channel>thought\nhm <3\n<channel|>In 1861 < 1862.<turn|>", "In 1861 < 1862.", "\nhm <3\n"),
    "Gemma 4, an empty thought": ("<|channel>thought\n<channel|>In 1861.<turn|>", "In 1861.", "\n"),
    "Gemma 4, a thought without its name": ("<|channel>In 1861.<channel|><turn|>", "In 1861.", ""),
    "Gemma 4, a tool": ("In <|tool_call>1861<tool_call|>.<turn|>", "In 1861.", ""),
    "ChatML, its turns": ("In 1861.<|im_end|><|im_start|>", "In 1861.", ""),
    "Gemma 3": ("In 1861 <b>.<end_of_turn>", "In 1861 <b>.", ""),
    "ChatML": ("<think>\nhm < 3\n</think>In 1861 <thin>.", "In 1861 <thin>.", "\nhm < 3\n"),
}
"""What models generate, with the answer and the thought in it."""


def all_cuts(data: bytes, cuts: int) -> Iterator[list[bytes]]:
    """Every way to cut at so many places."""
    for places in itertools.combinations(range(1, len(data)), cuts):
        yield [data[a:b] for a, b in itertools.pairwise([0, *places, len(data)])]


@pytest.mark.parametrize("cuts", [1, 2])
@pytest.mark.parametrize("name", STREAMS)
def test_wherever_a_stream_is_cut_no_control_text_shows(name: str, cuts: int) -> None:
    text, *expected = STREAMS[name]
    for chunks in all_cuts(text.encode(), cuts):
        assert [*shown(chunks)] == expected, chunks


@pytest.mark.parametrize("marker", _MARKERS)
def test_however_a_marker_is_split_it_never_shows(marker: str) -> None:
    for cuts in range(4):
        for chunks in all_cuts(marker.encode(), cuts):
            visible = VisibleText()
            pieces = [piece for chunk in [b"yes", *chunks, b"no"] for piece in visible.feed(chunk)]
            pieces += visible.finish()
            assert "".join(piece.text for piece in pieces) == "yesno", chunks


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
