"""Words of a PDF that its readers do not see: white on nothing, tiny, or off the page."""

from collections.abc import Iterator, Sequence
from ctypes import byref, c_float, c_uint
from typing import Any

import pypdfium2 as pdfium
from pypdfium2 import raw

HOW = "they are white, tiny or off the page"
_LIGHTEST = 250
"""Of 255, in each colour: white, for the eye."""
_TINY = 2.0
"""Points."""

_Box = tuple[float, float, float, float]
"""Left, bottom, right and top, in points."""


def hidden_words(page: pdfium.PdfPage, text_page: pdfium.PdfTextPage) -> int:
    """How many words of a page cannot be seen. White on a picture or a coloured box can, and so can a scan's text."""
    everything = [raw.FPDFPage_GetObject(page, index) for index in range(raw.FPDFPage_CountObjects(page))]
    texts = [each for each in everything if raw.FPDFPageObj_GetType(each) == raw.FPDF_PAGEOBJ_TEXT]
    sheet = page.get_bbox()
    boxes = [_box(text) for text in texts]
    hidden = [text for text, box in zip(texts, boxes, strict=True) if _is_apart(box, sheet) or _is_tiny(text, box)]
    white = [(text, box) for text, box in zip(texts, boxes, strict=True) if _is_white(text)]
    if white:
        others = (each for each in everything if raw.FPDFPageObj_GetType(each) != raw.FPDF_PAGEOBJ_TEXT)
        behind = [_box(each) for each in others if not _is_white(each)]
        hidden += [text for text, box in white if all(_is_apart(box, other) for other in behind)]
    return sum(len(words.split()) for words in _words(text_page, hidden))


def _box(each: Any) -> _Box:
    edges = c_float(), c_float(), c_float(), c_float()
    raw.FPDFPageObj_GetBounds(each, *map(byref, edges))
    left, bottom, right, top = (edge.value for edge in edges)
    return left, bottom, right, top


def _is_tiny(text: Any, box: _Box) -> bool:
    if box[3] - box[1] >= _TINY:
        return False  # a dash is low, too: its font tells
    size, matrix = c_float(), raw.FS_MATRIX()
    raw.FPDFTextObj_GetFontSize(text, byref(size))
    raw.FPDFPageObj_GetMatrix(text, byref(matrix))
    return bool(0 < size.value * max(abs(matrix.d), abs(matrix.b)) < _TINY)


def _is_white(each: Any) -> bool:
    colour = c_uint(), c_uint(), c_uint(), c_uint()
    if not raw.FPDFPageObj_GetFillColor(each, *map(byref, colour)):
        return False
    red, green, blue, alpha = (part.value for part in colour)
    return alpha == 0 or min(red, green, blue) >= _LIGHTEST


def _is_apart(box: _Box, other: _Box) -> bool:
    return box[2] <= other[0] or box[0] >= other[2] or box[3] <= other[1] or box[1] >= other[3]


def _words(text_page: pdfium.PdfTextPage, texts: Sequence[Any]) -> Iterator[str]:
    for text in texts:
        length = raw.FPDFTextObj_GetText(text, text_page, None, 0)
        buffer = (raw.FPDF_WCHAR * (length // 2 + 1))()
        raw.FPDFTextObj_GetText(text, text_page, buffer, length)
        yield bytes(buffer)[: max(length - 2, 0)].decode("utf-16-le", "replace")
