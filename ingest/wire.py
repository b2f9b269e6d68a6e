"""The JSON that the command line prints and the API answers with; described in docs/cli.md."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ingest.documents import Passage
from ingest.events import Event


def event_json(event: Event) -> dict[str, Any]:
    """One event of an ingest, under the lower-case name of its class."""
    return {"event": type(event).__name__.lower(), **asdict(event)}


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
