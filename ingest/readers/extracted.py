"""What every reader returns."""

import re
from dataclasses import dataclass
from pathlib import Path

from ingest.documents import Heading, Page

_JUNK_TITLE = re.compile(
    r"\s*$|untitled|microsoft (word|powerpoint|excel)\b|document\d*$|slide \d+$|powerpoint|.*\.(docx?|pptx?|tex|dvi|indd)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Extracted:
    """The content of a file: everything of a document but its place and identity."""

    title: str
    media_type: str
    pages: tuple[Page, ...]
    headings: tuple[Heading, ...] = ()
    """Their starts count characters of the pages' texts joined with PAGE_BREAK."""
    paged: bool = False


def title_or_name(title: object, path: Path) -> str:
    """A title that says something, else the file's name without its ending."""
    text = " ".join(str(title or "").split())
    return path.stem if _JUNK_TITLE.match(text) else text[:200]
