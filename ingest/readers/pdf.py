"""PDF: text, page labels, outline and title from PDFium, with pypdf as a second opinion where PDFium fails."""

import re
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import pypdfium2 as pdfium

from ingest.documents import PAGE_BREAK, Heading, Page
from ingest.errors import EmptyError, EncryptedError, ReadError
from ingest.readers.extracted import Extracted, title_or_name

_HYPHEN_AT_LINE_END = re.compile("[\ufffe\x02](?:\r?\n)?")
_CONTROL = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_MAX_HEADINGS = 5_000


def read_pdf(path: Path, media_type: str) -> Extracted:
    """Reads a PDF; tried without a password where it is encrypted.

    Raises :class:`EncryptedError`, :class:`EmptyError` for a scan, else :class:`ReadError`.
    """
    try:
        extracted = _with_pdfium(path, media_type)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower():
            raise EncryptedError("The PDF has a password.", "Save a copy without it.") from error
        extracted = _with_pypdf(path, media_type)
    if not any(page.text.strip() for page in extracted.pages):
        raise EmptyError(
            "The PDF has no text layer: it looks like a scan.", "Run it through an OCR program first."
        )
    return extracted


def _with_pdfium(path: Path, media_type: str) -> Extracted:
    document = pdfium.PdfDocument(path)
    try:
        pages = tuple(_page(document, index) for index in range(len(document)))
        headings = tuple(_outline(document, pages))
        title = document.get_metadata_dict(skip_empty=True).get("Title")
    finally:
        document.close()
    return Extracted(title_or_name(title, path), media_type, pages, headings, paged=True)


def _page(document: pdfium.PdfDocument, index: int) -> Page:
    page = document[index]
    try:
        text_page = page.get_textpage()
        text = text_page.get_text_range()
        text_page.close()
    finally:
        page.close()
    return Page(index + 1, _clean(text), document.get_page_label(index) or "")


def _clean(text: str) -> str:
    """PDFium's text with plain line ends; a word that was cut at a line's end is whole again."""
    joined = _HYPHEN_AT_LINE_END.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub("", joined)


def _outline(document: pdfium.PdfDocument, pages: tuple[Page, ...]) -> Iterator[Heading]:
    """The bookmarks, in order of their place; a title that stands on its page starts there, else at the top."""
    starts = [0, *accumulate(len(page.text) + len(PAGE_BREAK) for page in pages)]
    found: list[Heading] = []
    for bookmark in document.get_toc():
        title, destination = bookmark.get_title().strip(), bookmark.get_dest()
        index = destination.get_index() if destination else None
        if title and index is not None and 0 <= index < len(pages) and len(found) < _MAX_HEADINGS:
            offset = max(pages[index].text.lower().find(title.lower()), 0)
            found.append(Heading(bookmark.level + 1, title, starts[index] + offset))
    yield from sorted(found, key=lambda heading: heading.start)


def _with_pypdf(path: Path, media_type: str) -> Extracted:
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise EncryptedError("The PDF has a password.", "Save a copy without it.")
        pages = tuple(Page(number, _clean(page.extract_text())) for number, page in enumerate(reader.pages, 1))
    except (PyPdfError, OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ReadError(
            f"The PDF is damaged: {error}", "Open it in a PDF program and print it into a new PDF."
        ) from error
    return Extracted(title_or_name(None, path), media_type, pages, paged=True)
