"""One document, as a question names it: by its file name, or by its title without an ending.

"In the travel policy" means travel-policy.md or "Travel Policy 2024.pdf", if only one document is called so.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import dropwhile, pairwise
from pathlib import PurePosixPath

from ingest.catalogue import Entry

Words = tuple[str, ...]

_FILE = re.compile(r"(?<![\w/.-])[\w/.-]*\w\.[A-Za-z][A-Za-z0-9]{1,4}(?!\w)")
"""What may be the name of a file: report.pdf, 2024/minutes-3.docx."""

_QUOTES = re.compile(r"[\"\u201c\u201e\u00ab]([^\"\u201c-\u201e\u00ab\u00bb]{3,80})[\"\u201c\u201d\u00bb]")
_WORD = re.compile(r"[^\W_]+")
_YEAR = re.compile(r"(?:19|20)\d\d")
_UNSAID = re.compile(r"(?:19|20)\d\d|v\d+|final|draft|copy|version|rev|the|a|an")
"""What of a name is left out when people speak of a document."""

_NOUNS = frozenset(
    """agenda agreement assessment bill booklet brochure budget bylaws catalogue catalog charter checklist contract
    directive faq guide guideline guidelines handbook instruction instructions invoice leaflet lease ledger letter
    logbook manual memo memorandum minutes newsletter paper playbook policy presentation procedure proposal protocol
    readme regulations report roadmap rota rulebook schedule specification spreadsheet statement strategy survey
    syllabus thesis whitepaper workbook""".split()  # noqa: SIM905 - a list of words
)
"""A name that holds one of these is that of a document wherever it stands behind "in the"."""

_CUES = {"in", "from", "under", "per", "by", "of", "with"}
_SURE_CUES = {("according", "to"), ("as", "per")}
_DOES = {"does", "do", "did"}
_SAYS = set("say state mention tell require recommend describe specify define cover contain list allow".split())  # noqa: SIM905
_DETERMINERS = {"the", "our", "my", "your", "this"}
_LONGEST = 8
"""Words of a name."""


def may_name(question: str) -> bool:
    """Whether a question may name a document at all; most need no look into the catalogue."""
    words = _words(question)
    sure = (_DOES.intersection(words) and _SAYS.intersection(words)) or _SURE_CUES.intersection(pairwise(words))
    return bool(sure or _NOUNS.intersection(words) or _FILE.search(question) or _QUOTES.search(question))


def named(question: str, entries: Sequence[Entry]) -> Entry | None:
    """The one document that a question names; None where there is none, or more than one that is called so."""
    files = {name.lower() for name in _FILE.findall(question)}
    if files:
        called = (each for each in entries if files & {each.uri.lower(), PurePosixPath(each.uri).name.lower()})
        return _single(called)
    quoted = {_core(text) for text in _QUOTES.findall(question)} - {()}
    phrases = quoted | set(_phrases(_words(question)))
    if not phrases:
        return None
    return _of_the_year(question, [entry for entry in entries if phrases.intersection(_cores(entry))])


def _single(entries: Iterable[Entry]) -> Entry | None:
    found = list(entries)
    return found[0] if len(found) == 1 else None


def _phrases(words: Words) -> Iterator[Words]:
    """What is named in a question, if there is a document of that name."""
    for at in range(1, len(words)):
        sure, cue, does = words[max(at - 2, 0) : at] in _SURE_CUES, words[at - 1] in _CUES, words[at - 1] in _DOES
        start = at + (at < len(words) and words[at] in _DETERMINERS)
        for end in range(start + 1, min(start + _LONGEST, len(words)) + 1):
            name, behind = words[start:end], words[end] if end < len(words) else ""
            if behind in _NOUNS or (behind.isdigit() and not _YEAR.fullmatch(behind)):
                continue  # the name goes on
            as_document = cue and len(name) > 1 and not _NOUNS.isdisjoint(name)
            if sure or as_document or (does and behind in _SAYS):
                yield name


def _of_the_year(question: str, entries: Sequence[Entry]) -> Entry | None:
    """Of documents with the same name, that of the year in the question."""
    years = set(_YEAR.findall(question))
    of_it = [entry for entry in entries if years & set(_YEAR.findall(f"{entry.uri} {entry.title}"))]
    return _single(of_it or (entry for entry in entries if not _of_another(question, entry)))


def _of_another(question: str, entry: Entry) -> bool:
    """Whether a year stands beside the document's name in a question, as in "the travel policy of 2019"."""
    asked = " ".join(_words(question))
    names = (re.escape(" ".join(core)) for core in _cores(entry))
    beside = (rf"\b{_YEAR.pattern} {name}\b|\b{name} (?:of |from |for |in )?{_YEAR.pattern}\b" for name in names)
    return any(re.search(pattern, asked) for pattern in beside)


def _cores(entry: Entry) -> set[Words]:
    return {_core(PurePosixPath(entry.uri).stem), _core(entry.title)} - {()}


@lru_cache(maxsize=50_000)
def _core(name: str) -> Words:
    """What people call a document of this name."""
    words = dropwhile(str.isdigit, _words(name))
    core = tuple(word for word in words if not _UNSAID.fullmatch(word))
    return core if len("".join(core)) > 3 else ()


def _words(text: str) -> Words:
    return tuple(_WORD.findall(re.sub("['\u2019]", "", text.lower())))
