"""Do the boxes drawn on a page cover the cited words? `python -m benchmarks.highlights --data DIR [--count N] [--json]`

DIR holds pdfqa_northwind and pdfqa_erc2_small. No model: of each page that answers a question, the sentences that share
most words with question and answer are cited, as an answer would that repeats them, by the same reader, chunker
and check as in the chat; 20 verified citations of each set. Then the page is drawn, and the text that PDFium finds
under the boxes is compared with the quote, letter by letter, without white space and hyphens (a cut word is read
without its own): `covered` is the share of the quote's letters that stand under the boxes, in their order; `extra` the
share of the letters under the boxes that are not of the quote. A letter counts as under a box if its middle is.
`--show` prints the citations that are not covered.
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
from rapidfuzz.distance import LCSseq

from app.answers import Citation
from app.citations import check, sentences
from app.sources.alignment import folded
from app.sources.sheet import Box, Wanted, draw
from app.sources.source import quoted_on
from ingest.chunker import Chunker
from ingest.documents import Chunk, Document, Passage
from ingest.embedder import Embedder
from ingest.readers import read
from ingest.settings import ChunkingSettings, EmbeddingSettings
from ingest.terms import terms

SETS = ("pdfqa_northwind", "pdfqa_erc2_small")
_EACH = 20
_PER_PAGE = 3
_LEAST_LETTERS = 30
_TARGET = 0.95


@dataclass(frozen=True, slots=True)
class Row:
    """One citation, drawn."""

    data: str
    document: str
    page: int
    quote: str
    under: str
    covered: float
    extra: float
    seconds: float


def main() -> None:
    """Prints a table, then one JSON object."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--count", type=int, default=_EACH, help="Citations of each set.")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--show", action="store_true", help="What is not covered.")
    options = parser.parse_args()
    rows = [row for name in SETS for row in measured(options.data / name, options.count)]
    if options.show:
        for row in rows:
            if row.covered < _TARGET or row.extra > 1 - _TARGET:
                print(json.dumps(asdict(row), indent=1, ensure_ascii=False))
    result = {name: summary([row for row in rows if row.data == name]) for name in SETS} | {"all": summary(rows)}
    if not options.json:
        for name, figures in result.items():
            print(name, *(f"{key} {value}" for key, value in figures.items()), sep=" | ")
    print(json.dumps(result))


def summary(rows: Sequence[Row]) -> dict[str, float]:
    """The figures of some citations."""
    return {
        "citations": len(rows),
        "covered": round(statistics.mean(row.covered for row in rows), 4),
        "least": round(min(row.covered for row in rows), 4),
        "whole": sum(row.covered >= _TARGET for row in rows),
        "extra": round(statistics.mean(row.extra for row in rows), 4),
        "seconds": round(statistics.median(row.seconds for row in rows), 2),
    }


def measured(folder: Path, count: int) -> Iterator[Row]:
    """The citations of one set, drawn."""
    for path, citation in islice(_citations(folder), count):
        for page, quoted in quoted_on(citation).items():
            started = time.monotonic()
            sheet = draw(Wanted(str(path), page, (quoted,)))
            seconds = time.monotonic() - started
            under, wanted = text_under(path, page, sheet.boxes[0]), folded(quoted.words)
            common = LCSseq.similarity(wanted, under)
            extra = 1 - common / len(under) if under else 0.0
            yield Row(folder.name, path.name, page, quoted.words, under, common / len(wanted), extra, seconds)


def text_under(path: Path, page: int, boxes: Sequence[Box]) -> str:
    """The letters whose middle lies in a box, as PDFium orders them, without what is not compared."""
    document = pdfium.PdfDocument(path)
    try:
        sheet = document[page - 1]
        text_page = sheet.get_textpage()
        letters = []
        for place in range(text_page.count_chars()):
            left, bottom, right, top = text_page.get_charbox(place)
            across, down = _seen(sheet, (left + right) / 2, (bottom + top) / 2)
            if any(b.left <= across <= b.left + b.width and b.top <= down <= b.top + b.height for b in boxes):
                letters.append(chr(pdfium.raw.FPDFText_GetUnicode(text_page, place)))
        return folded("".join(letters))
    finally:
        document.close()


def _seen(sheet: Any, x: float, y: float) -> tuple[float, float]:
    """For pages that are neither turned nor cut otherwise than to their crop box."""
    left, bottom, right, top = sheet.get_cropbox()
    return (x - left) / (right - left), (top - y) / (top - bottom)


def _citations(folder: Path) -> Iterator[tuple[Path, Citation]]:
    seen: set[tuple[str, tuple[int, int]]] = set()
    for line in (folder / "questions.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        wanted = set(terms(" ".join([row["question"], *map(str, row.get("answers", []))])))
        for evidence in row.get("evidence", []):
            path = folder / "docs" / _file_name(evidence["doc"])
            for citation in _cited(path, evidence["page"], wanted):
                if (key := (path.name, citation.span)) not in seen:
                    seen.add(key)
                    yield path, citation


def _file_name(name: str) -> str:
    return name if name.endswith(".pdf") else f"{name}.pdf"


def _cited(path: Path, page: int, wanted: set[int]) -> list[Citation]:
    """Verified citations of the sentences on a page that say most of what is wanted."""
    if not path.exists():
        return []
    found: list[tuple[int, str, Chunk]] = []
    for chunk in _chunks(path):
        if page in chunk.pages:
            said = [" ".join(chunk.text[slice(*span)].split()) for span in sentences.of_document(chunk.text)]
            found += [(len(wanted & set(terms(each))), each, chunk) for each in said if len(each) >= _LEAST_LETTERS]
    found.sort(key=lambda each: -each[0])
    cited = (check(f"{said} [1]", {1: Passage(chunk, 1, 0, 1, 1)}).citations for _, said, chunk in found)
    verified = (each for citations in cited for each in citations if each.verified and each.page == page)
    return list(islice(verified, _PER_PAGE))


@cache
def _chunks(path: Path) -> list[Chunk]:
    extracted = read(path)
    document = Document("doc", path.name, extracted.title, extracted.media_type, "", extracted.pages, paged=True)
    return list(_chunker().cut(document, "documents"))


@cache
def _chunker() -> Chunker:
    return Chunker(Embedder(EmbeddingSettings()).tokenizer, ChunkingSettings().tokens)


if __name__ == "__main__":
    main()
