"""How the embedded index grows: storing, sealing, searching, opening, memory and disk.

Chunks are made up, but shaped like real ones: unit vectors in clusters, words by Zipf's law (so that BM25 has its
common and its rare ones), documents of twenty chunks in folders. The index seals itself while it is filled, which
the longest upsert of a thousand chunks has in it. There is no graph (HNSW), so there is no other build.

`python -m benchmarks.index --json` prints a line per size, and last one line of JSON. Each size runs in a process of
its own, so that memory is its own.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import psutil
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))  # run as a file, benchmarks/ingest.py would hide the package ingest

from ingest.documents import Chunk, chunk_id, document_id
from ingest.index import Fingerprint, SparseTerms, Vectors, Where
from ingest.index.embedded import EmbeddedIndex

DIMENSION = 384
CLUSTERS = 200
WORDS = 30_000
LENGTH = 150
BATCH = 1_000
QUERIES = 200
FINGERPRINT = Fingerprint("made up", DIMENSION, chunk_tokens=200, chunk_overlap=0, version=1)
T = TypeVar("T")
Item = tuple[Chunk, Vectors]


class Source:
    """Makes chunks and queries, the same ones each time."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(0)
        self._centres = self._random.normal(size=(CLUSTERS, DIMENSION)).astype(np.float32)
        odds = 1 / np.arange(1, WORDS + 1)
        self._odds = odds / odds.sum()

    def vectors(self, count: int) -> NDArray[np.float32]:
        """Unit vectors around the centres of the clusters."""
        around = self._centres[self._random.integers(0, CLUSTERS, count)]
        made = around + 0.9 * self._random.normal(size=around.shape).astype(np.float32)
        unit: NDArray[np.float32] = made / np.linalg.norm(made, axis=1, keepdims=True)
        return unit

    def words(self, count: int, length: int) -> NDArray[np.int64]:
        """Numbers of words, the first the most common."""
        return self._random.choice(WORDS, size=(count, length), p=self._odds)

    def items(self, size: int) -> Iterator[list[Item]]:
        """Chunks with their vectors, in batches."""
        for start in range(0, size, BATCH):
            dense, words = self.vectors(BATCH), self.words(BATCH, LENGTH)
            yield [_item(start + n, words[n], dense[n]) for n in range(min(BATCH, size - start))]


def _item(number: int, words: NDArray[np.int64], dense: Any) -> Item:
    place, ordinal = divmod(number, 20)
    uri = f"folder{place % 50}/part{place % 7}/file{place}.txt"
    document = document_id("documents", "/root", uri)
    text = " ".join(f"word{word}" for word in words)
    span = (ordinal * 1_000, ordinal * 1_000 + len(text))
    chunk = Chunk(
        id=chunk_id(document, span, text),
        collection="documents",
        document_id=document,
        uri=uri,
        title=f"file{place}",
        ordinal=ordinal,
        text=text,
        headings=("Part", "Section"),
        pages=(1,),
        span=span,
        tokens=LENGTH,
        page_starts=(0,),
    )
    terms, counts = np.unique(words, return_counts=True)
    weights = counts * 2.2 / (counts + 1.2)
    return chunk, Vectors(dense, SparseTerms(tuple(terms.tolist()), tuple(weights.tolist())))


def measure(size: int) -> dict[str, float]:
    """Fills an index with so many chunks, and searches it."""
    source = Source()
    before = _memory()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        with EmbeddedIndex.open(home, FINGERPRINT) as index:
            calls = [_seconds(partial(index.upsert, items)) for items in source.items(size)]
            found = {"flush_seconds": _seconds(index.flush)}
        seconds, reopened = _timed(lambda: EmbeddedIndex.open(home, None))
        with reopened:
            plain = _search(reopened, source, Where("documents"))
            filtered = _search(reopened, source, Where("documents", path_prefix="folder7"))
            memory = _memory() - before
        disk = sum(path.stat().st_blocks * 512 for path in home.rglob("*") if path.is_file())
    return {
        "chunks": size,
        "upsert_per_second": size / sum(calls),
        "longest_upsert_seconds": max(calls),
        **found,
        "load_seconds": seconds,
        **{f"plain_{key}": value for key, value in plain.items()},
        **{f"filtered_{key}": value for key, value in filtered.items()},
        "rss_mb": memory[0],
        "anonymous_mb": memory[1],
        "disk_mb": disk / 2**20,
    }


def _search(index: EmbeddedIndex, source: Source, where: Where) -> dict[str, float]:
    """Milliseconds of a hybrid query for twenty passages, and how much of that a core worked."""
    dense, words = source.vectors(QUERIES), source.words(QUERIES, 6)
    queries = [SparseTerms(tuple(np.unique(row).tolist()), (1.0,) * len(np.unique(row))) for row in words]
    for number in range(10):
        index.search(dense[number], queries[number], 20, where)
    worked = time.process_time()
    times = [
        _seconds(partial(index.search, dense[number], queries[number], 20, where)) * 1e3 for number in range(QUERIES)
    ]
    worked = (time.process_time() - worked) / QUERIES * 1e3
    return {"p50_ms": float(np.percentile(times, 50)), "p95_ms": float(np.percentile(times, 95)), "cpu_ms": worked}


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def _seconds(work: Callable[[], object]) -> float:
    return _timed(work)[0]


def _memory() -> NDArray[np.float64]:
    """MB of this process in memory; and of these, what is not a mapped file that the system can drop."""
    info = psutil.Process().memory_info()
    return np.array([info.rss, info.rss - info.shared]) / 2**20


def _growth(small: dict[str, float], large: dict[str, float]) -> dict[str, float]:
    return {key: round(large[key] / small[key], 2) for key in small if small[key]}


def main() -> None:
    """Measures each size in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--json", action="store_true", help="print one line of JSON last")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(arguments.one)))
        return
    results = []
    for size in arguments.sizes:
        command = [sys.executable, __file__, "--one", str(size)]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        results.append({key: round(value, 3) for key, value in json.loads(output).items()})
        print("  ".join(f"{key} {value:g}" for key, value in results[-1].items()))
    if arguments.json:
        growth = [_growth(small, large) for small, large in pairwise(results)]
        print(json.dumps({"sizes": results, "growth": growth}))


if __name__ == "__main__":
    main()
