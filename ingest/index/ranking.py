"""What decides the order of chunks, once the two searches have spoken: one rule for both homes.

`hybrid` is computed by Qdrant, as a formula over its two searches: the cosine, and the mean weight of a query's terms
in the chunk. Unlike a fusion by ranks or by distribution it keeps how good the best match is: where words find an
exact answer and meaning finds nothing in particular, words win. `final` looks at the first of these again.
The numbers were chosen on six sets at once; docs/retrieval.md and benchmarks/LOG.md tell how.
"""

from collections.abc import Sequence
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.documents import Passage
from ingest.index.schema import DENSE, Dense, SparseTerms, Stored, to_chunk

Ranking = Literal["dense", "bm25", "hybrid", "final"]
"""By one of the vectors, by both, and by both with a second look."""

DEPTH = 100
"""Candidates that each of the two searches gives, at least."""

LOOKED_AT = 20
"""Chunks that get a second look."""

UNSEEN = 0.2
"""The cosine of a chunk that its words have found and meaning has not: what is not near is about so far away."""

_WORDS = 0.2
_FEEDBACK = 0.25
_CENTRE = 5
_NEIGHBOUR = 0.1

Vector = NDArray[np.float32]


class Hit(Stored, Protocol):
    """A point that was found by a query."""

    @property
    def score(self) -> float:
        """Of the query that found it."""


def words_weight(bm25: SparseTerms) -> float:
    """What a point of BM25 is worth beside the cosine; the more words a query has, the less."""
    return _WORDS / max(bm25.words or len(bm25.indices), 1)


def to_passages(
    query: tuple[Dense, SparseTerms], hits: Sequence[Hit], by_words: Sequence[Hit], limit: int, ranking: Ranking
) -> list[Passage]:
    """The best `limit` passages, each with what the two searches thought of it.

    The hits bring their dense vectors along: cheaper than a third query, and it also gives the cosine of a
    chunk that only its words have found.
    """
    if not hits:
        return []
    weights = {hit.id: hit.score for hit in by_words}
    vectors = np.array([hit.vector[DENSE] for hit in hits], dtype=np.float32)
    cosines = vectors @ _unit(np.asarray(query[0], dtype=np.float32))
    words = np.array([weights.get(hit.id, 0.0) for hit in hits])
    scores = np.array([hit.score for hit in hits])
    if ranking == "final":
        scores = _second_look(cosines + words_weight(query[1]) * words, scores, vectors, hits)
    ordinals = [hit.payload["ordinal"] for hit in hits]
    best = np.lexsort((ordinals, -np.round(scores, 6)))[:limit]  # of copies, that which stands first
    return [
        Passage(to_chunk(hits[i].id, hits[i].payload), float(scores[i]), rank, float(cosines[i]), float(words[i]))
        for rank, i in enumerate(best)
    ]


def _second_look(exact: NDArray[Any], scores: NDArray[Any], vectors: Vector, hits: Sequence[Hit]) -> NDArray[Any]:
    """Scores of the first hits with the cosine where it was unseen, and with what speaks for them beside the query.

    That is how near a chunk is to what the best ones have in common (feedback), and whether the chunk before or
    behind it was found as well. Hits behind those stay behind them.
    """
    first = slice(LOOKED_AT)
    exact, vectors = exact[first], vectors[first]
    centre = _unit(vectors[np.argsort(-exact, kind="stable")[:_CENTRE]].sum(axis=0))
    seen = exact + _FEEDBACK * (vectors @ centre) + _NEIGHBOUR * _best_neighbours(exact, hits[first])
    return np.concatenate([seen, np.minimum(scores[LOOKED_AT:], seen.min())])


def _best_neighbours(scores: NDArray[Any], hits: Sequence[Hit]) -> NDArray[Any]:
    """For each hit the better score of the chunks beside it; of those not found, the worst of all."""
    places = [(hit.payload["document_id"], hit.payload["ordinal"]) for hit in hits]
    known = dict(zip(places, scores, strict=True))
    worst = scores.min()
    return np.array([max(known.get((doc, at - 1), worst), known.get((doc, at + 1), worst)) for doc, at in places])


def _unit(vector: Vector) -> Vector:
    return vector / (np.linalg.norm(vector) or 1.0)
