"""Which language a document is written in: it decides by which stemmer its words are counted.

py3langid: one small wheel with its model in it, under a BSD licence. None of the texts it was tried on
(benchmarks/LOG.md) was taken for another language, and of tables and code it says that it does not know.
"""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

UNKNOWN = ""
"""Not clear, or no language at all."""

_SURE = 0.5
"""Least confidence. The model's is calibrated: two words have .05, a sentence of twelve .95."""

_TEXTS = 5
_CHARACTERS = 2_000
"""As much as is looked at: that many texts from all over the document, and as much of each."""


def detect(texts: Sequence[str]) -> str:
    """The ISO 639-1 code of the language that texts of a document are written in, or :data:`UNKNOWN`.

    The first call loads the model, which takes half a second and 80 MB.
    """
    some = texts[:: max(1, len(texts) // _TEXTS)][:_TEXTS]
    sample = "\n".join(text[:_CHARACTERS] for text in some)
    code, confidence = _identifier().classify(sample)
    known = confidence >= _SURE and len(code) == 2  # three letters: one without stemmer or stop words, or no language
    return str(code) if known else UNKNOWN


@cache
def _identifier() -> "LanguageIdentifier":
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
