"""The JSON that the command line prints, described in docs/cli.md, and that processes exchange."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, get_args

from pydantic import TypeAdapter

from ingest.documents import Passage
from ingest.errors import TransomError
from ingest.events import Event
from ingest.index import Where

_EVENTS = {kind.__name__.lower(): kind for kind in get_args(Event)}
_PASSAGES = TypeAdapter(list[Passage])
_WHERE = TypeAdapter(Where)


def event_json(event: Event) -> dict[str, Any]:
    """One event of an ingest, under the lower-case name of its class."""
    return {"event": type(event).__name__.lower(), **asdict(event)}


def event_from_json(row: Mapping[str, Any]) -> Event:
    """The event that :func:`event_json` wrote."""
    values = {name: value for name, value in row.items() if name != "event"}
    event: Event = _EVENTS[row["event"]](**values)
    return event


def error_json(error: TransomError) -> dict[str, Any]:
    """An error on its way to another process."""
    status = error.exit_status
    return {"kind": type(error).__name__, "message": error.message, "hint": error.hint, "exit_status": status}


def error_from_json(row: Mapping[str, Any]) -> TransomError:
    """The error that :func:`error_json` wrote; a plain one where its class is not loaded here."""
    error = _kinds(TransomError).get(row["kind"], TransomError)(row["message"], row["hint"])
    error.exit_status = row["exit_status"]
    return error


def passage_json(number: int, passage: Passage) -> dict[str, Any]:
    """A passage with its place; `page` is None where the format has no pages."""
    chunk = passage.chunk
    return {
        "number": number,
        "document": chunk.uri,
        "page": chunk.page_at(0),
        "span": list(chunk.span),
        "text": chunk.text,
        "score": round(passage.score, 6),
    }


def passages_json(passages: Mapping[int, Passage]) -> list[dict[str, Any]]:
    """Numbered passages, in their order."""
    return [passage_json(number, passage) for number, passage in passages.items()]


def timings_json(timings: Mapping[str, float]) -> dict[str, float]:
    """Seconds of each step, to the tenth of a millisecond."""
    return {step: round(seconds, 4) for step, seconds in timings.items()}


def exact_passages_json(passages: Sequence[Passage]) -> Any:
    """Passages whole, for another process."""
    return _PASSAGES.dump_python(list(passages), mode="json")


def passages_from_json(rows: Any) -> list[Passage]:
    """The passages that :func:`exact_passages_json` wrote."""
    return _PASSAGES.validate_python(rows)


def where_json(where: Where) -> Any:
    """Where to search, for another process."""
    return _WHERE.dump_python(where, mode="json")


def where_from_json(row: Any) -> Where:
    """What :func:`where_json` wrote."""
    return _WHERE.validate_python(row)


def _kinds(root: type[TransomError]) -> dict[str, type[TransomError]]:
    kinds = {root.__name__: root}
    for kind in root.__subclasses__():
        kinds |= _kinds(kind)
    return kinds
