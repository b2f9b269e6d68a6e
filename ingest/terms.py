"""The words of a text as BM25 sees them: stemmed, without stop words, hashed to numbers.

A document's words are stemmed in its own language. A question may be about documents of any, and is too short to tell
its own, so its words are stemmed in each language of the documents; a stem is the same term in all of them.
"""

from collections.abc import Iterable
from functools import cache

from qdrant_edge import Bm25, Bm25Config, SparseVector

from ingest.index import SparseTerms

_STEMMERS = {
    "ar": "arabic",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "hu": "hungarian",
    "it": "italian",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sv": "swedish",
    "tr": "turkish",
}
"""By ISO 639-1 code; English is for all others."""


def stemmer(language: str) -> str:
    """The name of the stemmer, and of the stop words, for an ISO 639-1 code."""
    return _STEMMERS.get(language, "english")


def document_terms(text: str, language: str = "") -> SparseTerms:
    """The terms of a stored text in a language (ISO 639-1), each with its saturated frequency."""
    vector = _bm25(stemmer(language)).embed_document(text)
    return SparseTerms(indices=tuple(vector.indices), values=tuple(vector.values))


def query_terms(text: str, languages: Iterable[str] = ("",)) -> SparseTerms:
    """The terms of a query in each of these languages, each with weight 1; the index multiplies by idf."""
    names = sorted({stemmer(language) for language in languages} or {stemmer("")})
    vectors: list[SparseVector] = [_bm25(name).embed_query(text) for name in names]
    indices = tuple(dict.fromkeys(index for vector in vectors for index in vector.indices))
    words = max(len(vector.indices) for vector in vectors)
    return SparseTerms(indices=indices, values=(1.0,) * len(indices), words=words)


def terms(text: str) -> frozenset[int]:
    """The distinct terms of a text, as of an English one."""
    return frozenset(query_terms(text).indices)


@cache
def _bm25(name: str) -> Bm25:
    return Bm25(Bm25Config(language=name))
