"""Words of a workbook (.xlsx) that its readers do not see: in sheets, rows and columns that are hidden."""

from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from posixpath import join
from zipfile import ZipFile

from lxml import etree

from ingest.readers.media_type import BROKEN

HOW = "they stand in hidden sheets, rows or columns"
_WORKBOOK, _RELATIONS, _STRINGS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/sharedStrings.xml"
_ON = ("1", "true")


def hidden_words(path: Path) -> int:
    """How many words cannot be seen; none where the parts of the file are not those of an .xlsx."""
    words, shared = 0, Counter[str]()
    try:
        with ZipFile(path) as archive:
            for part, hidden in _sheets(archive):
                for kind, content in _hidden_cells(archive, part, hidden):
                    if kind == "s":  # the number of a text that cells share
                        shared[content] += 1
                    else:
                        words += len(content.split())
            return words + (_shared_words(archive, shared) if shared else 0)
    except (*BROKEN, KeyError, etree.XMLSyntaxError):
        return 0


def _sheets(archive: ZipFile) -> Iterator[tuple[str, bool]]:
    """The part of each sheet, and whether the sheet is hidden."""
    parts = {relation.get("Id"): join("/xl", relation.get("Target", "")) for relation in _root(archive, _RELATIONS)}
    for sheet in _root(archive, _WORKBOOK).iter("{*}sheet"):
        relation = next((value for name, value in sheet.items() if name.endswith("}id")), None)
        if relation in parts:
            yield parts[relation].lstrip("/"), sheet.get("state", "visible") != "visible"


def _root(archive: ZipFile, part: str) -> etree._Element:
    return etree.fromstring(archive.read(part), etree.XMLParser(resolve_entities=False))


def _hidden_cells(archive: ZipFile, part: str, hidden: bool) -> Iterator[tuple[str, str]]:
    """Kind and content of each cell that cannot be seen."""
    columns: list[range] = []
    content = archive.read(part)
    if not hidden and b"hidden=" not in content:
        return  # as in most sheets, of which some are large
    for _, element in etree.iterparse(BytesIO(content), tag=("{*}col", "{*}row"), resolve_entities=False):
        off = element.get("hidden") in _ON
        if element.tag.endswith("}col"):
            columns += [range(int(element.get("min", 0)), int(element.get("max", 0)) + 1)] * off
            continue
        for place, cell in enumerate(element.iter("{*}c"), 1):
            number = _column(cell.get("r", "")) or place
            if hidden or off or any(number in some for some in columns):
                yield cell.get("t", ""), "".join(text.text or "" for text in cell.iter("{*}v", "{*}t"))
        element.clear()


def _column(reference: str) -> int:
    """The number of the column in a cell's reference: 28 for "AB12"."""
    number = 0
    for letter in filter(str.isalpha, reference):
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _shared_words(archive: ZipFile, shared: Counter[str]) -> int:
    """How many words the texts have that are named by their numbers, each as often as it is named."""
    words = 0
    with archive.open(_STRINGS) as file:
        for number, (_, item) in enumerate(etree.iterparse(file, tag="{*}si", resolve_entities=False)):
            words += shared[str(number)] * len("".join(text.text or "" for text in item.iter("{*}t")).split())
            item.clear()
    return words
