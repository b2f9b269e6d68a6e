"""PowerPoint: a page for each slide, with its notes, through python-pptx.

Kreuzberg numbers slides by the names of their files, not by their order in the presentation.
"""

from collections.abc import Iterable, Iterator
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


def read_slides(path: Path, media_type: str) -> Extracted:
    """Reads a presentation; raises :class:`ReadError` for a damaged one."""
    try:
        presentation = _open(path)
        slides: list[Slide] = list(presentation.slides)
        pages = tuple(Page(number, "\n".join(_lines(slide))) for number, slide in enumerate(slides, 1))
        titles = [_title(slide) for slide in slides]
        title = title_or_name(presentation.core_properties.title, path)
    except MemoryError:
        raise
    except Exception as error:  # of zipfile, lxml and python-pptx, which trust what they parse
        raise ReadError(
            f"The presentation is damaged: {str(error) or type(error).__name__}",
            "Open it in its own program and save it again.",
        ) from error
    return Extracted(title, media_type, pages, headings_of_pages(pages, titles), paged=True)


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


def _plain(text: str) -> str:
    """Text whose line breaks are all line breaks: PowerPoint has vertical tabs within a paragraph."""
    return text.replace("\v", "\n").strip()
