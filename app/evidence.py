"""Is there enough evidence to ask the model at all?

What the two searches found is weighed as one: how near the best passage is in meaning, and how much of the question's
words stand together, in any passage and in the nearest. Weights of BM25 are left out: they depend on the size of the
collection, and writing without spaces has none.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from app.citations.sentences import of_document
from app.citations.words import Key, words
from ingest.documents import Passage

_CONSTANT = -3.83
_WEIGHTS = (4.66, 2.92, 1.57)
"""From `benchmarks/judge.py`, which fits them to several question sets at once."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for it that the passages answer a question."""

    similarity: float
    """Cosine of the nearest passage."""
    together: float
    """The largest share of the question's words that two neighbouring sentences of a passage hold, in [0, 1]."""
    together_nearest: float
    """The same, in the nearest passage: whether meaning and words agree."""

    @property
    def values(self) -> tuple[float, ...]:
        """As the weights want them."""
        return self.similarity, self.together, self.together_nearest


def evidence(question: str, passages: Sequence[Passage]) -> Evidence:
    """Weighs up the passages that were found for a question."""
    if not passages:
        return Evidence(-1.0, 0.0, 0.0)
    wanted = frozenset(word.key for word in words(question))
    nearest = max(passages, key=lambda passage: passage.dense_score)
    shares = [_together(wanted, passage) for passage in passages]
    return Evidence(nearest.dense_score, max(shares), shares[passages.index(nearest)])


def confidence(found: Evidence) -> float:
    """How likely the passages answer the question, in (0, 1)."""
    z = _CONSTANT + sum(weight * value for weight, value in zip(_WEIGHTS, found.values, strict=True))
    return 1 / (1 + math.exp(-z))


def _together(wanted: frozenset[Key], passage: Passage) -> float:
    text = passage.chunk.text
    held = [frozenset(word.key for word in words(text[start:end])) for start, end in of_document(text)]
    pairs = (left | right for left, right in zip(held, [*held[1:], frozenset[Key]()], strict=True))
    return max((len(wanted & pair) for pair in pairs), default=0) / len(wanted) if wanted else 0.0
