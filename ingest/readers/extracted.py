"""What every reader returns."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from ingest.documents import PAGE_BREAK, Heading, Page

_LONGEST_TITLE = 200
_JUNK_TITLE = re.compile(
    r"""untitled\W*(document|presentation|spreadsheet)?\W*\d* | unknown | title | none | null
    | microsoft\ (word|powerpoint|excel)\b.* | (word|powerpoint|excel)\b(\ presentation)?
    | (document|presentation|slide|sheet|book)[\s_-]*\d* | office\ theme
    | .*\.(docx?|pptx?|xlsx?|pdf|p65|tex|dvi|indd|qxd|rtf|html?) | [\W_]*""",
    re.IGNORECASE | re.VERBOSE,
)
"""Titles that programs put in by themselves."""


@dataclass(frozen=True, slots=True)
class Extracted:
    """The content of a file: everything of a document but its place and identity."""

    title: str
    media_type: str
    pages: tuple[Page, ...]
    headings: tuple[Heading, ...] = ()
    """Their starts count characters of the pages' texts joined with PAGE_BREAK."""
    paged: bool = False
    warnings: tuple[str, ...] = ()
    """What the document hides from its readers, for a person."""


def title_or_name(title: str | None, path: Path) -> str:
    """A title that says something, else the file's name without its ending."""
    text = " ".join((title or "").split())
    if not _JUNK_TITLE.fullmatch(text):
        return text[:_LONGEST_TITLE]
    return path.stem.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def page_starts(pages: Sequence[Page]) -> list[int]:
    """Where each page begins in the document's text."""
    return [0, *accumulate(len(page.text) + len(PAGE_BREAK) for page in pages)][: len(pages)]


def headings_of_pages(pages: Sequence[Page], titles: Sequence[str]) -> tuple[Heading, ...]:
    """One heading at the top of each page that has text and a title."""
    return tuple(
        Heading(1, title, start)
        for page, title, start in zip(pages, titles, page_starts(pages), strict=True)
        if title and page.text
    )


def table(rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown; empty where it has no rows. Cells are brought to one line each."""
    lines = ["| " + " | ".join(" ".join(cell.split()) for cell in row) + " |" for row in rows]
    if len(lines) > 1:
        lines.insert(1, "|" + " --- |" * len(rows[0]))
    return "\n".join(lines)
