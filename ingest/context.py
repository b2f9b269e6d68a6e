"""What of a chunk is searched: its text behind the title and the headings it stands under."""

from hashlib import blake2b

from ingest.documents import Chunk

_CHARACTERS = 120
"""Most that the title and headings before a text may take together."""


def in_context(chunk: Chunk) -> str:
    """A chunk's text as it is embedded, and as its words are counted."""
    context: list[str] = []
    room = _CHARACTERS
    for part in (*reversed(chunk.headings), chunk.title):
        room -= len(part)
        if room < 0:
            break
        if part not in context:
            context.insert(0, part)
    return f"{' > '.join(context)}\n{chunk.text}" if context else chunk.text


def text_key(chunk: Chunk) -> str:
    """Names :func:`in_context`: chunks with the same key can share a dense vector."""
    return blake2b(in_context(chunk).encode(), digest_size=16).hexdigest()
