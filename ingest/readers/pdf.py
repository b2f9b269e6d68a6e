"""PDF: text, page labels, outline and title from PDFium; a second opinion from pypdf where PDFium fails."""

import math
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from unicodedata import normalize

import pypdfium2 as pdfium

from ingest.documents import Heading, Page
from ingest.errors import EmptyError, EncryptedError, ReadError
from ingest.readers.extracted import Extracted, page_starts, title_or_name
from ingest.readers.hidden import told
from ingest.readers.hyphens import mend
from ingest.readers.ocr import HINT, each_in_time, recognise
from ingest.readers.pdf_hidden import HOW, hidden_words

_MAX_HEADINGS = 5_000
_CLEANED = (
    dict.fromkeys([*range(9), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0xD800, 0xE000)])  # no text
    | {code: normalize("NFKC", chr(code)) for code in range(0xFB00, 0xFB07)}  # ligatures
    | dict.fromkeys((0xF076, 0xF0A7, 0xF0B7, 0xF0D8), "•")  # bullets of the Symbol and Wingdings fonts
)
_POINTS = 72
"""To the inch."""
_DPI = 200
"""Tesseract's results at 300 were no better, and took half as long again."""
_MOST_PIXELS = 40_000_000
"""Of the picture of a page: a sheet in A1 at 200 dpi. A larger one is drawn with fewer dots to the inch."""


def read_pdf(path: Path, media_type: str, ocr: bool = False) -> Extracted:
    """Reads a PDF; tried with an empty password where it is encrypted. With `ocr`, pages without text are recognised.

    A limit of time that is set as the process's timer then holds for each such page.
    Raises :class:`EncryptedError`, :class:`EmptyError` for a scan, else :class:`ReadError`.
    """
    try:
        extracted = _with_pdfium(path, media_type, ocr)
    except pdfium.PdfiumError:
        extracted = _with_pypdf(path, media_type)  # it opens some damaged and some encrypted ones more
    if not any(page.text.strip() for page in extracted.pages):
        if ocr:
            raise EmptyError("The PDF has no text layer, and Tesseract found no text in its pages.")
        raise EmptyError("The PDF has no text layer: it looks like a scan.", HINT)
    return extracted


def _with_pdfium(path: Path, media_type: str, ocr: bool) -> Extracted:
    document = pdfium.PdfDocument(path)
    try:
        labels = [document.get_page_label(index) or "" for index in range(len(document))]
        read = [_page_text(document, index) for index in range(len(document))]
        texts, warnings = [text for text, _ in read], told(sum(hidden for _, hidden in read), HOW)
        for index in each_in_time(index for index, text in enumerate(texts) if ocr and not text.strip()):
            texts[index] = _recognised(document, index)
        pages = _pages(texts, labels)
        headings = sorted(_outline(document, pages), key=lambda heading: heading.start)
        title = document.get_metadata_dict(skip_empty=True).get("Title")
    finally:
        document.close()
    return Extracted(title_or_name(title, path), media_type, pages, tuple(headings), paged=True, warnings=warnings)


def _page_text(document: pdfium.PdfDocument, index: int) -> tuple[str, int]:
    """The text of a page, and how many of its words cannot be seen."""
    page = document[index]
    try:
        text_page = page.get_textpage()
        text: str = text_page.get_text_range()
        hidden = hidden_words(page, text_page)
        text_page.close()
    finally:
        page.close()
    return text, hidden


def _recognised(document: pdfium.PdfDocument, index: int) -> str:
    """The text in the picture of a page."""
    page = document[index]
    try:
        if not pdfium.raw.FPDFPage_CountObjects(page):
            return ""  # a blank sheet
        width, height = page.get_size()
        scale = min(_DPI / _POINTS, math.sqrt(_MOST_PIXELS / (width * height)))
        picture = page.render(scale=scale, grayscale=True).to_numpy()
    finally:
        page.close()
    rows, columns = picture.shape[:2]
    return "\n\n".join(recognise(b"P5 %d %d 255\n" % (columns, rows) + picture.tobytes(), round(scale * _POINTS)))


def _pages(texts: Sequence[str], labels: Sequence[str]) -> tuple[Page, ...]:
    """Pages with plain line ends, whole words and no characters that only a font understands."""
    cleaned = (text.replace("\r\n", "\n").replace("\r", "\n").translate(_CLEANED) for text in mend(texts))
    return tuple(Page(number, text, label) for number, (text, label) in enumerate(zip(cleaned, labels, strict=True), 1))


def _outline(document: pdfium.PdfDocument, pages: Sequence[Page]) -> Iterator[Heading]:
    """The bookmarks; a title that begins a line of its page starts there, else at the page's top."""
    starts = page_starts(pages)
    for bookmark in islice(document.get_toc(), _MAX_HEADINGS):
        title, destination = " ".join(bookmark.get_title().translate(_CLEANED).split()), bookmark.get_dest()
        index = destination.get_index() if destination else None
        if title and index is not None and 0 <= index < len(pages):
            yield Heading(bookmark.level + 1, title, starts[index] + _place(title, pages[index].text))


def _place(title: str, text: str) -> int:
    """Where a title stands on a page, possibly numbered and over several lines; 0 where it does not."""
    words = r"\s+".join(map(re.escape, title.split()))
    match = re.search(rf"^(?:[\w.]{{1,8}}[ \t]+)?{words}", text, re.IGNORECASE | re.MULTILINE)
    return match.start() if match else 0


def _with_pypdf(path: Path, media_type: str) -> Extracted:
    from pypdf import PdfReader

    try:
        reader = PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise EncryptedError("The PDF has a password.", "Save a copy without it.")
        pages = _pages([page.extract_text() for page in reader.pages], [""] * len(reader.pages))
    except (EncryptedError, MemoryError):
        raise
    except Exception as error:  # pypdf's own, and whatever it stumbles over in a broken file
        if "encrypt" in str(error).lower():
            raise EncryptedError("The PDF is encrypted in an unusual way.", "Save a copy without it.") from error
        raise ReadError(
            f"The PDF is damaged: {str(error) or type(error).__name__}",
            "Open it in a PDF program and print it into a new PDF.",
        ) from error
    return Extracted(title_or_name(None, path), media_type, pages, paged=True)
