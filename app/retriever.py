"""A question -> the passages that go into the window: the library's search, with what fits a reader better than a list.

Copies do not crowd out the rest: of passages that say the same, in one document or in several, the best stays.
A question that says where to look is asked of those documents alone (:mod:`app.narrowing`).
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from app.narrowing import narrow
from app.reranking import Reranking
from ingest.documents import Passage
from ingest.index import Where
from ingest.library import Library

SPARE = 10
"""Passages asked for beyond what is wanted, in place of copies."""

_WORD = re.compile(r"\w+")


class Found(list[Passage]):
    """The passages for a question, the best first, and how they were found."""

    narrowed: str = ""
    """By what the question itself narrowed the search, for a person."""


class Retriever:
    """Finds passages in a library."""

    def __init__(self, library: Library, reranker: Reranking | None = None) -> None:
        self._library = library
        self._reranker = reranker

    def search(self, question: str, limit: int, where: Where) -> Found:
        """The best `limit` passages, none of them a copy; raises :class:`~ingest.errors.UsageError` as the library.

        Where the question says to look and nothing is found, all that `where` means is searched.
        """
        narrowed = narrow(question, where, partial(self._library.catalogue.entries, where.collection))
        passages = self._find(question, limit, narrowed.where) if narrowed else []
        found = Found(passages or self._find(question, limit, where))
        found.narrowed = narrowed.told if narrowed and passages else ""
        return found

    def _find(self, question: str, limit: int, where: Where) -> list[Passage]:
        if self._reranker is None:
            return distinct(self._library.search(question, limit + SPARE, where), limit)
        candidates = max(limit, self._reranker.candidates)
        passages = distinct(self._library.search(question, candidates + SPARE, where), candidates)
        return self._reranker.rerank(question, passages)[:limit]


def narrowed(passages: Sequence[Passage]) -> str:
    """By what the search for passages was narrowed, if this is known."""
    return passages.narrowed if isinstance(passages, Found) else ""


def distinct(passages: Sequence[Passage], limit: int) -> list[Passage]:
    """The first `limit` passages that are no copies of one before them, ranked anew.

    A copy has the same words in the same order. Anything less may be another version, with another figure in it.
    """
    kept: dict[tuple[str, ...], Passage] = {}
    for passage in passages:
        if len(kept) == limit:
            break
        words = tuple(_WORD.findall(passage.chunk.text.lower()))
        kept.setdefault(words, replace(passage, rank=len(kept)))
    return list(kept.values())
