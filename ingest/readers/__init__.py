"""One file -> its text with pages and headings. What a file is, its content decides before its ending.

One module for each way of reading: :mod:`.pdf`, :mod:`.office` (Word, slides, sheets, web pages, books, mail) and
:mod:`.text` (everything that is text already). They import their libraries when they are first used.
"""

from collections.abc import Callable
from pathlib import Path

from ingest.errors import EmptyError
from ingest.readers.extracted import Extracted
from ingest.readers.media_type import media_type_of

__all__ = ["Extracted", "read"]


def read(path: Path) -> Extracted:
    """Reads a file of any known kind.

    Raises :class:`~ingest.errors.ReadError`, or one of its kinds, for a file that cannot be read.
    """
    media_type = media_type_of(path)
    extracted = _reader_for(media_type)(path, media_type)
    if not any(page.text.strip() for page in extracted.pages):
        raise EmptyError("The file holds no text.")
    return extracted


def _reader_for(media_type: str) -> Callable[[Path, str], Extracted]:
    if media_type == "application/pdf":
        from ingest.readers.pdf import read_pdf

        return read_pdf
    from ingest.readers.office import MEDIA_TYPES, read_office

    if media_type in MEDIA_TYPES:
        return read_office
    from ingest.readers.text import read_text

    return read_text
