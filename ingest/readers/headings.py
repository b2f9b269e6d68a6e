"""Headings of Markdown and reStructuredText, with the place where each section starts.

Line by line and by CommonMark's rules for headings that stand outside of lists and quotations: a whole Markdown
parser takes a hundred times the memory of the text, and a second for a megabyte.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from ingest.documents import Heading

_FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n.*?^(?:---|\.\.\.)[ \t]*$", re.DOTALL | re.MULTILINE)
_LINE = re.compile(r"([^\r\n]*)(?:\r\n?|\n|\Z)")
"""What Markdown calls a line; str.splitlines would also part them at form feeds and the like."""
_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))??(?:[ \t]+#+)?[ \t]*$")
_SETEXT = re.compile(r" {0,3}(=+|-{2,})[ \t]*$")
_NO_PARAGRAPH = re.compile(r"\s*$|[ ]{4}|[ ]{0,3}(?:\t|[>|#<]|[-*+]\s|[-*_=~`]{3}|\d{1,9}[.)]\s)")
_LINK = re.compile(r"!?\[([^\[\]]*)\](?:\((?:[^()]|\([^()]*\))*\)|\[[^\[\]]*\])")
_MARK = re.compile(r"(`+)(.+?)\1|\\([!-/:-@\[-`{-~])|\*+|(?<!\w)_+|_+(?!\w)|</?\w[^<>]*>")
"""Code, an escaped character, or a mark of emphasis or HTML around words."""
_RST_LINE = re.compile(r"([=\-~^\"'`#*+:._])\1*\s*")
_RST_SHORTEST_LINE = 3
_LONGEST = 200
"""Characters; a longer heading is a paragraph in disguise."""


def markdown_headings(text: str) -> Iterator[Heading]:
    """ATX and setext headings outside of code and front matter."""
    front = _FRONT_MATTER.match(text)
    before = title = ""  # the two lines before
    start = 0
    for place, line in _outside_code(text, front.end() if front else 0):
        setext = _SETEXT.match(line)
        if atx := _ATX.match(line):
            yield from _heading(len(atx[1]), atx[2] or "", place)
        elif setext and not before.strip() and not _NO_PARAGRAPH.match(title):
            yield from _heading(1 if setext[1][0] == "=" else 2, title, start)
        before, title, start = title, line, place


def rst_headings(text: str) -> Iterator[Heading]:
    """Underlined lines; the level of an underline is the order in which its style first came."""
    levels: dict[tuple[str, bool], int] = {}
    before, begin = "", 0
    for (start, title), (_, under) in pairwise(_lines(text, 0)):
        if _underlines(under, title) and (before == under or not title[0].isspace()):
            overlined = before == under
            level = levels.setdefault((under[0], overlined), len(levels) + 1)
            yield Heading(level, title.strip(), begin if overlined else start)
        before, begin = title, start


def _heading(level: int, source: str, start: int) -> Iterator[Heading]:
    title = " ".join(_MARK.sub(r"\2\3", _LINK.sub(r"\1", source)).split())
    if 0 < len(title) <= _LONGEST:
        yield Heading(level, title, start)


def _outside_code(text: str, begin: int) -> Iterator[tuple[int, str]]:
    """The lines outside of fenced code, with their places; a fence counts as an empty line."""
    fence = ""
    for place, line in _lines(text, begin):
        found = _FENCE.match(line)
        if not fence:
            yield place, "" if found else line
            fence = found[1] if found else ""
        elif found and found[1].startswith(fence) and line.strip() == found[1]:
            fence = ""


def _lines(text: str, begin: int) -> Iterator[tuple[int, str]]:
    for match in _LINE.finditer(text, begin):
        yield match.start(), match[1]


def _underlines(line: str, title: str) -> bool:
    long = len(line.rstrip()) >= max(len(title.rstrip()), _RST_SHORTEST_LINE)
    return bool(title.strip()) and long and _is_rst_line(line) and not _is_rst_line(title)


def _is_rst_line(line: str) -> bool:
    return _RST_LINE.fullmatch(line) is not None
