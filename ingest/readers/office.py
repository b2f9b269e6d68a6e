"""Sheets, books, old Office files and Outlook's mail, through kreuzberg: one wheel, no models, no network.

Kreuzberg writes Markdown, which keeps headings, lists and tables. What it adds for Markdown's sake is taken out
again, so that the text says what the document says.
"""

import re
from pathlib import Path
from typing import Any

from kreuzberg import ExtractionConfig, PostProcessorConfig, extract_bytes_sync

from ingest.documents import Page
from ingest.errors import EncryptedError, ReadError
from ingest.readers.extracted import Extracted, headings_of_pages, table, title_or_name
from ingest.readers.hidden import told
from ingest.readers.markup import readable
from ingest.readers.media_type import XLSX
from ingest.readers.sheets_hidden import HOW, hidden_words

_FRONT_MATTER = re.compile(r"^---\n(?:[\w:-]+:.*\n|[ \t]+.*\n)+---\n+", re.MULTILINE)
"""The metadata that kreuzberg puts before some chapters of a book."""

_MIDNIGHT = re.compile(r"(\d{4}-\d\d-\d\d) 00:00:00")
"""How kreuzberg writes a date without a time."""


def read_flowing(path: Path, media_type: str) -> Extracted:
    """Reads a document without pages of its own; raises :class:`ReadError` for a damaged or locked one."""
    result = convert(path.read_bytes(), media_type, "markdown")
    text, headings = readable(_FRONT_MATTER.sub("", result.content))
    return Extracted(title_or_name(result.metadata.get("title"), path), media_type, (Page(1, text),), headings)


def read_outlook(path: Path, media_type: str) -> Extracted:
    """Reads a message that Outlook saved (.msg); the subject is its title."""
    result = convert(path.read_bytes(), media_type, "plain")  # Markdown would escape what it quotes
    text = result.content.replace("\r\n", "\n")
    return Extracted(title_or_name(result.metadata.get("subject"), path), media_type, (Page(1, text),))


def read_sheets(path: Path, media_type: str) -> Extracted:
    """Reads a workbook: a page for each sheet that holds something, labelled with the sheet's name."""
    result = convert(path.read_bytes(), media_type, "markdown")
    names = dict(enumerate(result.metadata.get("sheet_names") or (), 1))
    tables: dict[int, list[str]] = {}
    for found in result.tables:
        tables.setdefault(found.page_number, []).append(table([list(map(_cell, row)) for row in found.cells]))
    pages = tuple(
        Page(number, "\n\n".join([names.get(number, ""), *parts]).strip(), names.get(number, ""))
        for number, parts in sorted(tables.items())
    )
    title = title_or_name(result.metadata.get("title"), path)
    headings = headings_of_pages(pages, [page.label for page in pages])
    warnings = told(hidden_words(path), HOW) if media_type == XLSX else ()
    return Extracted(title, media_type, pages, headings, paged=True, warnings=warnings)


def _cell(text: str) -> str:
    date = _MIDNIGHT.fullmatch(text)
    return date[1] if date else text


def convert(data: bytes, media_type: str, form: str) -> Any:
    """Kreuzberg's result in the form `markdown` or `plain`; raises :class:`ReadError`."""
    config = ExtractionConfig(
        use_cache=False,
        output_format=form,
        enable_quality_processing=False,  # it would rewrite the text
        postprocessor=PostProcessorConfig(enabled=False),
    )
    try:
        return extract_bytes_sync(data, media_type, config=config)
    except MemoryError:
        raise
    except Exception as error:  # kreuzberg's own, and whatever its readers raise
        kind = type(error).__name__
        reason = next(iter(str(error).removeprefix(f"{kind}: ").splitlines()), kind)
        if re.search(r"password|encrypt", reason, re.IGNORECASE):
            raise EncryptedError("The file has a password.", "Save a copy without it.") from error
        if "out of memory" in reason.lower():
            raise MemoryError from error
        if "security limit" in reason.lower():
            raise ReadError(f"The file unpacks to more than is safe: {reason}") from error
        raise ReadError(f"The file is damaged: {reason}", "Open it in its own program and save it again.") from error
