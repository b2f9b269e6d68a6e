"""Word (.docx): converted by kreuzberg, after what that would lose was written in another way.

Kreuzberg 4.10 reads "R&amp;D" in a Word file as "RD", and leaves tabs and hyphens that do not break out.
"""

import re
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

from lxml import etree

from ingest.documents import Page
from ingest.errors import ReadError
from ingest.readers.extracted import Extracted, title_or_name
from ingest.readers.markup import readable
from ingest.readers.media_type import BROKEN
from ingest.readers.office import convert

_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_PARTS = re.compile(r"word/(document|footnotes|endnotes|comments)\.xml|docProps/core\.xml")
_NEEDED = re.compile(r".*\.(xml|rels)")
"""Not pictures, films and embedded files: nothing reads them."""
_LOST = "&<>"
_KEPT = "\U000f0000\U000f0001\U000f0002"
"""Characters for private use that stand in for the lost ones."""
_STAND_IN = str.maketrans(_LOST, _KEPT)
_ORIGINAL = str.maketrans(_KEPT, _LOST)
_WRITTEN = {_WORD + "tab": "\t", _WORD + "noBreakHyphen": "-"}


def read_word(path: Path, media_type: str) -> Extracted:
    """Reads a Word file; it has one page, as only Word knows where its pages end. Raises :class:`ReadError`."""
    result = convert(_rewritten(path), media_type, "markdown")
    text, headings = readable(result.content)
    title = title_or_name((result.metadata.get("title") or "").translate(_ORIGINAL), path)
    named = tuple(replace(heading, title=heading.title.translate(_ORIGINAL)) for heading in headings)
    return Extracted(title, media_type, (Page(1, text.translate(_ORIGINAL)),), named)


def _rewritten(path: Path) -> bytes:
    """The file with stand-ins for what would be lost."""
    copy = BytesIO()
    try:
        with ZipFile(path) as source, ZipFile(copy, "w") as target:
            for name in filter(_NEEDED.fullmatch, source.namelist()):
                content = source.read(name)
                target.writestr(name, _rewritten_part(content) if _PARTS.fullmatch(name) else content)
    except (*BROKEN, etree.XMLSyntaxError) as error:
        raise ReadError(f"The file is damaged: {error}", "Open it in Word and save it again.") from error
    return copy.getvalue()


def _rewritten_part(content: bytes) -> bytes:
    root = etree.fromstring(content, etree.XMLParser(resolve_entities=False))
    for element in root.iter(etree.Element):
        if element.tag in _WRITTEN and element.getparent().tag == _WORD + "r":
            element.text = _WRITTEN[element.tag]
            element.tag = _WORD + "t"
            element.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
        elif element.text:
            element.text = element.text.translate(_STAND_IN)
    return bytes(etree.tostring(root, encoding="utf-8", xml_declaration=True))
