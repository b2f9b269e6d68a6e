"""Does a verified citation mean something? `python -m benchmarks.citations --data DIR [--json] [--show KIND]`

DIR holds pdfqa_northwind, qa_covidqa and qa_clapnq_dev. Every sentence of their reference answers is cited to some:

- `own`: the passage it was written from. It should be verified.
- `other`: the passage of the same document (clapnq: of the collection) that shares the most of its words.
- `number`, `name`: its own passage, after one number or one name in the sentence was changed.
- `swapped`: the same, with another number of the passage.

Of the first, the share that is verified is the recall; of all that is verified, their share is the precision,
each kind of fault counting as often as there are right sentences. The quote is compared with the words that
the makers of the sets marked (F1 of words). Reference answers paraphrase, combine and sometimes say more
than their passage, and another passage sometimes says the same, so neither figure can be 1.
"""

import argparse
import json
import random
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from app.citations import check
from ingest.documents import Chunk, Passage, chunk_id
from ingest.readers import read
from ingest.terms import terms

_SENTENCES = 300
"""Most of each set."""
_LEAST_WORDS = 5
_PASSAGE = 1000
"""Characters."""
_ENDS = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_NUMBER = re.compile(r"(?<![\[\w.,])\d+(?![\w.,]*\d)")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{3,}\b")
_NAMES = ("Zanzibar", "Kowalski", "Brunhilde", "Yokohama", "Fitzgerald")


@dataclass(frozen=True, slots=True)
class Pair:
    """A sentence and the passages of which one must support it, or none may."""

    data: str
    kind: str
    sentence: str
    passages: tuple[str, ...]
    marked: str = ""
    """The words that the set's makers marked as its source."""
    question: str = ""
    """What the sentence answers."""


def clapnq(folder: Path) -> Iterator[Pair]:
    """Reference answers of people; each was written from one passage."""
    corpus = {row["_id"]: row["text"] for row in _rows(folder / "corpus.jsonl")}
    sources = _sources(folder)
    for row in _rows(folder / "queries.jsonl"):
        for answer, marked in zip(row["answers"], row["gold_sentences"], strict=False):
            for sentence in _sentences(answer):
                own = corpus[sources[row["_id"]]]
                other = _nearest(sentence, [text for text in corpus.values() if text != own])
                yield Pair("clapnq", "own", sentence, (own,), " ".join(marked), row["text"])
                yield Pair("clapnq", "other", sentence, (other,), question=row["text"])


