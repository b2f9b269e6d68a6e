"""Markdown that a converter wrote -> text as a person reads it, with its headings and tables."""

import re
from itertools import accumulate, pairwise

from ingest.documents import Heading
from ingest.readers.headings import markdown_headings

_TARGET = r"\((?:[^()\s]|\([^()\s]*\))*(?:\s+\"[^\"]*\")?\)"
_LABEL = r"(?:[^\[\]\\]|\\.)*"
_PICTURE = rf"!\[{_LABEL}\]{_TARGET}"
_MARKUP = re.compile(
    rf"""
    (?P<code> ^(?P<fence>```+|~~~+).*?^(?P=fence) | `[^`\n]+` )
    | \\(?P<escaped>[!-/:-@\[-`{{-~])
    | !\[(?P<picture>{_LABEL})\]{_TARGET}
    | (?<!\\)\[(?P<link>(?:{_PICTURE}|[^\[\]\\]|\\.)*)\]{_TARGET}
    | (?P<tab>&\#9;)
    | <(?P<address>https?://[^<>\s]+)>
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)


def readable(markdown: str) -> tuple[str, tuple[Heading, ...]]:
    """Takes escapes, pictures and the targets of links out of Markdown, outside of code.

    The headings are those of the given Markdown (an escaped `#` makes none); they start where they stand in the
    returned text. It is cut before each of them, as what precedes a heading does not reach into it.
    """
    headings = tuple(markdown_headings(markdown))
    cuts = [0, *(heading.start for heading in headings), len(markdown)]
    parts = [_readable(markdown[start:end]) for start, end in pairwise(cuts)]
    starts = accumulate(len(part) for part in parts)
    moved = (Heading(heading.level, heading.title, start) for heading, start in zip(headings, starts, strict=False))
    return "".join(parts), tuple(moved)


def _readable(markdown: str) -> str:
    return _MARKUP.sub(_replacement, markdown)


def _replacement(match: re.Match[str]) -> str:
    if match["code"]:
        return match[0]
    if match["tab"]:
        return "\t"
    if match["link"]:
        return _readable(match["link"])
    return match["escaped"] or match["picture"] or match["address"] or ""
