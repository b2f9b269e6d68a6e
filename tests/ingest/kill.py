"""Ingests a folder in forked processes and kills them: `python -m tests.ingest.kill FOLDER SCRATCH COUNT SEED`.

A process of its own, because only one without threads can fork safely. Prints one line of JSON: how many points
an undisturbed run makes, how many runs were killed, after how many of these a part of the points was there, and
after how many the run that followed ended with the very same points.
"""

import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.index import Where
from ingest.index.schema import to_payload
from ingest.library import Library
from ingest.settings import IngestSettings
from tests.cheap_embedder import CheapEmbedder


class _Slow(CheapEmbedder):
    def embed_in_batches(self, texts: list[str]) -> Iterator[tuple[list[int], NDArray[np.float32]]]:
        for batch in super().embed_in_batches(texts):
            time.sleep(0.1)  # so that the moment of killing can fall between any two batches
            yield batch


def _library(home: Path) -> Library:
    library = Library(IngestSettings.load(home=home))
    library.__dict__["embedder"] = _Slow()
    return library


def _ingest(home: Path, folder: Path) -> None:
    with _library(home) as opened:
        for _ in opened.ingest([folder]):
            pass


def _points(home: Path) -> dict[str, Any]:
    with _library(home) as opened:
        return {chunk.id: to_payload(chunk) for chunk, _ in opened.index.scroll(Where())}


def _in_a_fork(home: Path, folder: Path, seconds: float | None) -> bool:
    """Ingests; kills after so many seconds. Whether it was killed before it was done."""
    pid = os.fork()
    if not pid:
        _ingest(home, folder)
        os._exit(0)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)


def _points_in_a_fork(home: Path) -> dict[str, Any]:
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        with os.fdopen(writing, "w") as file:
            json.dump(_points(home), file)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        found: dict[str, Any] = json.load(file)
    os.waitpid(pid, 0)
    return found


def main(folder: Path, scratch: Path, count: int, seed: int) -> None:
    moments = random.Random(seed)
    started = time.monotonic()
    _in_a_fork(scratch / "undisturbed", folder, None)
    duration = time.monotonic() - started
    whole = _points_in_a_fork(scratch / "undisturbed")
    killed, equal, cut_off = 0, 0, 0
    while killed < count:
        home = scratch / f"killed{killed}"
        if not _in_a_fork(home, folder, moments.uniform(0, duration)):
            shutil.rmtree(home)  # it was done before the moment came
            continue
        killed += 1
        cut_off += 0 < len(_points_in_a_fork(home)) < len(whole)
        _in_a_fork(home, folder, None)
        equal += _points_in_a_fork(home) == whole
    print(json.dumps({"points": len(whole), "killed": killed, "cut_off": cut_off, "equal": equal}))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