def covidqa(folder: Path) -> Iterator[Pair]:
    """Answers that were marked in articles, so that they stand there word for word."""
    articles = {row["_id"]: row["text"] for row in _rows(folder / "corpus.jsonl")}
    sources = _sources(folder)
    for row in _rows(folder / "queries.jsonl"):
        article, start = articles[sources[row["_id"]]], row["answer_start"][0]
        first = max(start - _PASSAGE // 2, 0)
        own = article[first : first + _PASSAGE]
        far = (*_cut([article[:first]]), *_cut([article[first + _PASSAGE :]]))
        for sentence in _sentences(row["answers"][0]):
            if " ".join(sentence.split()) not in " ".join(own.split()):
                continue
            yield Pair("covidqa", "own", sentence, (own,), sentence, row["text"])
            if far:
                yield Pair("covidqa", "other", sentence, (_nearest(sentence, far),), question=row["text"])


def northwind(folder: Path) -> Iterator[Pair]:
    """Answers that a model wrote; the pages are right within one."""
    pages = {path.name: [page.text for page in read(path).pages] for path in (folder / "docs").glob("*.pdf")}
    dice = random.Random(1)
    for row in _rows(folder / "questions.jsonl"):
        near: dict[str, set[int]] = defaultdict(set)
        for place in row["evidence"]:
            near[place["doc"]] |= {place["page"] - 2, place["page"] - 1, place["page"]}
        own = tuple(text for doc, at in near.items() for text in _cut(t for n, t in enumerate(pages[doc]) if n in at))
        far = [text for doc, at in near.items() for text in _cut(t for n, t in enumerate(pages[doc]) if n not in at)]
        for sentence in _sentences(row["answers"][0]):
            yield Pair("northwind", "own", sentence, own, question=row["question"])
            yield Pair("northwind", "other", sentence, (dice.choice(far),), question=row["question"])


def falsified(pair: Pair) -> Iterator[Pair]:
    """The same sentence with another number, and with another name, where the passage has what is replaced."""
    text = "\n".join(pair.passages)
    number = next((each for each in _NUMBER.finditer(pair.sentence) if each.group() in text), None)
    if number:
        other = next(str(value) for value in range(int(number.group()) + 1, 10**30) if str(value) not in text)
        yield replace(pair, kind="number", sentence=_replaced(pair.sentence, number, other), marked="")
        others = [each.group() for each in _NUMBER.finditer(text) if each.group() not in pair.sentence]
        if others:
            yield replace(pair, kind="swapped", sentence=_replaced(pair.sentence, number, others[0]), marked="")
    name = next((each for each in _NAME.finditer(pair.sentence) if each.group() in text), None)
    if name:
        other = _NAMES[len(text) % len(_NAMES)]
        yield replace(pair, kind="name", sentence=_replaced(pair.sentence, name, other), marked="")


def _replaced(sentence: str, match: re.Match[str], by: str) -> str:
    return sentence[: match.start()] + by + sentence[match.end() :]


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open() as file:
        yield from map(json.loads, file)


def _sources(folder: Path) -> dict[str, str]:
    rows = (line.split("\t") for line in (folder / "qrels" / "test.tsv").read_text().splitlines()[1:])
    return {question: passage for question, passage, _ in rows}


def _sentences(answer: str) -> list[str]:
    parts = (part.strip() for line in answer.splitlines() for part in _ENDS.split(line))
    return [part for part in parts if len(part.split()) >= _LEAST_WORDS]


def _cut(texts: Iterable[str]) -> list[str]:
    return [text[at : at + _PASSAGE] for text in texts for at in range(0, len(text), _PASSAGE) if text[at:].strip()]


def _nearest(sentence: str, texts: Sequence[str]) -> str:
    wanted = terms(sentence)
    return max(texts, key=lambda text: len(wanted & _terms(text)))


_terms = cache(terms)


def _passage(text: str) -> Passage:
    span = (0, len(text))
    chunk = Chunk(chunk_id("d", span, text), "c", "d", "d.txt", "", 0, text, (), (), span, 0)
    return Passage(chunk, 1.0, 0, 1.0, 1.0)


def verified(pair: Pair) -> list[str]:
    """The quotes that verify the pair's sentence."""
    checked = (check(f"{pair.sentence} [1]", {1: _passage(text)}, pair.question) for text in pair.passages)
    return [citation.quote for each in checked for citation in each.citations if citation.verified]


def _overlap(quote: str, marked: str) -> float:
    """F1 of words."""
    left, right = Counter(quote.lower().split()), Counter(marked.lower().split())
    return 2 * (left & right).total() / (left.total() + right.total())


def figures(pairs: Sequence[Pair], quotes: Sequence[list[str]]) -> dict[str, float]:
    """Recall, the share of each kind of fault that passes, precision, and how good the quotes are."""
    passed: dict[str, list[bool]] = defaultdict(list)
    for pair, found in zip(pairs, quotes, strict=True):
        passed[pair.kind].append(bool(found))
    share = {kind: statistics.mean(values) for kind, values in passed.items()}
    wrong = [share[kind] for kind in share if kind != "own"]
    right = [(found[0], pair) for pair, found in zip(pairs, quotes, strict=True) if pair.kind == "own" and found]
    marked = [_overlap(quote, pair.marked) for quote, pair in right if pair.marked]
    return {
        "sentences": len(passed["own"]),
        "recall": share["own"],
        **{f"{kind} passes": share[kind] for kind in ("other", "number", "swapped", "name")},
        "precision": share["own"] / (share["own"] + statistics.mean(wrong)),
        "quote_f1": statistics.mean(marked) if marked else float("nan"),
        "quote_characters": statistics.mean(len(quote) for quote, _ in right),
    }


def _sampled(pairs: Iterator[Pair]) -> list[Pair]:
    """Some sentences, each with all that is made of it."""
    chunks: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        chunks[pair.sentence].append(pair)
    sentences = random.Random(0).sample(sorted(chunks), min(_SENTENCES, len(chunks)))
    chosen = [pair for sentence in sentences for pair in chunks[sentence]]
    return chosen + [wrong for pair in chosen if pair.kind == "own" for wrong in falsified(pair)]


def main() -> None:
    """Measures the three sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", action="store_true", help="only the last line")
    parser.add_argument("--show", help="print what is judged wrongly of this kind")
    given = parser.parse_args()
    results = {}
    for name, reader in (("pdfqa_northwind", northwind), ("qa_covidqa", covidqa), ("qa_clapnq_dev", clapnq)):
        pairs = _sampled(reader(given.data / name))
        quotes = [verified(pair) for pair in pairs]
        results[name] = {key: round(value, 3) for key, value in figures(pairs, quotes).items()}
        for pair, found in zip(pairs, quotes, strict=True):
            if pair.kind == given.show and bool(found) != (pair.kind == "own"):
                print(f"\n{pair.sentence}\n    {found or pair.passages}")
        if not given.json:
            print(name, results[name])
    print(json.dumps(results))


if __name__ == "__main__":
    main()
