"""PowerPoint: a page for each slide, with its notes, through python-pptx.

Kreuzberg numbers slides by the names of their files, not by their order in the presentation.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from pptx.package import Package
from pptx.shapes.base import BaseShape
from pptx.shapes.graphfrm import GraphicFrame
from pptx.shapes.group import GroupShape
from pptx.slide import Slide

from ingest.documents import Page
from ingest.errors import ReadError
from ingest.readers.extracted import Extracted, headings_of_pages, table, title_or_name
from ingest.readers.hidden import told

_OFF = ("0", "false")
_ON = ("1", "true")


def read_slides(path: Path, media_type: str) -> Extracted:
    """Reads a presentation; raises :class:`ReadError` for a damaged one."""
    try:
        presentation = _open(path)
        slides: list[Slide] = list(presentation.slides)
        pages = tuple(Page(number, "\n".join(_lines(slide))) for number, slide in enumerate(slides, 1))
        titles = [_title(slide) for slide in slides]
        title = title_or_name(presentation.core_properties.title, path)
        size = presentation.slide_width or 0, presentation.slide_height or 0
        hidden = sum(_hidden_words(slide, page, size) for slide, page in zip(slides, pages, strict=True))
    except MemoryError:
        raise
    except Exception as error:  # of zipfile, lxml and python-pptx, which trust what they parse
        raise ReadError(
            f"The presentation is damaged: {str(error) or type(error).__name__}",
            "Open it in its own program and save it again.",
        ) from error
    warnings = told(hidden, "they stand on hidden slides, in hidden shapes or off the slide")
    return Extracted(title, media_type, pages, headings_of_pages(pages, titles), paged=True, warnings=warnings)


def _open(path: Path) -> Any:
    # Not pptx.Presentation(), which refuses slide shows and templates.
    return Package.open(str(path)).main_document_part.presentation


def _title(slide: Slide) -> str:
    shape = slide.shapes.title
    return " ".join(shape.text_frame.text.split()) if shape is not None else ""


def _lines(slide: Slide) -> Iterator[str]:
    title = slide.shapes.title
    if title is not None:
        yield from _shape_lines(title)
    yield from _all_lines(shape for shape in slide.shapes if title is None or shape.shape_id != title.shape_id)
    notes = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
    if notes is not None and notes.text.strip():
        yield f"\nNotes: {_plain(notes.text)}"


def _all_lines(shapes: Iterable[BaseShape]) -> Iterator[str]:
    for shape in shapes:
        yield from _shape_lines(shape)


def _shape_lines(shape: BaseShape) -> Iterator[str]:
    if isinstance(shape, GroupShape):
        yield from _all_lines(shape.shapes)
    elif isinstance(shape, GraphicFrame) and shape.has_table:
        yield table([[cell.text for cell in row.cells] for row in shape.table.rows])
    elif shape.has_text_frame:
        text = _plain(shape.text_frame.text)  # type: ignore[attr-defined]
        if text:
            yield text


def _hidden_words(slide: Slide, page: Page, size: tuple[int, int]) -> int:
    """How many words of a slide of this size are not seen when it is shown."""
    if slide.element.get("show") in _OFF:
        return len(page.text.split())
    beside = [shape for shape in slide.shapes if _is_beside(shape, size)]
    hidden = chain(beside, _switched_off(shape for shape in slide.shapes if shape not in beside))
    return sum(len(line.split()) for line in _all_lines(hidden))


def _is_beside(shape: BaseShape, size: tuple[int, int]) -> bool:
    """Whether a shape lies wholly off the slide; one without a place of its own does not."""
    if None in (shape.left, shape.top, shape.width, shape.height):
        return False
    right, bottom = shape.left + shape.width, shape.top + shape.height
    return shape.left >= size[0] or shape.top >= size[1] or right <= 0 or bottom <= 0


def _switched_off(shapes: Iterable[BaseShape]) -> Iterator[BaseShape]:
    """The shapes that are not shown, those in groups among them."""
    for shape in shapes:
        if next(shape.element.iter("{*}cNvPr")).get("hidden") in _ON:
            yield shape
        elif isinstance(shape, GroupShape):
            yield from _switched_off(shape.shapes)


def _plain(text: str) -> str:
    """Text whose line breaks are all line breaks: PowerPoint has vertical tabs within a paragraph."""
    return text.replace("\v", "\n").strip()
