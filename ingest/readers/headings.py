"""Headings of Markdown and reStructuredText, with the place where each section starts."""

import re
from collections.abc import Iterator
from itertools import accumulate

from markdown_it import MarkdownIt

from ingest.documents import Heading

_RST_UNDERLINE = re.compile(r"^([=\-~^\"'`#*+:._])\1{2,}\s*$")


def markdown_headings(text: str) -> Iterator[Heading]:
    """ATX and setext headings outside of code, by the CommonMark rules."""
    starts = _line_starts(text)
    tokens = MarkdownIt("commonmark").parse(text)
    for opening, inline in zip(tokens, tokens[1:], strict=False):
        if opening.type == "heading_open" and opening.map and opening.level == 0:
            title = "".join(child.content for child in inline.children or [])
            yield Heading(int(opening.tag[1]), title.strip(), starts[opening.map[0]])


def rst_headings(text: str) -> Iterator[Heading]:
    """Lines that are underlined; the level of an underline is the order in which its character first came."""
    lines, starts = text.splitlines(), _line_starts(text)
    levels: dict[str, int] = {}
    for number, (line, under) in enumerate(zip(lines, lines[1:], strict=False)):
        match = _RST_UNDERLINE.match(under)
        if match and line.strip() and len(under.rstrip()) >= len(line.rstrip()) and not _RST_UNDERLINE.match(line):
            level = levels.setdefault(match.group(1), len(levels) + 1)
            yield Heading(level, line.strip(), starts[number])


def _line_starts(text: str) -> list[int]:
    return [0, *accumulate(len(line) for line in text.splitlines(keepends=True))]
