"""Which documents there are, and which of them mention something: looked up, not guessed."""

import re
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

from rapidfuzz.distance import Prefix

from app.answers import Surveying
from app.citations.sentences import of_document
from app.citations.words import Key, words
from app.survey.found import Found, Item, Source, count
from app.survey.kinds import Contents, Mentions, suffixes
from app.widening import Shelf
from ingest.documents import Chunk, Span
from ingest.index import Where

_NUMBER = re.compile(r"(?<!\w)\d+(?!\w)")
_LONGEST_ENDING = 3
"""Letters by which two forms of a word may differ: generator, generators; but not deduct, deductible."""


@dataclass(frozen=True, slots=True)
class _Placed:
    """A word or a number of a text."""

    key: Key
    folded: str
    span: Span

    def is_form_of(self, other: "_Placed") -> bool:
        """Whether both are the same word: of one stem, and one ending apart."""
        longer, shorter = sorted((self.folded, other.folded), key=len, reverse=True)
        common = Prefix.similarity(longer, shorter)
        apart = len(longer) - common <= _LONGEST_ENDING and len(shorter) - common <= 1
        return self.key == other.key and apart


def contents(wanted: Contents, where: Where, shelf: Shelf) -> Generator[Surveying, None, Found]:
    """Every document, with its title where that says more than its name."""
    items = []
    for first in (yield from _first_chunks(wanted.files, where, shelf)):
        items.append(Item(_named(first), [Source(first, _opening(first))]))
    verb = "is" if len(items) == 1 else "are"
    return Found(f"There {verb} {count(len(items), _plural(wanted.files))}.", items)


def mentions(wanted: Mentions, where: Where, shelf: Shelf) -> Generator[Surveying, None, Found]:
    """Every document whose text holds the words of a term in a row, in whatever form, with the first such place."""
    places = _finder(wanted.term)
    ids = [each.document_id for each in (yield from _first_chunks(wanted.files, where, shelf))]
    items = []
    for done, document_id in enumerate(ids):
        yield Surveying(done, len(ids))
        chunks = shelf.chunks(document_id, range(shelf.count(Where(document_ids=(document_id,)))))
        if found := next(((chunk, place) for chunk in chunks for place in places(chunk.text)), None):
            chunk, place = found
            items.append(Item(chunk.uri, [Source(chunk, _sentence(chunk.text, place))]))
    files = _plural(wanted.files)
    if not items:
        return Found(f"None of {count(len(ids), files)} mentions \u201c{wanted.term}\u201d.", [])
    verb = "mentions" if len(items) == 1 else "mention"
    return Found(f"{len(items):,} of {count(len(ids), files)} {verb} \u201c{wanted.term}\u201d.", items)


def _first_chunks(files: str, where: Where, shelf: Shelf) -> Generator[Surveying, None, list[Chunk]]:
    ends, found = suffixes(files), []
    ids = shelf.documents(where)
    for done, document_id in enumerate(ids):
        if done % 100 == 0:
            yield Surveying(done, len(ids))
        for first in shelf.chunks(document_id, [0]):
            if not ends or PurePosixPath(first.uri).suffix.lower() in ends:
                found.append(first)
    return found


def _finder(term: str) -> Callable[[str], Iterator[Span]]:
    """What finds a term in a text. One of stop words alone, such as "WHO", is looked for as it is written."""
    if placed := _placed(term):
        return partial(_places, placed)
    literal = re.compile(rf"(?<!\w){re.escape(term)}(?!\w)")
    return lambda text: (match.span() for match in literal.finditer(text))


def _places(term: list[_Placed], text: str) -> Iterator[Span]:
    placed = _placed(text)
    for first in range(len(placed) - len(term) + 1):
        row = placed[first : first + len(term)]
        if all(said.is_form_of(wanted) for said, wanted in zip(row, term, strict=True)):
            yield row[0].span[0], row[-1].span[1]


def _placed(text: str) -> list[_Placed]:
    """The words and numbers of a text, in their order."""
    said = [_Placed(word.key, word.folded, (word.start, word.end)) for word in words(text)]
    said += [_Placed(match[0], match[0], match.span()) for match in _NUMBER.finditer(text)]
    return sorted(said, key=lambda placed: placed.span)


def _sentence(text: str, place: Span) -> Span:
    """The sentence that a place lies in."""
    around = (span for span in of_document(text) if span[0] <= place[0] < span[1])
    return next(around, place)


def _opening(chunk: Chunk) -> Span:
    return next(of_document(chunk.text), (0, len(chunk.text)))


def _named(first: Chunk) -> str:
    stem = PurePosixPath(first.uri).stem
    return first.uri if first.title in ("", stem, first.uri) else f"{first.uri}: {first.title}"


def _plural(files: str) -> str:
    return files if files.endswith("s") else f"{files}s"
