"""Word, slides, sheets, web pages, books and mail, through kreuzberg: one wheel, no models, no network."""

import re
from pathlib import Path
from typing import Any

import kreuzberg
from kreuzberg import ExtractionConfig, PageConfig

from ingest.documents import PAGE_BREAK, Heading, Page
from ingest.errors import EncryptedError, ReadError
from ingest.readers.extracted import Extracted, title_or_name
from ingest.readers.headings import markdown_headings

_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN = "application/vnd.oasis.opendocument."
_SLIDES = {_OFFICE + "presentationml.presentation"}
_SHEETS = {_OFFICE + "spreadsheetml.sheet", "application/vnd.ms-excel", _OPEN + "spreadsheet"}
_MAIL = {"message/rfc822", "application/vnd.ms-outlook"}
MEDIA_TYPES = _SLIDES | _SHEETS | _MAIL | {
    _OFFICE + "wordprocessingml.document",
    "application/msword",
    "application/vnd.ms-powerpoint",
    _OPEN + "text",
    _OPEN + "presentation",
    "application/epub+zip",
    "application/rtf",
    "text/html",
}
"""What this module reads."""

_SLIDE = re.compile(r"^\s*@@slide (\d+)@@\s*", re.MULTILINE)
_META = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)


def read_office(path: Path, media_type: str) -> Extracted:
    """Reads one of :data:`MEDIA_TYPES`; raises :class:`ReadError` for a damaged or locked file."""
    # Markdown keeps headings and tables; for slides it would lose the speaker's notes, for mail it escapes.
    plain = media_type in _SLIDES | _MAIL
    result = _extract(path, media_type, "plain" if plain else "markdown")
    metadata: dict[str, Any] = dict(result.metadata)
    title = title_or_name(metadata.get("title") or metadata.get("subject"), path)
    if media_type in _SLIDES:
        return _paged(title, media_type, _slides(result.content))
    if media_type in _SHEETS:
        return _paged(title, media_type, _sheets(result.content, metadata.get("sheet_names") or []))
    text = _META.sub("", result.content) if media_type == "text/html" else result.content
    headings = () if plain else tuple(markdown_headings(text))
    return Extracted(title, media_type, (Page(1, text),), headings)


def _extract(path: Path, media_type: str, form: str) -> Any:
    marks = PageConfig(insert_page_markers=True, marker_format="\n\n@@slide {page_num}@@\n\n")
    config = ExtractionConfig(use_cache=False, output_format=form, pages=marks)
    try:
        return kreuzberg.extract_bytes_sync(path.read_bytes(), media_type, config=config)
    except OSError as error:
        raise ReadError(f"The file cannot be opened: {error.strerror or error}") from error
    except Exception as error:  # kreuzberg's own, and whatever its plugins raise
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        if re.search(r"password|encrypt", reason, re.IGNORECASE):
            raise EncryptedError("The file has a password.", "Save a copy without it.") from error
        raise ReadError(
            f"The file cannot be read: {reason}", "Open it in its own program and save it again."
        ) from error


def _slides(content: str) -> list[Page]:
    """One page a slide; its first line is its title."""
    _, *parts = _SLIDE.split(content)
    return [Page(int(number), text.strip()) for number, text in zip(parts[::2], parts[1::2], strict=True)] or [
        Page(1, content)
    ]


def _sheets(content: str, names: list[str]) -> list[Page]:
    """One page a sheet, labelled with its name."""
    pages: list[Page] = []
    rest = content
    for number, name in enumerate(names, 1):
        following = names[number] if number < len(names) else None
        text, found, rest = rest.partition(f"\n## {following}\n") if following else (rest, "", "")
        pages.append(Page(number, text.strip(), name))
        rest = f"## {following}\n{rest}" if found else rest
    return pages or [Page(1, content)]


def _paged(title: str, media_type: str, pages: list[Page]) -> Extracted:
    headings: list[Heading] = []
    start = 0
    for page in pages:
        name = page.label or next(iter(page.text.splitlines()), "")
        if page.text.strip():
            headings.append(Heading(1, name.strip("# "), start))
        start += len(page.text) + len(PAGE_BREAK)
    return Extracted(title, media_type, tuple(pages), tuple(headings), paged=True)
