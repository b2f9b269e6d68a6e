"""A conversation as a Markdown file, with the sources of every answer. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from app.answers import Answer, Citation
from app.exchange import Exchange

_NO_NAME = re.compile(r"[^\w\-. ]+")


def as_markdown(title: str, exchanges: Sequence[Exchange]) -> str:
    """Questions, answers, and under each answer the words of the documents that it cites."""
    parts = [f"# {title}"]
    for exchange in exchanges:
        parts += [f"## {' '.join(exchange.question.split())}", *_said(exchange)]
    return "\n\n".join(parts) + "\n"


def file_name(title: str) -> str:
    """A name for the file, without what a file's name cannot hold."""
    name = _NO_NAME.sub(" ", title).strip(" .") or "conversation"
    return f"{' '.join(name.split())[:60].strip()}.md"


def _said(exchange: Exchange) -> Iterator[str]:
    if exchange.answer:
        yield exchange.answer.text
        yield from _sources(exchange.answer)
    elif exchange.problem:
        yield f"*Not answered: {exchange.problem.message}*"
    else:
        yield exchange.said
        yield "*Stopped. What was said so far is not checked.*"


def _sources(answer: Answer) -> Iterator[str]:
    ordered = sorted(answer.citations, key=lambda citation: citation.number)
    for number, cited in groupby(ordered, key=lambda citation: citation.number):
        yield from _source(number, list(cited))
    for sentence in answer.unproved:
        yield f"*No passage supports:* {sentence}"


def _source(number: int, citations: list[Citation]) -> Iterator[str]:
    pages = sorted({each.page for each in citations if each.page is not None})
    where = f", page {', '.join(map(str, pages))}" if pages else ""
    verified = "" if any(each.verified for each in citations) else " (not verified)"
    yield f"**[{number}]** {citations[0].passage.chunk.uri}{where}{verified}"
    yield from (_quoted(quote) for quote in dict.fromkeys(each.quote for each in citations))


def _quoted(text: str) -> str:
    lines: Iterable[str] = text.splitlines() or [""]
    return "\n".join(f"> {line}".rstrip() for line in lines)
