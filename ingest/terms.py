"""The words of a text as BM25 sees them: stemmed, without stop words, hashed to numbers."""

from functools import cache

from qdrant_edge import Bm25, Bm25Config, SparseVector


@cache
def bm25(language: str = "english") -> Bm25:
    """The BM25 model of a language: its stemmer and stop words."""
    return Bm25(Bm25Config(language=language))


def document_vector(text: str) -> SparseVector:
    """The sparse vector of a stored text: each term with its saturated frequency."""
    return bm25().embed_document(text)


def query_vector(text: str) -> SparseVector:
    """The sparse vector of a query: each term with weight 1; the index multiplies by idf."""
    return bm25().embed_query(text)


def terms(text: str) -> frozenset[int]:
    """The distinct terms of a text."""
    return frozenset(query_vector(text).indices)
