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
from ingest.readers.hidden import told
from ingest.readers.markup import readable
from ingest.readers.media_type import BROKEN
from ingest.readers.office import convert

_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_PARTS = re.compile(r"word/(document|footnotes|endnotes)\.xml|docProps/core\.xml")
_STYLES = "word/styles.xml"
_NEEDED = re.compile(r".*\.(xml|rels)")
"""Not pictures, films and embedded files: nothing reads them."""
_LOST = "&<>"
_KEPT = "\U000f0000\U000f0001\U000f0002"
"""Characters for private use that stand in for the lost ones."""
_STAND_IN = str.maketrans(_LOST, _KEPT)
_ORIGINAL = str.maketrans(_KEPT, _LOST)
_OFF = ("0", "false", "off")
_DOT = 4
"""Half points."""
_WRITTEN = {_WORD + "tab": "\t", _WORD + "noBreakHyphen": "-"}


def read_word(path: Path, media_type: str) -> Extracted:
    """Reads a Word file; it has one page, as only Word knows where its pages end. Raises :class:`ReadError`."""
    copy, hidden = _rewritten(path)
    result = convert(copy, media_type, "markdown")
    text, headings = readable(result.content)
    title = title_or_name((result.metadata.get("title") or "").translate(_ORIGINAL), path)
    named = tuple(replace(heading, title=heading.title.translate(_ORIGINAL)) for heading in headings)
    warnings = told(hidden, "they are marked as hidden, white or tiny")
    return Extracted(title, media_type, (Page(1, text.translate(_ORIGINAL)),), named, warnings=warnings)


def _rewritten(path: Path) -> tuple[bytes, int]:
    """The file with stand-ins for what would be lost, and how many of its words cannot be seen."""
    copy, hidden = BytesIO(), 0
    try:
        with ZipFile(path) as source, ZipFile(copy, "w") as target:
            styles = _hiding_styles(source)
            for name in filter(_NEEDED.fullmatch, source.namelist()):
                content = source.read(name)
                if _PARTS.fullmatch(name):
                    root = etree.fromstring(content, etree.XMLParser(resolve_entities=False))
                    hidden += _hidden_words(root, styles)
                    content = _rewritten_part(root)
                target.writestr(name, content)
    except (*BROKEN, etree.XMLSyntaxError) as error:
        raise ReadError(f"The file is damaged: {error}", "Open it in Word and save it again.") from error
    return copy.getvalue(), hidden


def _hiding_styles(source: ZipFile) -> set[str]:
    """The styles whose words are hidden."""
    if _STYLES not in source.namelist():
        return set()
    root = etree.fromstring(source.read(_STYLES), etree.XMLParser(resolve_entities=False))
    looks = ((style, style.find(f"{_WORD}rPr/{_WORD}vanish")) for style in root.iter(_WORD + "style"))
    return {
        style.get(_WORD + "styleId")
        for style, look in looks
        if look is not None and look.get(_WORD + "val") not in _OFF
    }


def _hidden_words(root: etree._Element, styles: set[str]) -> int:
    """Words in runs that are hidden, white on nothing, or hardly higher than a dot."""
    runs = (run for run in root.iter(_WORD + "r") if _is_hidden(run.find(_WORD + "rPr")) or styles & _styles_of(run))
    return sum(len(" ".join(text.text or "" for text in run.iter(_WORD + "t")).split()) for run in runs)


def _styles_of(run: etree._Element) -> set[str]:
    paragraph = next(run.iterancestors(_WORD + "p"), None)
    own = run.find(f"{_WORD}rPr/{_WORD}rStyle")
    around = paragraph.find(f"{_WORD}pPr/{_WORD}pStyle") if paragraph is not None else None
    return {style.get(_WORD + "val") for style in (own, around) if style is not None}


def _is_hidden(look: etree._Element | None) -> bool:
    if look is None:
        return False
    set_to = {child.tag.removeprefix(_WORD): child.get(_WORD + "val", "") for child in look.iterchildren(etree.Element)}
    size = set_to.get("sz", "")
    white = set_to.get("color", "").upper() == "FFFFFF" and not {"shd", "highlight"} & set(set_to)
    return set_to.get("vanish", "0") not in _OFF or white or (size.isdigit() and int(size) <= _DOT)


def _rewritten_part(root: etree._Element) -> bytes:
    etree.strip_elements(root, _WORD + "moveFrom", with_tail=False)  # it stands where it was moved to
    for element in root.iter(etree.Element):
        if element.tag in _WRITTEN and element.getparent().tag == _WORD + "r":
            element.text = _WRITTEN[element.tag]
            element.tag = _WORD + "t"
            element.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
        elif element.text:
            element.text = element.text.translate(_STAND_IN)
    return bytes(etree.tostring(root, encoding="utf-8", xml_declaration=True))
