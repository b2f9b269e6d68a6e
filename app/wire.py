"""The JSON of an answer; described in docs/cli.md."""

from dataclasses import asdict
from typing import Any

from app.answers import Answer, Citation
from ingest.wire import passages_json, timings_json


def answer_json(answer: Answer) -> dict[str, Any]:
    """An answer with its citations, what it was given to read, and what it cost."""
    return {
        "answer": answer.text,
        "abstained": answer.abstained,
        "citations": [citation_json(citation) for citation in answer.citations],
        "passages": passages_json(answer.passages),
        "usage": asdict(answer.usage),
        "timings": timings_json(answer.timings),
        "unsupported": answer.unsupported,
        "finish_reason": answer.finish_reason,
        "prompt_id": answer.prompt_id,
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
