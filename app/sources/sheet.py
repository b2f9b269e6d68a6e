"""A page of a PDF as a picture, with boxes around cited words. PDFium is native code: run it in a sandbox."""

import io
import math
from collections.abc import Iterable, Iterator, Sequence
from ctypes import byref, c_int
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pypdfium2 as pdfium

from app.sources.alignment import Quoted, locate
from ingest.errors import ReadError

_WIDTH = 1400
"""Pixels of a page that is drawn: sharp in half a window, on screens with two dots to the pixel too."""
_MOST_PIXELS = 8_000_000
_QUALITY = 82
_UNIT = 100_000
"""How finely places on a page are counted."""
_GAP = 1.5
"""Heights of a line; what stands further apart is not joined into one box."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which page is wanted, and which words on it are to be marked."""

    path: str
    page: int
    """Physical, 1-based."""
    quotes: tuple[Quoted, ...] = ()


class Box(NamedTuple):
    """A rectangle on a page, from its upper left corner, as shares of its width and height."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page, drawn."""

    page: int
    pages: int
    """How many the document has."""
    shape: float
    """Its height by its width."""
    picture: bytes
    """WebP."""
    boxes: tuple[tuple[Box, ...], ...]
    """For each of the quotes; none where the words were not found."""


class _Rect(NamedTuple):
    left: float
    bottom: float
    right: float
    top: float


def draw(wanted: Wanted) -> Sheet:
    """Draws a page; raises :class:`ReadError` where the file cannot be opened or has no such page."""
    try:
        document = pdfium.PdfDocument(Path(wanted.path))
    except (pdfium.PdfiumError, FileNotFoundError) as error:
        raise ReadError(f"The page cannot be shown: {error}", "Is the file still there?") from error
    try:
        pages = len(document)
        if not 1 <= wanted.page <= pages:
            raise ReadError(f"There is no page {wanted.page}: the file has {pages}.", "Ingest it again: it changed.")
        page = document[wanted.page - 1]
        width, height = page.get_size()
        boxes = tuple(_boxes(page, wanted.quotes))
        return Sheet(wanted.page, pages, height / width, _picture(page, width, height), boxes)
    finally:
        document.close()


def _picture(page: Any, width: float, height: float) -> bytes:
    scale = min(_WIDTH / width, math.sqrt(_MOST_PIXELS / (width * height)))
    picture = io.BytesIO()
    page.render(scale=scale).to_pil().convert("RGB").save(picture, "WEBP", quality=_QUALITY, method=2)
    return picture.getvalue()


def _boxes(page: Any, quotes: Sequence[Quoted]) -> Iterator[tuple[Box, ...]]:
    text_page = page.get_textpage()
    characters = [_character(text_page, place) for place in range(text_page.count_chars())]
    for quoted in quotes:
        rects = (_Rect(*text_page.get_charbox(place, loose=True)) for place in locate(quoted, characters))
        yield tuple(_on_sheet(page, rect) for rect in joined(rects))
    text_page.close()


def _character(text_page: Any, place: int) -> str:
    code = pdfium.raw.FPDFText_GetUnicode(text_page, place)
    return chr(code) if code <= 0x10FFFF else ""


def joined(rects: Iterable[_Rect]) -> list[_Rect]:
    """The boxes of characters in their order -> one box for each line of them."""
    lines: list[_Rect] = []
    for rect in rects:
        if rect.right <= rect.left or rect.top <= rect.bottom:
            continue  # a character that PDFium made up
        if lines and _same_line(lines[-1], rect):
            last = lines.pop()
            rect = _Rect(  # noqa: PLW2901 - grows
                min(last.left, rect.left),
                min(last.bottom, rect.bottom),
                max(last.right, rect.right),
                max(last.top, rect.top),
            )
        lines.append(rect)
    return lines


def _same_line(line: _Rect, rect: _Rect) -> bool:
    height = min(line.top - line.bottom, rect.top - rect.bottom)
    common = min(line.top, rect.top) - max(line.bottom, rect.bottom)
    gap = rect.left - line.right
    return common > height / 2 and -height < gap < _GAP * max(height, rect.top - rect.bottom)


def _on_sheet(page: Any, rect: _Rect) -> Box:
    """Where a rectangle of the page's own space is seen: the page may be turned, or cut."""
    one, other = _seen(page, rect.left, rect.top), _seen(page, rect.right, rect.bottom)
    left, top = min(one[0], other[0]), min(one[1], other[1])
    return Box(left, top, abs(one[0] - other[0]), abs(one[1] - other[1]))


def _seen(page: Any, x: float, y: float) -> tuple[float, float]:
    across, down = c_int(), c_int()
    pdfium.raw.FPDF_PageToDevice(page, 0, 0, _UNIT, _UNIT, 0, x, y, byref(across), byref(down))
    return across.value / _UNIT, down.value / _UNIT
