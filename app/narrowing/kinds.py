"""Kinds of documents, as a question names them: "in the spreadsheets", "across all PDFs"."""

import re
from dataclasses import dataclass

_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN = "application/vnd.oasis.opendocument."


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of documents."""

    name: str
    """For a person."""
    pattern: str
    """The plurals it goes by: of a single one it would not be clear which."""
    media_types: frozenset[str]
    common: bool = False
    """Whether these words are used of other things, too; then they need "the", "our", "all the" before them."""


def _kind(name: str, pattern: str, *media_types: str, common: bool = False) -> Kind:
    return Kind(name, pattern, frozenset(media_types), common)


_TABLES = ("text/csv", "text/tab-separated-values")
_SHEETS = (_OFFICE + "spreadsheetml.sheet", "application/vnd.ms-excel", _OPEN + "spreadsheet")
_SLIDES = (_OFFICE + "presentationml.presentation", "application/vnd.ms-powerpoint", _OPEN + "presentation")
_WORD = (_OFFICE + "wordprocessingml.document", "application/msword")

_KINDS = (
    _kind("PDFs", r"pdfs|pdf (?:files|documents)", "application/pdf"),
    _kind("spreadsheets", r"spread ?sheets|excel (?:files|sheets|workbooks|tables)|xlsx files", *_SHEETS, *_TABLES),
    _kind("CSV files", r"csvs|csv files", *_TABLES),
    _kind("presentations", r"power ?points|power ?point (?:files|presentations)|pptx files|slide ?decks", *_SLIDES),
    _kind("presentations", r"presentations|slides", *_SLIDES, common=True),
    _kind("Word documents", r"word (?:documents|files)|docx files", *_WORD),
    _kind("mails", r"e-?mails|mails", "message/rfc822", "application/vnd.ms-outlook", common=True),
    _kind("Markdown files", r"markdown (?:files|documents)|md files", "text/markdown"),
    _kind("text files", r"(?:plain )?text files|txt files", "text/plain"),
    _kind("web pages", r"html (?:files|pages)", "text/html"),
    _kind("notebooks", r"jupyter notebooks|ipynb files", "application/x-ipynb+json"),
    _kind("e-books", r"e-?books|epubs|epub files", "application/epub+zip", common=True),
)

_BEFORE = r"(?<!not )(?<!than )(?<!except )\b(?:in|from|across|among|within|inside|through|throughout|search)\s+"
_THE = r"(?:(?:all|any|each|some|one)\s+(?:of\s+)?)?(?:the|my|our|your|these|those)\s+"
_ALL = r"(?:all|any)\s+"


def asked_kind(question: str) -> Kind | None:
    """The one kind of documents that a question is to be asked of."""
    asked = " ".join(question.lower().split())
    found = {kind.name: kind for kind in _KINDS if re.search(_cue(kind), asked)}
    return next(iter(found.values())) if len(found) == 1 else None


def _cue(kind: Kind) -> str:
    determiner = _THE if kind.common else f"(?:{_THE}|{_ALL})?"
    return rf"{_BEFORE}{determiner}(?:{kind.pattern})\b(?! (?:of|about|to|for)\b)(?!-)"
