"""The words of a text as BM25 sees them: stemmed, without stop words, hashed to numbers."""

from functools import cache

from qdrant_edge import Bm25, Bm25Config, SparseVector

from ingest.index import SparseTerms


@cache
def bm25(language: str = "english") -> Bm25:
    """The BM25 model of a language: its stemmer and stop words."""
    return Bm25(Bm25Config(language=language))


def document_terms(text: str) -> SparseTerms:
    """The terms of a stored text, each with its saturated frequency."""
    return _sparse(bm25().embed_document(text))


def query_terms(text: str) -> SparseTerms:
    """The terms of a query, each with weight 1; the index multiplies by idf."""
    return _sparse(bm25().embed_query(text))


def terms(text: str) -> frozenset[int]:
    """The distinct terms of a text."""
    return frozenset(query_terms(text).indices)


def _sparse(vector: SparseVector) -> SparseTerms:
    return SparseTerms(indices=tuple(vector.indices), values=tuple(vector.values))
