"""Text -> what Streamlit may show of it. Pure.

Answers are Markdown. Everything that comes from a document or a person is shown letter for letter: as HTML in
which every character is escaped, because Markdown has no complete way to do so (`:name:` and `--` change even
behind a backslash).
"""

import re
from collections.abc import Callable, Iterable
from html import escape

from app.citations.marks import MARK, numbers
from ingest.documents import Span

Mark = Callable[[int, int], str]
"""A passage's number and where in the text it is named -> what is shown for it."""

_ANSWER = re.compile(
    r"""(?P<kept>^(?P<fence>```+|~~~+).*?(?:^(?P=fence)|\Z)      # a block of code, perhaps still growing
              | (?P<ticks>`+)(?:(?!\n\s*\n).)+?(?P=ticks)(?!`)   # code within a paragraph
              | \\.)                                             # what is escaped already
      | (?P<dollar>\$)                                           # would begin a formula
      | (?P<image>!\[)                                           # would fetch something from elsewhere
      | (?P<doubt>\x00)                                         # no passage supports what stands before it
      | \s*(?P<mark>"""
    + MARK
    + r""")(?![(\[])  # a citation
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE | re.IGNORECASE,
)
_HERE = "\0"
_DOUBT = " :orange-badge[:material/help: no source] "
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


def answer_markdown(text: str, mark: Mark | None = None, doubtful: Iterable[int] = ()) -> str:
    """An answer as Markdown, with its citations as badges, no formulas, and nothing from other places.

    `mark` makes a number at an offset of the text into something else than a badge. Behind each offset that is
    `doubtful` it is said that no passage supports the sentence which ends there.
    """
    held = _with_doubts(text.replace(_HERE, "\N{REPLACEMENT CHARACTER}"), doubtful)
    make = mark or _badge

    def shown(match: re.Match[str]) -> str:
        if match["kept"]:
            return match["kept"].replace(_HERE, "")
        if match["doubt"]:
            return _DOUBT
        if match["dollar"]:
            return r"\$"
        if match["image"]:
            return r"!\["
        offset = match.start("mark") - held.count(_HERE, 0, match.start())
        return "".join(f" {make(number, offset)}" for number in numbers(match["mark"]))

    return _ANSWER.sub(shown, held)


def _with_doubts(text: str, offsets: Iterable[int]) -> str:
    """A text with a sign at each offset, in a row of a table within its last cell."""
    for offset in sorted(offsets, reverse=True):
        place = offset - 1 if text[:offset].endswith("|") else offset
        text = text[:place] + _HERE + text[place:]
    return text


def literal_markdown(text: str) -> str:
    """One line of foreign text for a label, where Streamlit takes nothing but Markdown."""
    return _PUNCTUATION.sub(r"\\\1", " ".join(text.split()))


def literal_html(text: str, marks: Iterable[Span] = (), name: str = "text") -> str:
    """A block of foreign text, shown as it is, with some spans of it marked; `name` is its CSS class.

    The page scrolls to the first of `marks`, wherever it stands.
    """
    spans = list(marks)
    pieces: list[str] = []
    position = 0
    for start, end in _merged(spans):
        opening = '<mark class="transom-cited">' if start <= spans[0][0] < end else "<mark>"
        pieces += [escape(text[position:start]), opening, escape(text[start:end]), "</mark>"]
        position = end
    return f'<div class="transom-{name}" dir="auto">{"".join(pieces)}{escape(text[position:])}</div>'


def _badge(number: int, _: int) -> str:
    return f":blue-badge[{number}]"


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
