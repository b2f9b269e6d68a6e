"""Text, Markdown, source code, tables, data: the text is the decoded file, character by character.

So a span is a span of the file itself, but where it holds a picture or the like as a data URI: that is left out.
"""

import re
from codecs import getincrementaldecoder
from collections import Counter
from pathlib import Path

from charset_normalizer import from_bytes

from ingest.documents import Heading, Page
from ingest.errors import UnsupportedError
from ingest.readers.extracted import Extracted, title_or_name
from ingest.readers.headings import markdown_headings, rst_headings
from ingest.readers.hidden import told

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_WIDE = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
_WIDE_SAMPLE = 8192
_LEAST_KNOWN = 0.9
"""The share of Latin and one other alphabet that tells a text in a wide encoding from any bytes."""
_DATA = re.compile(r"(data:[\w/+.-]+;base64,)[A-Za-z0-9+/=]{100,}")
_SAMPLE = 1 << 16
"""Bytes that the guess of an encoding looks at."""
_WESTERN = "cp1252"
_NOT_ASCII = re.compile(r"[^\0-\x7f]")
_COMMENT = re.compile(
    r"""
    ^[ ]{0,3}(?P<fence>```+|~~~+).*?(?:^[ ]{0,3}(?P=fence)|\Z)  # code is seen
    | `[^`\n]+`
    | <!--(?P<words>.*?)(?:-->|\Z)
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
"""What Markdown hides."""
_CONTROL = re.compile(r"[\0-\x08\x0e-\x1a\x7f]")
_MOST_CONTROLS = 0.02
"""The share of control characters above which a file is no text."""


def read_text(path: Path, media_type: str) -> Extracted:
    """Reads a text file; raises :class:`UnsupportedError` where its bytes are no text in any encoding."""
    text = without_data(decode(path.read_bytes()))
    if len(_CONTROL.findall(text, 0, _SAMPLE)) > _MOST_CONTROLS * min(len(text), _SAMPLE):
        raise no_text()
    headings = _headings(text, media_type)
    title = next((heading.title for heading in headings if heading.level == 1), None)
    return Extracted(
        title_or_name(title, path), media_type, (Page(1, text),), headings, warnings=_hidden(text, media_type)
    )


def decode(data: bytes, declared: str = "") -> str:
    """Bytes -> text: by the byte order mark, as UTF-8, in the declared encoding, else in the likeliest one.

    Raises :class:`UnsupportedError` where there is none.
    """
    marked = next((name for mark, name in _BOMS if data.startswith(mark)), wide_encoding(data) or "utf-8")
    for encoding in filter(None, (marked, declared)):
        try:
            return storable(data.decode(encoding))
        except (UnicodeDecodeError, LookupError):
            continue  # not what it seemed or claims to be: look closer
    text = data.decode(marked, "replace")
    # A log that was cut within a character, or one stray byte, does not make a file Latin-1.
    sound = len(_NOT_ASCII.findall(text)) - text.count("\ufffd")
    if sound > text.count("\ufffd"):
        return text
    return data.decode(_likeliest_encoding(data), "replace")


def wide_encoding(data: bytes) -> str:
    """The UTF-16 or UTF-32 that bytes with zeros are in without saying so; empty where they are in neither."""
    sample = data[:_WIDE_SAMPLE]
    if b"\0" not in sample:
        return ""
    for encoding in _WIDE:
        try:
            text = getincrementaldecoder(encoding)().decode(sample)  # the sample may end within a character
        except UnicodeDecodeError:
            continue  # not this one
        alphabets = Counter(ord(character) >> 8 for character in text)
        latin = alphabets.pop(0, 0)
        known = latin + max(alphabets.values(), default=0)
        if latin and known >= _LEAST_KNOWN * len(text) and not _CONTROL.search(text):
            return encoding
    return ""


def storable(text: str) -> str:
    """A text without halves of characters, which odd encodings such as UTF-7 can name and nothing can store."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def without_data(text: str) -> str:
    """A text without the content of data URIs: megabytes of letters that nobody reads."""
    return _DATA.sub(r"\1", text)


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


def _hidden(text: str, media_type: str) -> tuple[str, ...]:
    """What a text hides where it is shown as a page."""
    comments = _COMMENT.finditer(text) if media_type == "text/markdown" else ()
    return told(sum(len((comment["words"] or "").split()) for comment in comments), "they stand in comments")


def _headings(text: str, media_type: str) -> tuple[Heading, ...]:
    if media_type == "text/markdown":
        return tuple(markdown_headings(text))
    if media_type == "text/x-rst":
        return tuple(rst_headings(text))
    return ()
