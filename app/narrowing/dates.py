"""From when documents are: as a question asks ("in the reports from 2023", "files since March"), and as they tell.

A document tells by a date in its name. One without was last changed when its file was: it may be from any time before,
but from none after.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ingest.catalogue import Entry

_MONTHS = [
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
]
_MONTH = "|".join(_MONTHS)
_YEAR = r"(?:19|20)\d\d"
_DATE = rf"(?P<iso>{_YEAR}-\d\d(?:-\d\d)?)|(?:(?P<month>{_MONTH})\s+)?(?P<year>{_YEAR})|(?P<latest>{_MONTH})"
_THINGS = (
    r"documents|files|reports|minutes|notes|letters|e-?mails|mails|memos|invoices|contracts|logs|presentations|slides|"
    r"spreadsheets|pdfs|papers|records|newsletters|proposals|statements"
)
_DONE = r"(?:\s+(?:that\s+(?:are|were)\s+)?(?:dated|written|created|modified|changed|saved|sent|filed))?"
_CUE = re.compile(
    rf"\b(?:{_THINGS}){_DONE}\s+(?P<how>from|since|after|before|until)\s+(?:{_DATE})\b(?!\s*(?:to|-|\u2013)\s*\d)"
)
"""Tied to documents: "the revenue from 2023" is no matter of when a document was written."""

_DAY_IN_NAME = re.compile(rf"(?<!\d)({_YEAR})[-_. ]?(0[1-9]|1[0-2])(?:[-_. ]?(0[1-9]|[12]\d|3[01]))?(?!\d)")
_MONTH_IN_NAME = re.compile(rf"({_MONTH})[-_. ]*(?:\d\d?[-_., ]+)?({_YEAR})|({_YEAR})[-_. ]*({_MONTH})")
_YEAR_IN_NAME = re.compile(rf"(?<!\d)({_YEAR})(?!\d)")

Days = tuple[date, date]
"""The first and the last day, both of them included."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A time that a question asks documents of."""

    days: Days
    told: str
    """For a person: "from 2023"."""


def asked_dates(question: str, today: date | None = None) -> Asked | None:
    """From when the documents are to be that a question is asked of; a month without a year is the latest that was."""
    found = list(_CUE.finditer(" ".join(question.lower().split())))
    if len(found) != 1:
        return None
    match = found[0]
    days = _days_of(match, today or date.today())
    if days is None:
        return None
    how = match["how"]
    spans: dict[str, Days] = {
        "from": days,
        "since": (days[0], date.max),
        "after": (days[1] + timedelta(1), date.max),
        "before": (date.min, days[0] - timedelta(1)),
        "until": (date.min, days[1]),
    }
    return Asked(spans[how], f"{how} {_told(days)}")


def may_be_from(entry: Entry, asked: Asked) -> bool:
    """Whether a document may be from that time, by the date in its name, in its title, or of its file."""
    changed = datetime.fromtimestamp(entry.mtime_ns / 1e9).date()
    first, last = dated(entry.uri) or dated(entry.title) or (date.min, changed)
    return first <= asked.days[1] and asked.days[0] <= last


def dated(name: str) -> Days | None:
    """The time that a name tells of: the day, else the month, else the year or years."""
    text = name.lower()
    if days := [_month(int(year), int(month), int(day or 0)) for year, month, day in _DAY_IN_NAME.findall(text)]:
        return _around(days)
    if months := [
        _month(int(year or before), _MONTHS.index(month or behind) + 1)
        for month, year, before, behind in _MONTH_IN_NAME.findall(text)
    ]:
        return _around(months)
    return _around([_year(int(year)) for year in _YEAR_IN_NAME.findall(text)])


def _around(found: list[Days | None]) -> Days | None:
    spans = [days for days in found if days]
    return (min(first for first, _ in spans), max(last for _, last in spans)) if spans else None


def _days_of(match: re.Match[str], today: date) -> Days | None:
    if iso := match["iso"]:
        year, month, *day = map(int, iso.split("-"))
        return _month(year, month, *day)
    if match["latest"]:
        month = _MONTHS.index(match["latest"]) + 1
        return _month(today.year - (month > today.month), month)
    year = int(match["year"])
    return _month(year, _MONTHS.index(match["month"]) + 1) if match["month"] else _year(year)


def _year(year: int) -> Days:
    return date(year, 1, 1), date(year, 12, 31)


def _month(year: int, month: int, day: int = 0) -> Days | None:
    """A month, or a day of it; None where there is no such one."""
    try:
        first = date(year, month, day or 1)
    except ValueError:
        return None
    return (first, first) if day else (first, (first + timedelta(31)).replace(day=1) - timedelta(1))


def _told(days: Days) -> str:
    first, last = days
    if first == last:
        return first.isoformat()
    return str(first.year) if last - first > timedelta(31) else f"{_MONTHS[first.month - 1].capitalize()} {first.year}"
