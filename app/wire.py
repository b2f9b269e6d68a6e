"""The JSON of an answer, described in docs/cli.md, and of its events, for another process."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, get_args

from pydantic import TypeAdapter

from app.answers import Answer, Citation, Event
from ingest.wire import passages_json, timings_json

_EVENTS: dict[str, TypeAdapter[Event]] = {kind.__name__.lower(): TypeAdapter(kind) for kind in get_args(Event)}


def answer_json(answer: Answer) -> dict[str, Any]:
    """An answer with its citations, what it was given to read, and what it cost."""
    return {
        "answer": answer.text,
        "abstained": answer.abstained,
        "citations": [citation_json(citation) for citation in answer.citations],
        "claims": [{"span": list(claim.span), "supported": claim.supported} for claim in answer.claims],
        "passages": passages_json(answer.passages),
        "usage": asdict(answer.usage),
        "timings": timings_json(answer.timings),
        "unsupported": answer.unsupported,
        "coverage": answer.coverage,
        "finish_reason": answer.finish_reason,
        "prompt_id": answer.prompt_id,
        "trace": answer.trace,
    }


def citation_json(citation: Citation) -> dict[str, Any]:
    """One citation; `page` is None where the format has no pages."""
    return {
        "number": citation.number,
        "document": citation.passage.chunk.uri,
        "page": citation.page,
        "span": list(citation.span),
        "quote": citation.quote,
        "verified": citation.verified,
    }


def answer_event_json(event: Event) -> dict[str, Any]:
    """One event of an answer, whole, under the lower-case name of its class."""
    name = type(event).__name__.lower()
    return {"event": name, **_EVENTS[name].dump_python(event, mode="json")}


def answer_event_from_json(row: Mapping[str, Any]) -> Event:
    """The event that :func:`answer_event_json` wrote."""
    return _EVENTS[row["event"]].validate_python({name: value for name, value in row.items() if name != "event"})
