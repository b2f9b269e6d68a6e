"""Transom's terms in those of Qdrant Edge."""

from qdrant_edge import Expression, FieldCondition, Filter, Formula, MatchAny, Point, SparseVector

from ingest.documents import Chunk
from ingest.index.ranking import UNSEEN
from ingest.index.schema import BM25, DENSE, ORDINAL, SparseTerms, Vectors, Where, to_payload


def to_filter(where: Where, ordinals: list[int] | None = None) -> Filter:
    """Which points `where` means, at these positions of their documents if some are given."""
    conditions = [FieldCondition(field, match=MatchAny(values)) for field, values in where.conditions()]
    if ordinals is not None:
        conditions.append(FieldCondition(ORDINAL, match=MatchAny(ordinals)))
    return Filter(must=list(conditions))


def to_formula(weight: float) -> Formula:
    """The cosine and the weighted words of what two prefetches found."""
    words = Expression.Mult([Expression.Constant(weight), Expression.Variable("$score[1]")])
    defaults = {"$score[0]": UNSEEN, "$score[1]": 0.0}
    return Formula(Expression.Sum([Expression.Variable("$score[0]"), words]), defaults)


def to_point(chunk: Chunk, vectors: Vectors) -> Point:
    """A chunk and its vectors as a point."""
    dense = [float(value) for value in vectors.dense]
    return Point(chunk.id, {DENSE: dense, BM25: to_sparse(vectors.bm25)}, to_payload(chunk))


def to_sparse(terms: SparseTerms) -> SparseVector:
    """A sparse vector."""
    return SparseVector(list(terms.indices), list(terms.values))
