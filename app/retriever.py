"""A question -> the passages that go into the window: the library's search, with what fits a reader better than a list.

Copies do not crowd out the rest: of passages that say the same, in one document or in several, the best stays.
A question that names a file is asked of that file alone.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from ingest.catalogue import Catalogue
from ingest.documents import Passage
from ingest.index import Where
from ingest.library import Library

SPARE = 10
"""Passages asked for beyond what is wanted, in place of copies."""

_WORD = re.compile(r"\w+")

_FILE = re.compile(r"(?<![\w/.-])[\w/.-]*\w\.[A-Za-z][A-Za-z0-9]{1,4}(?!\w)")
"""What may be the name of a file: report.pdf, 2024/minutes-3.docx."""


class Retriever:
    """Finds passages in a library."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def search(self, question: str, limit: int, where: Where) -> list[Passage]:
        """The best `limit` passages, none of them a copy; raises :class:`~ingest.errors.UsageError` as the library."""
        narrowed = named_file(question, where, self._library.catalogue)
        return distinct(self._library.search(question, limit + SPARE, narrowed), limit)


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


def named_file(question: str, where: Where, catalogue: Catalogue) -> Where:
    """`where`, narrowed to the one document whose file name stands in the question, if there is exactly one."""
    names = {name.lower() for name in _FILE.findall(question)}
    if not names or where.document_ids:
        return where
    entries = (entry for entry in catalogue.entries(where.collection) if entry.state == "indexed")
    meant = [entry for entry in entries if names & {entry.uri.lower(), PurePosixPath(entry.uri).name.lower()}]
    return replace(where, document_ids=(meant[0].document_id,)) if len(meant) == 1 else where
