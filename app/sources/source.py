"""A citation -> what can be shown of its document: the file, the words on each page, the text around them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.answers import Citation
from app.sources.alignment import Quoted
from ingest.catalogue import Entry
from ingest.documents import Chunk, Span

PDF = "application/pdf"


class Chunks(Protocol):
    """What is needed of a library."""

    def chunks(self, document_id: str, ordinals: Sequence[int]) -> list[Chunk]:
        """Those chunks of a document that stand at these positions, in order; a missing one is left out."""


@dataclass(frozen=True, slots=True)
class File:
    """The file of a document."""

    path: Path
    media_type: str
    version: int
    """When it was changed last; 0 if it is gone."""
    changed: bool
    """Whether it is another than was read."""

    @classmethod
    def of(cls, entry: Entry) -> "File":
        """The file as it is now."""
        path = Path(entry.root, entry.uri)
        try:
            found = path.stat()
        except OSError:
            return cls(path, entry.media_type, 0, changed=True)
        changed = (found.st_size, found.st_mtime_ns) != (entry.size, entry.mtime_ns)
        return cls(path, entry.media_type, found.st_mtime_ns, changed)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of a document's text."""

    text: str
    marks: list[Span]
    """The cited words, as characters of `text`."""
    begins: bool
    """Whether it begins where the document does."""
    ends: bool
    """Whether it may end where the document does: nothing was found behind it."""


def quoted_on(citation: Citation) -> dict[int, Quoted]:
    """The words of a citation on each page that they stand on."""
    chunk = citation.passage.chunk
    begin, end = (offset - chunk.span[0] for offset in citation.span)
    found: dict[int, Quoted] = {}
    borders = [*chunk.page_starts, len(chunk.text)]
    for page, start, stop in zip(chunk.pages, borders, borders[1:], strict=False):
        if max(begin, start) < min(end, stop):
            words = chunk.text[max(begin, start) : min(end, stop)]
            found[page] = Quoted(words, chunk.text[start : max(begin, start)])
    return found


def excerpt(citation: Citation, others: Sequence[Citation], library: Chunks, reach: int) -> Excerpt:
    """The text around a citation, `reach` chunks on each side, with its words and those of `others` marked."""
    cited = citation.passage.chunk
    first = max(0, cited.ordinal - reach)
    chunks = library.chunks(cited.document_id, range(first, cited.ordinal + reach + 1))
    if not any(chunk.id == cited.id for chunk in chunks):
        chunks = [cited]  # the document has changed, or is gone: the words that were cited are still known
    text, starts = _joined(chunks)
    marks = [span for each in (citation, *others) if (span := _within(each.span, starts))]
    alone = len(chunks) == 1
    return Excerpt(text, marks, first == 0 or alone, alone or chunks[-1].ordinal < cited.ordinal + reach)


def _joined(chunks: Sequence[Chunk]) -> tuple[str, list[tuple[int, int, int]]]:
    """Chunks as one text, and where in it each begins: its place there, and its span in the document."""
    text, end, starts = "", None, []
    for chunk in chunks:
        begin = chunk.span[0]
        if end is not None and begin > end:
            text += "\n\n" if begin - end > 1 else " "
        new = chunk.text[max(0, (end or begin) - begin) :]
        begin = chunk.span[1] - len(new)
        starts.append((len(text), begin, chunk.span[1]))
        text, end = text + new, chunk.span[1]
    return text, starts


def _within(span: Span, starts: Sequence[tuple[int, int, int]]) -> Span | None:
    """Where characters of the document are in the text; None if they are not."""
    ends = (span[0], span[1] - 1)
    inside = [place + each - begin for each in ends for place, begin, end in starts if begin <= each < end]
    return (inside[0], inside[-1] + 1) if inside else None
