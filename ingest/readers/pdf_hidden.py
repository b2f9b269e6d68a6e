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
    look, sheet = _Look(), page.get_bbox()
    texts: list[Any] = []
    others: list[Any] = []
    for index in range(raw.FPDFPage_CountObjects(page)):
        each = raw.FPDFPage_GetObject(page, index)
        (texts if raw.FPDFPageObj_GetType(each) == raw.FPDF_PAGEOBJ_TEXT else others).append(each)
    hidden, white = [], []
    for text in texts:
        box = look.box(text)
        if _is_apart(box, sheet) or (box[3] - box[1] < _TINY and look.is_tiny(text)):
            hidden.append(text)
        elif look.is_white(text):
            white.append((text, box))
    behind = [look.box(each) for each in others if not look.is_white(each)] if white else []
    hidden += [text for text, box in white if all(_is_apart(box, other) for other in behind)]
    return sum(len(words.split()) for words in _words(text_page, hidden))


class _Look:
    """Asks PDFium about objects; its answers have one place, as a page has hundreds of objects."""

    def __init__(self) -> None:
        self._edges = c_float(), c_float(), c_float(), c_float()
        self._to_edges = tuple(map(byref, self._edges))
        self._colour = c_uint(), c_uint(), c_uint(), c_uint()
        self._to_colour = tuple(map(byref, self._colour))

    def box(self, each: Any) -> _Box:
        raw.FPDFPageObj_GetBounds(each, *self._to_edges)
        left, bottom, right, top = self._edges
        return left.value, bottom.value, right.value, top.value

    def is_white(self, each: Any) -> bool:
        if not raw.FPDFPageObj_GetFillColor(each, *self._to_colour):
            return False
        red, green, blue, alpha = self._colour
        if alpha.value == 0:
            return True
        return bool(red.value >= _LIGHTEST and green.value >= _LIGHTEST and blue.value >= _LIGHTEST)

    def is_tiny(self, text: Any) -> bool:
        """By its font; a dash is low, too."""
        size, matrix = c_float(), raw.FS_MATRIX()
        raw.FPDFTextObj_GetFontSize(text, byref(size))
        raw.FPDFPageObj_GetMatrix(text, byref(matrix))
        return bool(0 < size.value * max(abs(matrix.d), abs(matrix.b)) < _TINY)


def _is_apart(box: _Box, other: _Box) -> bool:
    return box[2] <= other[0] or box[0] >= other[2] or box[3] <= other[1] or box[1] >= other[3]


def _words(text_page: pdfium.PdfTextPage, texts: Sequence[Any]) -> Iterator[str]:
    for text in texts:
        length = raw.FPDFTextObj_GetText(text, text_page, None, 0)
        buffer = (raw.FPDF_WCHAR * (length // 2 + 1))()
        raw.FPDFTextObj_GetText(text, text_page, buffer, length)
        yield bytes(buffer)[: max(length - 2, 0)].decode("utf-16-le", "replace")
