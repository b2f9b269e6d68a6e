"""Transom's terms in those of qdrant-client."""

from qdrant_client import models

from ingest.documents import Chunk
from ingest.index.ranking import UNSEEN
from ingest.index.schema import BM25, DENSE, ORDINAL, SparseTerms, Vectors, Where, to_payload


def to_filter(where: Where, ordinals: list[int] | None = None) -> models.Filter:
    """Which points `where` means, at these positions of their documents if some are given."""
    conditions: list[models.Condition] = [
        models.FieldCondition(key=field, match=models.MatchAny(any=values)) for field, values in where.conditions()
    ]
    if ordinals is not None:
        conditions.append(models.FieldCondition(key=ORDINAL, match=models.MatchAny(any=ordinals)))
    return models.Filter(must=conditions)


def to_formula(weight: float) -> models.FormulaQuery:
    """The cosine and the weighted words of what two prefetches found."""
    words = models.MultExpression(mult=[weight, "$score[1]"])
    defaults = {"$score[0]": UNSEEN, "$score[1]": 0.0}
    return models.FormulaQuery(formula=models.SumExpression(sum=["$score[0]", words]), defaults=defaults)


def to_point(chunk: Chunk, vectors: Vectors) -> models.PointStruct:
    """A chunk and its vectors as a point."""
    dense = [float(value) for value in vectors.dense]
    return models.PointStruct(
        id=chunk.id, vector={DENSE: dense, BM25: to_sparse(vectors.bm25)}, payload=to_payload(chunk)
    )


def to_sparse(terms: SparseTerms) -> models.SparseVector:
    """A sparse vector."""
    return models.SparseVector(indices=list(terms.indices), values=list(terms.values))
