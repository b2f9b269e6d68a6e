"""Text, Markdown, source code, tables, data: the text is the decoded file, character by character.

So a span is a span of the file itself.
"""

import re
from pathlib import Path

from charset_normalizer import from_bytes

from ingest.documents import Heading, Page
from ingest.errors import UnsupportedError
from ingest.readers.extracted import Extracted, title_or_name
from ingest.readers.headings import markdown_headings, rst_headings

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_SAMPLE = 1 << 16
"""Bytes that the guess of an encoding looks at."""
_WESTERN = "cp1252"
_NOT_ASCII = re.compile(r"[^\0-\x7f]")
_CONTROL = re.compile(r"[\0-\x08\x0e-\x1a\x7f]")
_MOST_CONTROLS = 0.02
"""The share of control characters above which a file is no text."""


def read_text(path: Path, media_type: str) -> Extracted:
    """Reads a text file; raises :class:`UnsupportedError` where its bytes are no text in any encoding."""
    text = decode(path.read_bytes())
    if len(_CONTROL.findall(text, 0, _SAMPLE)) > _MOST_CONTROLS * min(len(text), _SAMPLE):
        raise no_text()
    headings = _headings(text, media_type)
    title = next((heading.title for heading in headings if heading.level == 1), None)
    return Extracted(title_or_name(title, path), media_type, (Page(1, text),), headings)


def decode(data: bytes, declared: str = "") -> str:
    """Bytes -> text: by the byte order mark, as UTF-8, in the declared encoding, else in the likeliest one.

    Raises :class:`UnsupportedError` where there is none.
    """
    marked = next((name for mark, name in _BOMS if data.startswith(mark)), "utf-8")
    for encoding in filter(None, (marked, declared)):
        try:
            return data.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue  # not what it seemed or claims to be: look closer
    text = data.decode(marked, "replace")
    # A log that was cut within a character, or one stray byte, does not make a file Latin-1.
    sound = len(_NOT_ASCII.findall(text)) - text.count("\ufffd")
    if sound > text.count("\ufffd"):
        return text
    return data.decode(_likeliest_encoding(data), "replace")


def no_text() -> UnsupportedError:
    """The error for bytes that only pretend to be text."""
    return UnsupportedError("It is neither text nor a format that is known here.")


def _likeliest_encoding(data: bytes) -> str:
    odd = _NOT_ASCII.search(data.decode("latin-1"))
    start = max(odd.start() - _SAMPLE // 8, 0) if odd else 0
    guesses = from_bytes(data[start : start + _SAMPLE])
    best = guesses.best()
    if best is None:
        raise no_text()
    # Among encodings that fit a short text equally well, the Western one is by far the most common.
    ties = [guess for guess in guesses if guess.chaos <= best.chaos]
    if any(_WESTERN in (guess.encoding, *guess.could_be_from_charset) for guess in ties):
        return _WESTERN
    return best.encoding


def _headings(text: str, media_type: str) -> tuple[Heading, ...]:
    if media_type == "text/markdown":
        return tuple(markdown_headings(text))
    if media_type == "text/x-rst":
        return tuple(rst_headings(text))
    return ()
