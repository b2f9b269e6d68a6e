"""The nouns of ingest: documents, their pages, and the chunks they are cut into.

Frozen, standard library only: everything else in Transom may import this module, and it imports nothing.
"""

from bisect import bisect_right
from dataclasses import dataclass
from uuid import UUID, uuid5

Span = tuple[int, int]
"""Half-open range of characters, [start, end), into :attr:`Document.text`."""

PAGE_BREAK = "\n\n"
"""What stands between two pages in :attr:`Document.text`."""

_NAMESPACE = UUID("6f6d3a52-5d0e-5c0b-9a53-7472616e736f")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a document: a sheet of a PDF, a slide, a worksheet, or the whole of an unpaged file."""

    number: int
    """Physical and 1-based."""
    text: str
    label: str = ""
    """As printed or named by its author ("iv", "Budget 2026"); empty where there is none."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading and where its section starts in :attr:`Document.text`."""

    level: int
    """1 is the outermost."""
    title: str
    start: int


@dataclass(frozen=True, slots=True)
class Document:
    """A file, read. Its text is its pages, joined by :data:`PAGE_BREAK`; spans count characters of that text."""

    id: str
    uri: str
    """Path relative to the ingested folder, with forward slashes."""
    title: str
    media_type: str
    sha256: str
    pages: tuple[Page, ...]
    headings: tuple[Heading, ...] = ()
    """In order of their start."""
    paged: bool = False
    """Whether page numbers mean something to a reader (PDF, slides, sheets)."""

    @property
    def text(self) -> str:
        """The whole extracted text."""
        return PAGE_BREAK.join(page.text for page in self.pages)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stored piece of a document that knows where it came from."""

    id: str
    """UUIDv5 of (document, span, text): ingesting again is an upsert, never a duplicate."""
    collection: str
    document_id: str
    uri: str
    title: str
    ordinal: int
    """0-based position among the chunks of its document."""
    text: str
    headings: tuple[str, ...]
    """From the outermost to the innermost section the chunk starts in."""
    pages: tuple[int, ...]
    """Physical page numbers the chunk touches; empty where the format has no pages."""
    span: Span
    tokens: int
    """Counted by the embedder's tokenizer, without headings and special tokens."""
    page_starts: tuple[int, ...] = ()
    """For each of :attr:`pages`, the offset in :attr:`text` where it begins; the first is 0."""
    language: str = ""
    """ISO 639-1 code of the document's language; empty where that is not clear."""

    def page_at(self, offset: int) -> int | None:
        """The physical page on which the character at `offset` lies; None where the format has no pages."""
        if not self.pages:
            return None
        return self.pages[bisect_right(self.page_starts, offset) - 1]


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that was retrieved for a query."""

    chunk: Chunk
    score: float
    """Of the fused ranking, or of the reranker; comparable only within one result."""
    rank: int
    """0-based."""
    dense_score: float
    """Cosine similarity of query and chunk, in [-1, 1]."""
    bm25_score: float
    """BM25 weight of the query's terms in the chunk; 0.0 where none occurs or the chunk ranked too low."""


def document_id(collection: str, root: str, uri: str) -> str:
    """The id of the document at `uri` below the ingested folder `root`, stable over runs."""
    return str(uuid5(_NAMESPACE, "\0".join(("document", collection, root, uri))))


def chunk_id(document: str, span: Span, text: str) -> str:
    """The id of a chunk: the same document, span and text always give the same id."""
    return str(uuid5(_NAMESPACE, "\0".join(("chunk", document, str(span[0]), str(span[1]), text))))
