"""Carries out a survey of all documents, and makes an answer of what it found."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass

from app.answers import Citation, Claim, Surveying, Token
from app.llm.ledger import Ledger
from app.survey.documents import contents, mentions
from app.survey.found import Found, Item, Source
from app.survey.kinds import Contents, Kind, Listing, Mentions
from app.survey.listing import Lister
from app.widening import Shelf
from ingest.documents import Passage
from ingest.index import Where


@dataclass(frozen=True, slots=True)
class Survey:
    """What a person gets of a survey."""

    text: str
    citations: tuple[Citation, ...]
    claims: tuple[Claim, ...]
    passages: Mapping[int, Passage]
    """By the numbers that they keep in the conversation."""
    headline: str
    empty: bool
    """Whether a list was asked for, and nothing was found to be on it."""


class Surveyor:
    """Looks at all documents that a question means."""

    def __init__(self, shelf: Shelf, lister: Lister) -> None:
        self._shelf = shelf
        self._lister = lister

    def run(self, kind: Kind, where: Where, ledger: Ledger) -> Generator[Surveying | Token, None, Survey]:
        """Tells how far it is, and what it found; what is cited gets its number from `ledger`."""
        match kind:
            case Contents():
                found = yield from contents(kind, where, self._shelf)
            case Mentions():
                found = yield from mentions(kind, where, self._shelf)
            case Listing():
                found = yield from self._lister.make(kind, where, lambda item: _line(item, ledger))
                yield Token(f"\n{found.headline}")
                return _told(found, ledger, items_first=True)
        survey = _told(found, ledger, items_first=False)
        yield Token(survey.text)
        return survey


def _told(found: Found, ledger: Ledger, *, items_first: bool) -> Survey:
    text, claims = "" if items_first else f"{found.headline}\n\n", []
    for item in found.told:
        line = _line(item, ledger)
        claims.append(Claim((len(text), len(text) + len(line)), supported=True))
        text += f"{line}\n"
    if found.rest:
        text += f"\nand {found.rest:,} more.\n"
    if items_first:
        text += f"\n{found.headline}"
    sources = [source for item in found.told for source in item.sources]
    numbered = ledger.name(source.passage for source in sources)
    numbers = {passage.chunk.id: number for number, passage in numbered.items()}
    citations = tuple(_cite(numbers[source.chunk.id], source) for source in sources)
    return Survey(text.strip(), citations, tuple(claims), numbered, found.headline, items_first and not found.items)


def _line(item: Item, ledger: Ledger) -> str:
    marks = " ".join(f"[{number}]" for number in ledger.name(source.passage for source in item.sources))
    return f"- {item.text} {marks}"


def _cite(number: int, source: Source) -> Citation:
    chunk, (start, end) = source.chunk, source.span
    return Citation(
        number=number,
        passage=source.passage,
        quote=chunk.text[start:end],
        span=(chunk.span[0] + start, chunk.span[0] + end),
        verified=True,
        page=chunk.page_at(start),
    )
