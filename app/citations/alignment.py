"""The part of a passage that supports a sentence best, and whether it does."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from rapidfuzz import fuzz, process

from app.citations import numbers, sentences
from app.citations.injection import suspicions
from app.citations.names import names, stands_in
from app.citations.words import Key, Word, compounds, words
from ingest.documents import Chunk, Span

MIN_SUPPORT = 0.5
"""Share of a sentence's words that its quote must hold."""
_MOST_SENTENCES = 3
_COST = 0.08
"""What one more sentence must add to the share, so that quotes stay short."""
_ALIKE = 85.0
"""Similarity (0 to 100) of two words that count as one, written in another form or with a slip."""
_LEAST_ALIKE = 5
"""Letters; of shorter words too many are alike."""
_LONGEST_QUOTE = 300
"""Characters. A sentence longer than that, as pages without full stops have, is quoted in part."""
_SAYS_NOTHING = frozenset(("yes", "no", "ja", "nein", "oui", "non", "sí", "si", "sure", "ok", "okay"))


@dataclass(frozen=True, slots=True)
class Support:
    """What a passage has to say for a sentence."""

    verified: bool
    share: float
    """Of the sentence's words that the quote holds, in [0, 1], less the cost of its length."""
    asked: int
    """How many words of the question the quote holds: it decides between quotes that are equal otherwise."""
    span: Span
    """Within the passage's text."""

    @property
    def strength(self) -> tuple[bool, float, int]:
        """The greater, the better."""
        return self.verified, self.share, self.asked


@dataclass(frozen=True, slots=True)
class _Part:
    """Some sentences of a passage in a row."""

    span: Span
    held: frozenset[Key]
    numbers: frozenset[str]
    """That it states, in digits or words."""
    cost: float
    instructs: bool
    """Whether it seems to instruct the assistant."""


@dataclass(frozen=True, slots=True)
class _Source:
    """A passage, made ready for comparing."""

    words: tuple[Word, ...]
    vocabulary: dict[str, Key]
    """Its words, folded, and what they count as."""
    parts: tuple[_Part, ...]
    around: frozenset[Key]
    """The words of its title, headings and place."""
    names: frozenset[str]
    """All words of both, folded."""
    around_numbers: frozenset[str]
    numbers: frozenset[str]
    """All numbers of both."""


def is_claim(sentence: str) -> bool:
    """Whether a sentence says anything that a source could support: no "Yes.", no "These are the rules:"."""
    bare = sentence.strip(" *_.!,-")
    return bool(_features(bare)) and not bare.endswith(":") and bare.casefold() not in _SAYS_NOTHING


def support(claim: str, chunk: Chunk, question: str = "") -> Support:
    """Finds the quote in a chunk that supports a sentence best."""
    source = _source(chunk.text, "\n".join((chunk.title, chunk.uri, *chunk.headings)))
    wanted, asked = _wanted(claim, source), _features(question)
    holds = bool(wanted) and _names_hold(claim, question, source)
    stated = [meanings for meanings in numbers.stated(claim) if source.around_numbers.isdisjoint(meanings)]
    best, held = Support(False, 0.0, 0, (0, len(chunk.text))), frozenset[Key]()
    for part in source.parts:
        share = len(wanted & part.held) / len(wanted) if wanted else 0.0
        verified = holds and share >= MIN_SUPPORT and not any(map(part.numbers.isdisjoint, stated))
        if part.instructs and asked.isdisjoint(part.held):
            verified = False  # whoever follows it repeats it
        found = Support(verified, share - part.cost, len(asked & part.held), part.span)
        if found.strength > best.strength:
            best, held = found, part.held & (wanted | asked)
    return replace(best, span=_tight(best.span, held, source))


def _wanted(claim: str, source: _Source) -> frozenset[Key]:
    """What a quote must hold of a claim; what its passage stands under need not be said again."""
    said = {_counterpart(word, source) for word in words(claim)}
    for whole, parts in compounds(claim):
        if whole in source.vocabulary.values():
            said = said - parts | {whole}
    wanted = frozenset(said) | _numbers(claim)
    return wanted - source.around or wanted


def _counterpart(word: Word, source: _Source) -> Key:
    """The key of the same word in the source, if it is only written differently there."""
    known = source.vocabulary
    if word.folded in known or word.key in source.vocabulary.values() or len(word.folded) < _LEAST_ALIKE:
        return known.get(word.folded, word.key)
    found = process.extractOne(word.folded, known.keys(), scorer=fuzz.ratio, score_cutoff=_ALIKE)
    return known[found[0]] if found else word.key


def _names_hold(claim: str, question: str, source: _Source) -> bool:
    """Whether every name of the claim occurs in the passage, its headings, title or place.

    A name that the question brought is no statement of the claim, and need not stand there again.
    """
    brought = {word.folded for word in words(question)}
    return all(name in brought or stands_in(name, source.names, source.numbers) for name in names(claim))


@lru_cache(256)
def _source(text: str, around: str) -> _Source:
    found = tuple(words(text))
    vocabulary = {word.folded: word.key for word in found}
    outside = tuple(words(around))
    return _Source(
        words=found,
        vocabulary=vocabulary,
        parts=tuple(_parts(text)),
        around=frozenset(word.key for word in outside) - frozenset(vocabulary.values()),
        names=frozenset((*vocabulary, *(word.folded for word in outside))),
        around_numbers=numbers.known(around),
        numbers=numbers.known(f"{around}\n{text}"),
    )


def _parts(text: str) -> Iterator[_Part]:
    """Every sentence, and every few that follow one another."""
    spans = list(sentences.of_document(text))
    held = [_held(text[start:end]) for start, end in spans]
    instructing = {suspicion.span for suspicion in suspicions(text)}
    for count in range(1, _MOST_SENTENCES + 1):
        for first in range(len(spans) - count + 1):
            last = first + count - 1
            joined = frozenset[Key]().union(*held[first : last + 1])
            start, end = spans[first][0], spans[last][1]
            instructs = not instructing.isdisjoint(spans[first : last + 1])
            yield _Part((start, end), joined, numbers.known(text[start:end]), _COST * (count - 1), instructs)


def _held(text: str) -> frozenset[Key]:
    return _features(text) | {whole for whole, _ in compounds(text)}


@lru_cache(512)
def _features(text: str) -> frozenset[Key]:
    return frozenset(word.key for word in words(text)) | _numbers(text)


def _numbers(text: str) -> frozenset[Key]:
    return frozenset(min(meanings) for meanings in numbers.stated(text))


def _tight(span: Span, held: frozenset[Key], source: _Source) -> Span:
    """A long quote from the first to the last word that counts."""
    start, end = span
    if end - start <= _LONGEST_QUOTE:
        return span
    counted = [word for word in source.words if start <= word.start and word.end <= end and word.key in held]
    return (counted[0].start, counted[-1].end) if counted else span
