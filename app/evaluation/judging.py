"""Which of the places that answer a question a passage meets. Pure."""

from collections.abc import Iterable, Sequence

from app.evaluation.questions import By, Evidence, Question
from ingest.documents import Chunk, Passage

PAGES_BESIDE = 1
"""A passage from the page beside the evidence counts: a sentence may run over, and page numbers differ by a cover."""


def met(question: Question, passages: Iterable[Passage], by: By) -> list[frozenset[int]]:
    """For each rank, the positions in `question.evidence` that the passage there meets.

    By document, a rank is a document: only its best passage counts, the others are not ranks at all.
    """
    chunks = [passage.chunk for passage in passages]
    if by == "document":
        chunks = _first_of_each_document(chunks)
    return [_met_by(chunk, question.evidence) for chunk in chunks]


def _first_of_each_document(chunks: Sequence[Chunk]) -> list[Chunk]:
    first: dict[str, Chunk] = {}
    for chunk in chunks:
        first.setdefault(chunk.uri, chunk)
    return list(first.values())


def _met_by(chunk: Chunk, places: Sequence[Evidence]) -> frozenset[int]:
    return frozenset(position for position, place in enumerate(places) if _meets(chunk, place))


def _meets(chunk: Chunk, place: Evidence) -> bool:
    """By document, by page or the one beside it, or by half of the characters, of the place or of the chunk."""
    if chunk.uri != place.document:
        return False
    if place.span:
        shared = min(chunk.span[1], place.span[1]) - max(chunk.span[0], place.span[0])
        shorter = min(chunk.span[1] - chunk.span[0], place.span[1] - place.span[0])
        return shared > 0 and 2 * shared >= shorter
    if place.page is not None:
        return any(abs(page - place.page) <= PAGES_BESIDE for page in chunk.pages)
    return True
