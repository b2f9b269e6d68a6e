"""Text, Markdown, source code, tables, data: the text is the decoded file, character by character.

So a span is a span of the file itself.
"""

from pathlib import Path

from charset_normalizer import from_bytes

from ingest.documents import Heading, Page
from ingest.errors import ReadError
from ingest.readers.extracted import Extracted, title_or_name
from ingest.readers.headings import markdown_headings, rst_headings

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


def read_text(path: Path, media_type: str) -> Extracted:
    """Reads a text file; raises :class:`ReadError` where its bytes are no text in any encoding."""
    text = decode(path.read_bytes())
    headings = _headings(text, media_type)
    title = next((heading.title for heading in headings if heading.level == 1), None)
    return Extracted(title_or_name(title, path), media_type, (Page(1, text),), headings)


def decode(data: bytes) -> str:
    """Bytes -> text: by the byte order mark, as UTF-8, else by the likeliest encoding."""
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        pass  # Not what it seemed to be: look closer.
    best = from_bytes(data).best()
    if best is None:
        raise ReadError("The encoding of the text cannot be told.", "Save it as UTF-8.")
    return data.decode(best.encoding)


def _headings(text: str, media_type: str) -> tuple[Heading, ...]:
    if media_type == "text/markdown":
        return tuple(markdown_headings(text))
    if media_type == "text/x-rst":
        return tuple(rst_headings(text))
    return ()
