"""Text -> what Streamlit may show of it. Pure.

Answers are Markdown. Everything that comes from a document or a person is shown letter for letter: as HTML in
which every character is escaped, because Markdown has no complete way to do so (`:name:` and `--` change even
behind a backslash).
"""

import re
from collections.abc import Collection, Iterable
from html import escape

from ingest.documents import Span

_ANSWER = re.compile(
    r"""(?P<kept>^(?P<fence>```+|~~~+).*?(?:^(?P=fence)|\Z)      # a block of code, perhaps still growing
              | (?P<ticks>`+)(?:(?!\n\s*\n).)+?(?P=ticks)(?!`)   # code within a paragraph
              | \\.)                                             # what is escaped already
      | (?P<dollar>\$)                                           # would begin a formula
      | (?P<image>!\[)                                           # would fetch something from elsewhere
      | \s*\[\s*(?P<numbers>\d+(?:\s*,\s*\d+)*)\s*\](?![(\[])    # a citation
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


def answer_markdown(text: str, unverified: Collection[int] = ()) -> str:
    """An answer as Markdown, with its citations as badges, no formulas, and nothing from other places."""

    def shown(match: re.Match[str]) -> str:
        if match["kept"]:
            return match["kept"]
        if match["dollar"]:
            return r"\$"
        if match["image"]:
            return r"!\["
        numbers = map(int, match["numbers"].split(","))
        return "".join(_badge(number, number in unverified) for number in numbers)

    return _ANSWER.sub(shown, text)


def literal_markdown(text: str) -> str:
    """One line of foreign text for a label, where Streamlit takes nothing but Markdown."""
    return _PUNCTUATION.sub(r"\\\1", " ".join(text.split()))


def literal_html(text: str, marks: Iterable[Span] = (), name: str = "text") -> str:
    """A block of foreign text, shown as it is, with some spans of it marked; `name` is its CSS class."""
    pieces: list[str] = []
    position = 0
    for start, end in _merged(marks):
        pieces += [escape(text[position:start]), "<mark>", escape(text[start:end]), "</mark>"]
        position = end
    return f'<div class="transom-{name}" dir="auto">{"".join(pieces)}{escape(text[position:])}</div>'


def _badge(number: int, unverified: bool) -> str:
    return f" :{'orange' if unverified else 'blue'}-badge[{number}{'?' if unverified else ''}]"


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
