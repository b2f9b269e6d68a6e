"""A file -> its chunks: what a worker process does, so that the parent only embeds and stores."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tokenizers import Tokenizer

from ingest.chunker import Chunker
from ingest.documents import Chunk, Document
from ingest.errors import ReadError
from ingest.readers import Extracted, read

_MILLION = 1 << 20


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that is to be read, and the document it will be."""

    path: Path
    document_id: str
    collection: str
    uri: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document, cut."""

    title: str
    media_type: str
    pages: int
    """0 where the format has no pages."""
    chunks: tuple[Chunk, ...]
    warnings: tuple[str, ...] = ()
    """What the document hides from its readers."""


@dataclass(frozen=True, slots=True)
class Preparer:
    """Reads and cuts files. Travels to the worker processes, so it holds plain data only."""

    tokenizer: str
    """The embedder's, as JSON."""
    tokens: int
    overlap: int
    max_text_mb: int
    """Millions of characters, in round figures (1 << 20)."""
    ocr: bool = False
    reader: Callable[[Path, bool], Extracted] = read

    def __call__(self, file: Unread) -> Prepared:
        """Reads and cuts one file; raises :class:`ReadError`."""
        extracted = self.reader(file.path, self.ocr)
        self._check_length(extracted)
        document = _document(file, extracted)
        chunker = _chunker(self.tokenizer, self.tokens, self.overlap)
        return Prepared(
            title=document.title,
            media_type=document.media_type,
            pages=len(document.pages) if document.paged else 0,
            chunks=tuple(chunker.cut(document, file.collection)),
            warnings=extracted.warnings,
        )

    def _check_length(self, extracted: Extracted) -> None:
        length = sum(len(page.text) for page in extracted.pages)
        if length > self.max_text_mb * _MILLION:
            raise ReadError(
                f"The file holds {length / _MILLION:.0f} million characters; the limit is {self.max_text_mb} million.",
                "Raise reading.max_text_mb in the settings if the file is worth it.",
            )


@cache
def _chunker(tokenizer: str, tokens: int, overlap: int) -> Chunker:
    return Chunker(Tokenizer.from_str(tokenizer), tokens, overlap)


def _document(file: Unread, extracted: Extracted) -> Document:
    return Document(
        id=file.document_id,
        uri=file.uri,
        title=extracted.title,
        media_type=extracted.media_type,
        sha256=file.sha256,
        pages=extracted.pages,
        headings=extracted.headings,
        paged=extracted.paged,
    )
