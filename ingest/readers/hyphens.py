"""Words that were cut at the end of a line, made whole as the rest of their document writes them."""

import re
from collections.abc import Sequence

_WORD = re.compile(r"\w+(?:-\w+)*")
_CUT = re.compile("\\b(\\w+)[\ufffe\x02\xad](?:\r?\n)?(?=(\\w+))")
"""PDFium puts U+FFFE (or U+0002) where a line ends in a hyphen; U+00AD is the soft hyphen of the file itself."""
_HALVES = re.compile("\\b\\w+[\ufffe\x02\xad](?:\r?\n)?\\w+")
_SHORTEST_WORD = 4
"""Letters; what is shorter is rather a syllable, as in "for-tune", unless another word follows."""
_LOOSE = re.compile("[\ufffe\x02\xad](?:\r?\n)?")


def mend(texts: Sequence[str]) -> list[str]:
    """The texts of one document without marks of cut words.

    Whether "third-party" loses its hyphen, its other places tell; where there are none, it is kept before a capital
    or a number, after an acronym, between two words, and after a longer word that the document also writes alone.
    """
    if not any(_LOOSE.search(text) for text in texts):
        return list(texts)
    words = {word.lower() for text in texts for word in _WORD.findall(_only_whole(text))}

    def joined(match: re.Match[str]) -> str:
        return match[1] + _hyphen(match[1], match[2], words)

    return [_LOOSE.sub("", _CUT.sub(joined, text)) if _LOOSE.search(text) else text for text in texts]


def _only_whole(text: str) -> str:
    """A text without the halves of cut words, which are no words by themselves."""
    return _HALVES.sub(" ", text) if _LOOSE.search(text) else text


def _hyphen(left: str, right: str, words: set[str]) -> str:
    first, second = left.lower(), right.lower()
    if f"{first}-{second}" in words:
        return "-"
    if first + second in words:
        return ""
    alone = first in words and (second in words or len(first) >= _SHORTEST_WORD)
    compound = not right[0].islower() or left.isupper() or alone
    return "-" if compound else ""
