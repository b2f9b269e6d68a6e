"""Document -> chunks that know their headings, pages and exact character span.

The cut follows the document's structure: a section is never mixed with the next one unless both are small,
and within a section `semantic-text-splitter` looks for the largest unit (paragraph, sentence, word) that fits.
"""

import re
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import TypedDict

from semantic_text_splitter import MarkdownSplitter, TextSplitter
from tokenizers import Tokenizer

from ingest.documents import PAGE_BREAK, Chunk, Document, Heading, Span, chunk_id

VERSION = 3
"""Part of the index's fingerprint: raised when the same document would be cut differently."""

_MARKDOWN = {"text/markdown", "text/html"}

_BLOCK = re.compile(r"(?:[^\n]{0,9999}\n)*+(?:[^\n]{5000,10000}(?<=[\s,;>])|[^\n]{0,10000})")
"""Everything up to the next line that is too long, and at most 10,000 characters of that.

Within a line without words, the splitter takes quadratic time (a table of 80,000 characters in one line: 4 seconds),
and what its tokenizer takes for one unknown word it never cuts, be it megabytes.
"""


class _Pages(TypedDict):
    pages: tuple[int, ...]
    page_starts: tuple[int, ...]


class Chunker:
    """Cuts documents into chunks of at most `tokens` tokens, as the embedder's own `tokenizer` counts them."""

    def __init__(self, tokenizer: Tokenizer, tokens: int, overlap: int = 0) -> None:
        counter = Tokenizer.from_str(tokenizer.to_str())
        counter.no_truncation()
        counter.no_padding()
        self._count: Callable[[str], int] = lambda text: len(counter.encode(text, add_special_tokens=False).ids)
        self._text = TextSplitter.from_huggingface_tokenizer(counter, tokens, overlap)
        self._markdown = MarkdownSplitter.from_huggingface_tokenizer(counter, tokens, overlap)

    def cut(self, document: Document, collection: str) -> Iterator[Chunk]:
        """The chunks of `document` in order; every chunk's text is exactly `document.text[start:end]`."""
        text = document.text
        splitter = self._markdown if document.media_type in _MARKDOWN else self._text
        page_starts = _page_starts(document)
        sections = _Sections(document, text)
        for ordinal, (start, piece) in enumerate(_split(splitter, text)):
            span = (start, start + len(piece))
            yield Chunk(
                id=chunk_id(document.id, span, piece),
                collection=collection,
                document_id=document.id,
                uri=document.uri,
                title=document.title,
                ordinal=ordinal,
                text=piece,
                headings=sections.at(start),
                **_pages_of(document, page_starts, span),
                span=span,
                tokens=self._count(piece),
            )


def _split(splitter: TextSplitter | MarkdownSplitter, text: str) -> Iterator[tuple[int, str]]:
    for block in _BLOCK.finditer(text):
        for start, piece in splitter.chunk_indices(block[0]):
            if piece.strip():
                yield block.start() + start, piece


def _page_starts(document: Document) -> list[int]:
    lengths = (len(page.text) + len(PAGE_BREAK) for page in document.pages)
    return [0, *accumulate(lengths)][:-1]


def _pages_of(document: Document, starts: list[int], span: Span) -> _Pages:
    """The pages that `span` touches, and where in it each begins."""
    if not document.paged:
        return {"pages": (), "page_starts": ()}
    first = bisect_right(starts, span[0]) - 1
    last = bisect_right(starts, span[1] - 1) - 1
    touched = range(first, last + 1)
    return {
        "pages": tuple(document.pages[index].number for index in touched),
        "page_starts": tuple(max(0, starts[index] - span[0]) for index in touched),
    }


class _Sections:
    """Follows the chunks of a document through its headings; asked for starts in ascending order."""

    def __init__(self, document: Document, text: str) -> None:
        self._text = text
        self._ahead = deque(document.headings)
        self._path: list[Heading] = []

    def at(self, start: int) -> tuple[str, ...]:
        """The titles of the sections that `start` lies in; a chunk that opens with headings lies in those."""
        while self._ahead and self._ahead[0].start <= start:
            self._path = _entered(self._path, self._ahead.popleft())
        path, reached = self._path, self._line_end(start) if self._starts_section(start) else start
        for heading in self._ahead:
            if self._text[reached : heading.start].strip():
                break
            path, reached = _entered(path, heading), self._line_end(heading.start)
        return tuple(heading.title for heading in path)

    def _starts_section(self, start: int) -> bool:
        return bool(self._path) and self._path[-1].start == start

    def _line_end(self, start: int) -> int:
        end = self._text.find("\n", start)
        return end if end >= 0 else len(self._text)


def _entered(path: list[Heading], heading: Heading) -> list[Heading]:
    return [*(outer for outer in path if outer.level < heading.level), heading]
