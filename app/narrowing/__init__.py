"""A question that says where to look is asked of those documents alone: one by its name, those of a kind, or of a time.

Careful, since a passage outside is not found at all: only what is exactly clear narrows, and nothing does where no
document or every document is meant. Cues are English; file names are understood in any language.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from app.narrowing.dates import Asked as AskedDates
from app.narrowing.dates import asked_dates, may_be_from
from app.narrowing.kinds import asked_kind
from app.narrowing.names import may_name, named
from ingest.catalogue import Entry
from ingest.index import Where
from ingest.sources import lies_in

_MOST = 5_000
"""Documents that a filter may list; a search among more is not made slower by one."""


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Where a question says to look."""

    where: Where
    told: str
    """The filter, for a person: "in report.pdf", "in spreadsheets from 2023"."""


def narrow(question: str, where: Where, entries: Callable[[], Iterable[Entry]]) -> Narrowed | None:
    """Where to look within `where`, if the question says so; `entries` are asked for only if it may."""
    kind, dates = asked_kind(question), asked_dates(question)
    if where.document_ids or not (kind or dates or may_name(question)):
        return None
    meant = [entry for entry in entries() if entry.state == "indexed" and _within(entry, where)]
    if entry := named(question, meant):
        return Narrowed(_only(where, [entry]), f"in {entry.uri}")
    kept = [
        entry
        for entry in meant
        if (not kind or entry.media_type in kind.media_types) and (not dates or may_be_from(entry, dates))
    ]
    if not 0 < len(kept) < min(len(meant), _MOST):
        return None
    return Narrowed(_only(where, kept), _told(kind.name if kind else "documents", dates))


def _within(entry: Entry, where: Where) -> bool:
    return where.collection in {None, entry.collection} and lies_in(entry.uri, [where.path_prefix.strip("/")])


def _only(where: Where, entries: Iterable[Entry]) -> Where:
    return replace(where, document_ids=tuple(entry.document_id for entry in entries))


def _told(kind: str, dates: AskedDates | None) -> str:
    return f"in {kind} {dates.told}" if dates else f"in {kind}"
