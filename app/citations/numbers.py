"""Numbers however they are written: 1,000 and 1000, 1.5 and 1,5, five million, 9 October 2024 and 9.10.2024."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

_SCALES = {"thousand": 3, "million": 6, "billion": 9, "bn": 9, "trillion": 12}
_NUMBER = re.compile(rf"(\d+(?:[.,'\u2019\u00a0\u202f]\d+)*)(?:[^\S\n]?-?({'|'.join(_SCALES)})\b)?", re.IGNORECASE)
_WORD = re.compile(r"[a-z]+")
_LETTERS = re.compile(r"[A-Za-z]+")
_MONTHS = _WORD.findall("january february march april may june july august september october november december")
_COUNTED = _WORD.findall("zero one two three four five six seven eight nine ten eleven twelve")
_ORDINALS = _WORD.findall("zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth")
_TENS = _WORD.findall("twenty thirty forty fifty sixty seventy eighty ninety hundred")
WRITTEN = {
    **{word: str(number) for names in (_COUNTED, _ORDINALS) for number, word in enumerate(names)},
    **{word[:length]: str(number) for number, word in enumerate(_MONTHS, 1) for length in (3, len(word))},
    **{word: str(number) for number, word in zip(range(20, 101, 10), _TENS, strict=True)},
}
"""Words that say a number."""
_GROUP = 3
"""Digits between separators of thousands."""
_LONGEST = 25
"""Digits of a number that is counted with; a longer one is a name."""


def stated(text: str) -> Iterator[frozenset[str]]:
    """The numbers that a sentence states in digits; each as all that it may mean: 1.000 is 1 or 1000.

    A number with its scale, as 5 million, may stand without it in its source: a table in millions says 5.
    """
    return _read(text, unscaled=True)


def known(text: str) -> frozenset[str]:
    """All that the numbers of a source may mean, in digits or words; 5 million is no 5 there.

    May is the fifth month; what somebody may do is no number.
    """
    said = frozenset(
        WRITTEN[word.lower()] for word in _LETTERS.findall(text) if word.lower() in WRITTEN and word != "may"
    )
    return said.union(*_read(text, unscaled=False))


def _read(text: str, unscaled: bool) -> Iterator[frozenset[str]]:
    for match in _NUMBER.finditer(text):
        scale = _SCALES[match[2].lower()] if match[2] else 0
        scales = {scale, 0} if unscaled else {scale}
        for values in _values(re.split(r"\D", match[1]), re.findall(r"\D", match[1])):
            yield frozenset(_canonical(*value, scale) for value in values for scale in scales)


def _values(parts: Sequence[str], marks: Sequence[str]) -> Iterator[list[tuple[str, str]]]:
    """What digits between marks may mean, as (whole, fraction); several numbers where they make no single one."""
    groups = [len(part) == _GROUP for part in parts[1:]]
    values = [("".join(parts), "")] if all(groups) else []
    if groups and all(groups[:-1]) and (len(groups) == 1 or marks[-1] != marks[0]):
        values.append(("".join(parts[:-1]), parts[-1]))
    yield from [values] if values else [[(part, "")] for part in parts]  # a date, a version


def _canonical(whole: str, fraction: str, scale: int) -> str:
    """The same text for 7, 7.0 and 07."""
    if len(whole) + len(fraction) > _LONGEST:
        return f"{whole}.{fraction}"
    number = format(Decimal(f"{whole}.{fraction or 0}").scaleb(scale), "f")
    return number.rstrip("0").rstrip(".") or "0" if "." in number else number
