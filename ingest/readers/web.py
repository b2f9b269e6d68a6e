"""Web pages: cleaned with lxml, then converted like a Word file."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from lxml import etree, html

from ingest.documents import Heading, Page
from ingest.errors import EmptyError, ReadError
from ingest.readers.extracted import Extracted, title_or_name
from ingest.readers.hidden import told
from ingest.readers.markup import readable
from ingest.readers.office import convert
from ingest.readers.text import decode, without_data

_CHARSET = re.compile(rb"""<(?:meta|\?xml)[^>]*?(?:charset|encoding)\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)
_UNSEEN = (
    *("title", "meta", "link", "base", "script", "style", "template", "noscript", "svg", "iframe"),
    *("audio", "canvas", "datalist", "video"),
)
_HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|(?:font-size|opacity)\s*:\s*0*(?:\.0+|[01]px)?\s*(?:[a-z%]{1,3})?\s*(?:;|!|$)"
    r"|(?:left|top|text-indent)\s*:\s*-\d{3,}",
    re.IGNORECASE,
)
_CSS_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_WHITE = re.compile(r"(?<!-)color\s*:\s*(?:#fff(?:fff)?\b|white\b|rgba?\(\s*255\s*,\s*255\s*,\s*255)", re.IGNORECASE)
_DEEPEST = 40
"""Kreuzberg 4.10 leaves out, without a word, what is nested deeper than about 50 elements."""


def read_web(path: Path, media_type: str) -> Extracted:
    """Reads a web page: its own text and headings, without what its head says to machines."""
    data = path.read_bytes()
    declared = _CHARSET.search(data[:4096])
    page = _parse(decode(data, declared[1].decode("ascii") if declared else ""))
    title = page.findtext(".//title")
    warnings = _hidden(page)
    text, headings = _content(page)
    first = next((heading.title for heading in headings if heading.level == 1), None)
    return Extracted(title_or_name(title or first, path), media_type, (Page(1, text),), headings, warnings=warnings)


def _hidden(page: html.HtmlElement) -> tuple[str, ...]:
    """What the page's own styles hide."""
    marked = _hiding_marks(page)
    hidden = [element for element in page.iter(etree.Element) if _is_hidden(element) or marked & _marks(element)]
    inner = {id(child) for element in hidden for child in element.iterdescendants()}
    texts = (" ".join(element.itertext()) for element in hidden if id(element) not in inner)
    pictures = (picture.get("alt", "") for picture in page.iter("img"))
    return (
        *told(_words(texts), "the page switches them off, or writes them in white or tiny"),
        *told(_words(pictures), "they stand for pictures"),
    )


def _hiding_marks(page: html.HtmlElement) -> set[str]:
    """The classes and ids that the page's own style sheets switch off, as `.class` and `#id`."""
    rules = (rule for sheet in page.iter("style") for rule in _rules(sheet.text or ""))
    return {each.strip() for selectors, look in rules if _HIDING.search(look) for each in selectors.split(",")}


def _rules(sheet: str) -> Iterator[tuple[str, str]]:
    """Selectors and look of the rules that stand in no other, as those for print or small screens do."""
    pieces = re.split("([{}])", _CSS_COMMENT.sub("", sheet))
    depth, selectors = 0, ""
    for text, bracket in zip(pieces[::2], pieces[1::2], strict=False):
        if bracket == "{":
            depth += 1
            selectors = text.rpartition(";")[2] if depth == 1 else selectors
        else:
            if depth == 1:
                yield selectors, text
            depth = max(depth - 1, 0)


def _marks(element: html.HtmlElement) -> set[str]:
    return {*(f".{name}" for name in element.get("class", "").split()), f"#{element.get('id', '')}"}


def _words(texts: Iterable[str]) -> int:
    return sum(len(text.split()) for text in texts)


def _is_hidden(element: html.HtmlElement) -> bool:
    style = element.get("style", "")
    white = _WHITE.search(style) and "background" not in style
    off = "hidden" in element.attrib or (element.tag == "dialog" and "open" not in element.attrib)
    return element.tag not in _UNSEEN and bool(off or white or _HIDING.search(style))


def web_text(page: str) -> tuple[str, tuple[str, ...]]:
    """The text of a web page that is part of something else, and what it hides; raises :class:`ReadError`."""
    parsed = _parse(page)
    warnings = _hidden(parsed)
    return _content(parsed)[0], warnings


def _content(page: html.HtmlElement) -> tuple[str, tuple[Heading, ...]]:
    """What a reader sees. The head goes, as kreuzberg would put its metadata into the text."""
    body = page.find("body")
    element = body if body is not None else page
    etree.strip_elements(element, *_UNSEEN, with_tail=False)
    _flatten(element)
    source = b"<!DOCTYPE html><html>" + html.tostring(element, encoding="utf-8") + b"</html>"
    return readable(convert(source, "text/html", "markdown").content)


def _flatten(element: html.HtmlElement) -> None:
    """Leaves no element nested too deeply: boxes with nothing but one box in them go, and then what is within text."""
    if not _at_depth(element, _DEEPEST):
        return
    for box in list(element.iter("div", "section", "article", "main", "center")):
        if len(box) == 1 and not (box.text or "").strip() and not (box[0].tail or "").strip():
            box.drop_tag()
    for deep in _at_depth(element, _DEEPEST):
        text = " ".join(" ".join(deep.itertext()).split())
        deep.clear(keep_tail=True)
        deep.text = text


def _at_depth(element: html.HtmlElement, depth: int) -> list[html.HtmlElement]:
    level = [element]
    for _ in range(depth):
        level = [child for parent in level for child in parent]
    return level


def _parse(page: str) -> html.HtmlElement:
    # As bytes: lxml refuses str that declares an encoding.
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        parsed = html.document_fromstring(without_data(page).encode("utf-8", "replace"), parser=parser)
    except etree.ParserError as error:
        raise EmptyError("The page holds no text.") from error
    if any(fault.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT for fault in parser.error_log):
        raise ReadError("The page is nested too deeply.", "Open it in a browser and save its text.")
    return parsed
