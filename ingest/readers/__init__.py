"""One file -> its text with pages and headings. What a file is, its content decides before its ending.

One module for each way of reading: :mod:`.pdf`, :mod:`.word`, :mod:`.slides`, :mod:`.office` (sheets, books, old
formats), :mod:`.web`, :mod:`.mail`, :mod:`.ocr` (pictures) and :mod:`.text` (everything that is text already);
imported when first needed.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from ingest.errors import EmptyError, ReadError
from ingest.readers import media_type as types
from ingest.readers.extracted import Extracted
from ingest.readers.hidden import without_shapeless

__all__ = ["Extracted", "read"]


def read(path: Path, ocr: bool = False) -> Extracted:
    """Reads a file of any known kind; with `ocr`, what is only a picture of text goes through Tesseract.

    Raises :class:`~ingest.errors.ReadError`, or one of its kinds, for a file that cannot be read.
    """
    try:
        media_type = types.media_type_of(path)
        extracted = _reader_for(media_type, ocr)(path, media_type)
    except OSError as error:
        raise ReadError(f"The file cannot be opened: {error.strerror or error}", "Check who may read it.") from error
    except RecursionError as error:
        raise ReadError("The file is nested too deeply.", "Open it in its own program and save it again.") from error
    if not any(page.text.strip() for page in extracted.pages):
        raise EmptyError("The file holds no text.")
    return without_shapeless(extracted)


def _reader_for(media_type: str, ocr: bool) -> Callable[[Path, str], Extracted]:
    if media_type == types.PDF:
        from ingest.readers.pdf import read_pdf

        return partial(read_pdf, ocr=ocr)
    if media_type in types.PICTURES:
        from ingest.readers.ocr import read_picture

        return partial(read_picture, ocr=ocr)
    if media_type == types.DOCX:
        from ingest.readers.word import read_word as reader
    elif media_type == types.PPTX:
        from ingest.readers.slides import read_slides as reader
    elif media_type == types.HTML:
        from ingest.readers.web import read_web as reader
    elif media_type in types.SHEETS:
        from ingest.readers.office import read_sheets as reader
    elif media_type == types.EML:
        from ingest.readers.mail import read_mail as reader
    elif media_type == types.MSG:
        from ingest.readers.office import read_outlook as reader
    elif media_type in types.FLOWING:
        from ingest.readers.office import read_flowing as reader
    else:
        from ingest.readers.text import read_text as reader
    return reader
