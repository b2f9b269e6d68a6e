"""PowerPoint: a page for each slide, with its notes, through python-pptx (hidden slides count, as in the program)."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from pptx.package import Package
from pptx.presentation import Presentation
from pptx.shapes.base import BaseShape
from pptx.shapes.graphfrm import GraphicFrame
from pptx.shapes.group import GroupShape
from pptx.slide import Slide
from pptx.table import Table

from ingest.documents import Page
from ingest.errors import ReadError
from ingest.readers.extracted import Extracted, headings_of_pages, title_or_name

_PRESENTATION = "application/vnd.openxmlformats-officedocument.presentationml."
MEDIA_TYPES = {_PRESENTATION + "presentation", _PRESENTATION + "slideshow", _PRESENTATION + "template"}
"""What this module reads."""


def read_slides(path: Path, media_type: str) -> Extracted:
    """Reads a presentation; raises :class:`ReadError` for a damaged one."""
    try:
        presentation = _open(path)
        slides = list(presentation.slides)
        pages = tuple(Page(number, "\n".join(_lines(slide))) for number, slide in enumerate(slides, 1))
        titles = [_title(slide) for slide in slides]
        title = title_or_name(presentation.core_properties.title, path)
    except MemoryError:
        raise
    except Exception as error:  # of zipfile, lxml and python-pptx, which check little of what they parse
        raise ReadError(
            f"The presentation is damaged: {error or type(error).__name__}",
            "Open it in its own program and save it again.",
        ) from error
    return Extracted(title, media_type, pages, headings_of_pages(pages, titles), paged=True)


def _open(path: Path) -> Presentation:
    # Not pptx.Presentation(): that refuses slide shows and templates.
    part = Package.open(str(path)).main_document_part
    return part.presentation  # type: ignore[no-any-return]


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
        yield from _rows(shape.table)
    elif shape.has_text_frame:
        text = _plain(shape.text_frame.text)  # type: ignore[attr-defined]
        if text:
            yield text


def _rows(table: Table) -> Iterator[str]:
    for row in table.rows:
        yield "| " + " | ".join(" ".join(cell.text.split()) for cell in row.cells) + " |"


def _plain(text: str) -> str:
    """Text whose line breaks are all line breaks: PowerPoint has vertical tabs inside a paragraph."""
    return text.replace("\v", "\n").strip()
