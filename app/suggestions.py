"""First questions that a collection can answer, made from its documents' titles and headings. No model is asked."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from ingest.catalogue import Entry
from ingest.documents import Chunk

_MOST = 3
_LOOKED_AT = 12
"""Chunks of a document in which a heading is looked for."""
_SHORTEST, _LONGEST = 4, 60
"""Characters of a heading that can stand in a question."""


class Chunks(Protocol):
    """What is needed of a library."""

    def chunks(self, document_id: str, ordinals: Sequence[int]) -> list[Chunk]:
        """Those chunks of a document that stand at these positions, in order; a missing one is left out."""


def suggestions(entries: Sequence[Entry], library: Chunks) -> list[str]:
    """Some questions about documents that lie apart in the list, the same ones each time."""
    known = [entry for entry in entries if entry.chunks]
    apart = known[:: max(1, len(known) // _MOST)][:_MOST]
    return list(dict.fromkeys(_question(entry, library) for entry in apart))


def _question(entry: Entry, library: Chunks) -> str:
    heading = next(_headings(library.chunks(entry.document_id, range(_LOOKED_AT))), "")
    name = entry.uri.rsplit("/", 1)[-1]
    return f"What does {name} say about “{heading}”?" if heading else f"What is {name} about?"


def _headings(chunks: Sequence[Chunk]) -> Iterator[str]:
    """Headings below the outermost, which often repeats the title; then any."""
    for depth in (1, 0):
        for chunk in chunks:
            for heading in chunk.headings[depth:]:
                words = heading.strip(" .:")
                if _SHORTEST <= len(words) <= _LONGEST and any(map(str.isalpha, words)):
                    yield words
