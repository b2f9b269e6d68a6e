"""Headings of Markdown and reStructuredText, with the place where each section starts."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ingest.documents import Heading

_FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n.*?^(?:---|\.\.\.)[ \t]*$", re.DOTALL | re.MULTILINE)
_NEWLINE = re.compile(r"\r\n?|\n")
_RST_UNDERLINE = re.compile(r"^([=\-~^\"'`#*+:._])\1{2,}\s*$")


def markdown_headings(text: str) -> Iterator[Heading]:
    """ATX and setext headings outside of code and front matter, by the CommonMark rules."""
    front = _FRONT_MATTER.match(text)
    begin = front.end() if front else 0
    starts = _line_starts(text)
    inline = MarkdownIt("commonmark")
    blocks = MarkdownIt("commonmark").disable("inline")  # four times as fast as to parse all that is no heading
    for opening, content in pairwise(blocks.parse(text)):
        if opening.type == "heading_open" and opening.level == 0 and opening.map:
            start = starts[opening.map[0]]
            title = _plain(inline.parseInline(content.content)[0].children or ())
            if title and start >= begin:
                yield Heading(int(opening.tag[1]), title, start)


def rst_headings(text: str) -> Iterator[Heading]:
    """Lines that are underlined; the level of an underline is the order in which its character first came."""
    levels: dict[str, int] = {}
    lines = zip(_NEWLINE.split(text), _line_starts(text), strict=True)
    for (line, start), (under, _) in pairwise(lines):
        match = _RST_UNDERLINE.match(under)
        if match and line.strip() and len(under.rstrip()) >= len(line.rstrip()) and not _RST_UNDERLINE.match(line):
            level = levels.setdefault(match.group(1), len(levels) + 1)
            yield Heading(level, line.strip(), start)


def _plain(tokens: Sequence[Token]) -> str:
    """The text of inline tokens as it is read, without marks."""
    return "".join(" " if token.type in ("softbreak", "hardbreak") else token.content for token in tokens).strip()


def _line_starts(text: str) -> list[int]:
    """Lines as Markdown counts them; str.splitlines would also part them at form feeds and the like."""
    return [0, *(match.end() for match in _NEWLINE.finditer(text))]
