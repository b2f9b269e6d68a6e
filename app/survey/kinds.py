"""Which questions are about all documents. Pure; English. Rather one too few: the others are answered from passages."""

import re
from dataclasses import dataclass

from app.citations.words import words

_SUFFIXES = {
    r"pdfs?(?: files?| documents?)?": (".pdf",),
    r"spreadsheets?|excel files?|workbooks?": (".xlsx", ".xlsm", ".xls", ".ods", ".csv", ".tsv"),
    r"presentations?|powerpoints?|slide ?decks?": (".pptx", ".ppt", ".odp"),
    r"e-?mails?": (".eml", ".msg"),
    r"word (?:files|documents?)": (".docx", ".doc", ".odt"),
    r"web ?pages?|html files?": (".html", ".htm"),
    r"documents?|files?|docs": (),
}
_FILES = "|".join(_SUFFIXES)
_THESE = r"(?:the|this|that|my|our|your|these|those|all|any)"
_HERE = rf"(?:\s+(?:of\s+)?{_THESE})*\s+(?:folder|collection|library|archive|documents?|files?)"
_ALL = rf"(?:all|every|each)(?:\s+(?:of\s+)?{_THESE})?"
_MENTION = (
    r"(?:mention|name|contain|include|discuss|cover|refer(?:ence)?s?(?:\s+to)?|talks?\s+about|speaks?\s+(?:of|about)"
    r"|(?:is|are)\s+about|deals?\s+with)s?"
)
_MENTIONED = r"(?:mentioned|named|discussed|found|contained|referred\s+to|talked\s+about|appear|occur)"
_ASKED = r"(?:please\s+|(?:can|could)\s+you\s+(?:please\s+)?)?"

_MENTIONS = (
    rf"(?:in\s+)?(?:how\s+many|which|what|(?:list|show|name|find|count)(?:\s+me)?(?:\s+{_ALL}|\s+{_THESE})?)"
    rf"(?:\s+of\s+{_THESE})?\s+(?P<files>{_FILES})(?:\s+(?:that|which))?(?:\s+do)?\s+{_MENTION}\s+(?P<term>.+)",
    rf"(?:in\s+)?(?:how\s+many|which|what)(?:\s+of\s+{_THESE})?\s+(?P<files>{_FILES})\s+(?:is|are|does|do)\s+"
    rf"(?P<term>.+?)\s+{_MENTIONED}(?:\s+in)?",
)
_CONTENTS = (
    rf"what(?:'s|\s+is|\s+do\s+(?:i|we|you)\s+have)\s+in{_HERE}",
    rf"(?:how\s+many|which|what|(?:list|show|name|count)(?:\s+me)?(?:\s+{_ALL}|\s+{_THESE})?)\s+(?P<files>{_FILES})"
    rf"(?:\s+(?:are|is)\s+there|\s+(?:do|did|have)\s+(?:i|we|you)\s+(?:have|got|know|read)|(?:\s+are|\s+lie)?\s+in{_HERE}"
    rf"|\s+are\s+here|\s+have\s+been\s+(?:read|ingested|indexed)|\s+(?:there\s+are|(?:that\s+)?you\s+have|i\s+have))*",
)
_LISTS = (
    rf"(?:list|enumerate)(?:\s+(?:for\s+)?me)?(?:\s+{_ALL}|\s+{_THESE})?\s+(?P<topic>.+)",
    rf"(?:name|show|tell|give)(?:\s+me)?(?:\s+a\s+list\s+of)?\s+{_ALL}\s+(?P<topic>.+)",
    rf"(?:give|show|make|write)(?:\s+me)?\s+a\s+(?:full\s+|complete\s+)?list\s+of(?:\s+{_ALL}|\s+{_THESE})?\s+(?P<topic>.+)",
    rf"(?:what|who|which)\s+are\s+all\s+(?:{_THESE}\s+)?(?P<topic>.+)",
    rf"(?:which|what|how\s+many)(?:\s+different|\s+distinct)?\s+(?P<topic>.+?)\s+(?:are|is)\s+{_MENTIONED}\s+"
    rf"(?:in|across|throughout){_HERE}",
)
_TAIL = re.compile(rf"\s+(?:(?:in|from|across|throughout|of){_HERE}|anywhere|at\s+all|in\s+total)$", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:the\s+(?:word|term|name|phrase)s?|the|an?)\s+", re.IGNORECASE)
_SEVERAL = re.compile(r"\s(?:or|nor|but|except|without|not)\s", re.IGNORECASE)
_QUOTES = "\"'`\u201c\u201d\u2018\u2019\u201e\u00ab\u00bb "


@dataclass(frozen=True, slots=True)
class Contents:
    """Which documents are there?"""

    files: str = "documents"
    """As the question calls them."""


@dataclass(frozen=True, slots=True)
class Mentions:
    """Which documents mention something?"""

    term: str
    files: str = "documents"


@dataclass(frozen=True, slots=True)
class Listing:
    """What of a sort do the documents name?"""

    topic: str


Kind = Contents | Mentions | Listing


def kind_of(question: str) -> Kind | None:
    """What a question wants of all documents; None if it is to be answered from the best passages."""
    said = " ".join(question.split()).rstrip("?!. ")
    if match := _first(_MENTIONS, said):
        term = _bare(match["term"])
        return Mentions(term, match["files"].lower()) if _is_one_term(term) else None
    if match := _first(_CONTENTS, said):
        return Contents((match.groupdict().get("files") or "documents").lower())
    if match := _first(_LISTS, said):
        return Listing(_bare(match["topic"]))
    return None


def suffixes(files: str) -> tuple[str, ...]:
    """The endings of the files that a word means, in lower case; none for all."""
    return next(ends for name, ends in _SUFFIXES.items() if re.fullmatch(name, files, re.IGNORECASE))


def _first(patterns: tuple[str, ...], said: str) -> re.Match[str] | None:
    found = (re.fullmatch(_ASKED + pattern, said, re.IGNORECASE) for pattern in patterns)
    return next((match for match in found if match), None)


def _is_one_term(term: str) -> bool:
    """Whether a term is one that can be looked up: no "pumps or valves", and no "it", but "WHO"."""
    return bool(term and not _SEVERAL.search(term) and (any(words(term)) or not term.islower()))


def _bare(text: str) -> str:
    """What is looked for, without what is only said around it."""
    return _ARTICLE.sub("", _TAIL.sub("", text)).strip(_QUOTES)
