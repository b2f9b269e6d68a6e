"""What a survey found: items with their sources, and how they are told."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ingest.documents import Chunk, Passage, Span

_MOST = 200
"""Items that are written out; all are counted."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where an item stands."""

    chunk: Chunk
    span: Span
    """Within the chunk's text."""

    @property
    def passage(self) -> Passage:
        """The chunk, as what was found without a ranking."""
        return Passage(self.chunk, score=0.0, rank=-1, dense_score=0.0, bm25_score=0.0)


@dataclass(slots=True)
class Item:
    """One thing that was found."""

    text: str
    sources: list[Source]
    """Each with a chunk of its own: an item has one quote for each mark."""

    def add(self, sources: Iterable[Source]) -> None:
        """Takes further sources, but for chunks that it has already."""
        known = {source.chunk.id for source in self.sources}
        self.sources += [source for source in sources if source.chunk.id not in known]


@dataclass(frozen=True, slots=True)
class Found:
    """The outcome of a survey."""

    headline: str
    """What was found, in one sentence."""
    items: Sequence[Item]

    @property
    def told(self) -> Sequence[Item]:
        """The items that are written out."""
        return self.items[:_MOST]

    @property
    def rest(self) -> int:
        """How many are not."""
        return max(0, len(self.items) - _MOST)


def count(number: int, noun: str) -> str:
    """A number of things: "1 document", "3 documents"; `noun` is the plural."""
    return f"{number:,} {noun if number != 1 else noun.removesuffix('s')}"
