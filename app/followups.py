"""Follow-ups without the model: does a question stand alone already, and if not, what stands in for a rewritten one?

Rules for English. They err towards "does not stand alone": that costs time only.
"""

import re

from ingest.terms import terms

_WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
_REFERS = re.compile(
    r"\b(?:it|its|itself|they|them|their|theirs|he|him|his|she|her|hers|these|those|ones?|such|former|latter|same|else|"
    r"others?|another|again|instead|previous|above|too|also)\b"
    r"|\bthis\b(?! (?:year|month|week|quarter)\b)"
    r"|(?<!is )(?<!are )(?<!was )(?<!were )\bthere\b(?! (?:is|are|was|were)\b)"
    r"|\b(?:about|after|as|at|before|by|do|does|did|for|from|in|is|like|of|on|than|to|was|with|why|how|what) that\b"
    r"|^that\b|\bthat(?=\W*$)"
)
_ELLIPSIS = re.compile(r"(?:and|but|or|so|then|what about|how about|why not|what if|in that case|ok|okay|yes|no)\b")
_NAME = re.compile(r"(?<!^)(?<![.?!] )\b[A-Z][\w-]+|\d")
_ENOUGH = 3
"""Words that say something; a question with fewer, and no name or number, leans on what was said before."""
_MOST = 8
"""Words that are taken over from the question before."""


def stands_alone(question: str) -> bool:
    """Whether a question can be understood without the conversation, so that nobody has to rewrite it."""
    asked = " ".join(question.split())
    low = asked.lower()
    if _REFERS.search(low) or _ELLIPSIS.match(low):
        return False
    return len(_telling(asked)) >= _ENOUGH or bool(_telling(asked) and _NAME.search(asked))


def completed(question: str, before: str) -> str:
    """A question that does not stand alone, with what the standalone question before it was about.

    For the search, as a stand-in where rewriting by the model would take too long. Nothing of the question is changed.
    """
    said = terms(question)
    missing = [word for word in dict.fromkeys(_telling(before)) if not terms(word) <= said]
    return f"{question.strip()} ({' '.join(missing[:_MOST])})" if missing else question.strip()


def _telling(text: str) -> list[str]:
    """The words of a text that are no stop words."""
    return [word for word in _WORD.findall(text) if terms(word)]
