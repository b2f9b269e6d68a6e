"""What of a chunk is searched: its text behind the place it has in its document.

For meaning that is the document's own title and headings, so that the vector depends on what a file holds and
not on what it is called: a copy or a renamed file has the same vectors. For words it is also the file's name.
"""

from collections.abc import Iterable
from hashlib import blake2b
from pathlib import PurePosixPath

from ingest.documents import Chunk

_CHARACTERS = 120
"""Most that the title and headings before a text may take together."""


def dense_text(chunk: Chunk) -> str:
    """A chunk's text as it is embedded."""
    return _behind(chunk, (chunk.title,) if chunk.title != PurePosixPath(chunk.uri).stem else ())


def bm25_text(chunk: Chunk) -> str:
    """A chunk's text as its words are counted."""
    return _behind(chunk, (chunk.title,))


def text_key(chunk: Chunk) -> str:
    """Names :func:`dense_text`: chunks with the same key have the same dense vector."""
    return blake2b(dense_text(chunk).encode(), digest_size=16).hexdigest()


def _behind(chunk: Chunk, titles: Iterable[str]) -> str:
    context: list[str] = []
    room = _CHARACTERS
    for part in (*reversed(chunk.headings), *titles):
        room -= len(part)
        if room < 0:
            break
        if part not in context:
            context.insert(0, part)
    return f"{' > '.join(context)}\n{chunk.text}" if context else chunk.text
