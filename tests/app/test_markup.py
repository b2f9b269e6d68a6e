import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ui.markup import answer_markdown, literal_html, literal_markdown


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("It costs $5 or $6.", r"It costs \$5 or \$6."),
        (r"It costs \$5.", r"It costs \$5."),
        ("Set `$HOME` to $5.", r"Set `$HOME` to \$5."),
        ("```\necho $A\n```\n$5", "```\necho $A\n```\n\\$5"),
        ("```\necho $A", "```\necho $A"),
        ("a ` b $1\n\nc ` d $2", "a ` b \\$1\n\nc ` d \\$2"),
        ("![x](http://elsewhere/x.png)", r"!\[x](http://elsewhere/x.png)"),
        ("So [1] and [2, 3].", "So :blue-badge[1] and :blue-badge[2] :blue-badge[3]."),
        ("So [Passage 2].", "So :blue-badge[2]."),
        ("A [1](http://elsewhere) link", "A [1](http://elsewhere) link"),
        ("`list[0]`", "`list[0]`"),
    ],
)
def test_answers(said: str, shown: str) -> None:
    assert answer_markdown(said) == shown


def test_a_mark_is_shown_as_the_caller_likes_and_knows_where_it_stands() -> None:
    text = "One [1]. Two.\n\nThree [2]."
    shown = answer_markdown(text, lambda number, offset: f"<{number}@{offset}>", [13])
    assert shown == "One <1@4>. Two. :orange-badge[:material/help: no source] \n\nThree <2@21>."
    assert (text[4:7], text[21:24]) == ("[1]", "[2]")


def test_doubts_leave_code_as_it_is_and_stay_within_a_table() -> None:
    assert answer_markdown("```\na = 1\n```", doubtful=[6]) == "```\na = 1\n```"
    assert answer_markdown("| a | b |", doubtful=[9]) == "| a | b  :orange-badge[:material/help: no source] |"


@given(st.text(), st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda p: (min(p), max(p)))))
def test_foreign_text_is_shown_letter_for_letter(text: str, marks: list[tuple[int, int]]) -> None:
    html = literal_html(text, [(min(a, len(text)), min(b, len(text))) for a, b in marks])
    tags = re.findall(r"<[^>]*>", html)
    marked = {"<mark>", '<mark class="transom-cited">', "</mark>"}
    assert set(tags) <= {'<div class="transom-text" dir="auto">', "</div>", *marked}
    assert unescape(re.sub(r"<[^>]*>", "", html)) == text


def test_the_page_scrolls_to_the_first_of_the_marks_wherever_it_stands() -> None:
    html = literal_html("one two three", [(8, 13), (0, 3)])
    assert html.endswith('<mark>one</mark> two <mark class="transom-cited">three</mark></div>')


@given(st.text())
def test_labels_hold_no_markup(text: str) -> None:
    label = literal_markdown(text)
    assert re.sub(r"\\(.)", r"\1", label) == " ".join(text.split())
    assert not re.search(r"(?<!\\)(?:\\\\)*[$*_`\[\]<:]", label)
