"""Can a folder hurt? `python -m benchmarks.messy --data DIR [--seconds 20] [--memory-mb 1024] [--json]`

Ingests a copy of a folder, with monsters planted in it, into an empty home: a zip bomb, a line of 200 MB, a pipe,
links in a circle, and a PDF on which a (simulated) reader hangs. Prints how often each reason was given and the last
line as JSON: `crashes` are readers that ended themselves (a matter of their file alone; a crash of the run would be
the benchmark's own), `hangs` files that took more than a tenth longer than their limit, `unaccounted` entries of the
folder that no event tells of, `peak_mb` the most that all processes held together (resident).
"""

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch
from zipfile import ZIP_DEFLATED, ZipFile

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))  # run as a file, benchmarks/ingest.py would hide the package ingest

from benchmarks import hanging_reader
from ingest import sandbox
from ingest.events import Event, Failed, Indexed, Skipped
from ingest.library import Library
from ingest.preparing import Preparer
from ingest.settings import IngestSettings, ReadingSettings

MB = 1 << 20
_KEPT_WAITING = 1.1
_STARTING = 3.0
"""Seconds that a fresh worker process may take until its file's time begins, on a busy machine."""


def plant(folder: Path) -> None:
    """Puts the monsters into a folder."""
    folder.mkdir()
    with ZipFile(folder / "bomb.docx", "w", ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("word/document.xml", "w") as part:
            for _ in range(1024):
                part.write(b" " * MB)
    with (folder / "line.txt").open("wb") as file:
        for _ in range(200):
            file.write(b"word " * (MB // 5))
    os.mkfifo(folder / "pipe")
    (folder / "there").symlink_to("back")
    (folder / "back").symlink_to("there")
    (folder / "around").symlink_to(".", target_is_directory=True)
    (folder / hanging_reader.HANGS).write_bytes(b"%PDF-1.7\n")


class Peak:
    """The most memory that this process and its workers held at once."""

    def __init__(self) -> None:
        self.parent = self.worker = self.together = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "Peak":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        me = psutil.Process()
        while not self._done.wait(0.05):
            workers = [_resident(child) for child in me.children(recursive=True)]
            own = _resident(me)
            self.parent = max(self.parent, own)
            self.worker = max(self.worker, *workers, 0)
            self.together = max(self.together, own + sum(workers))


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss) // MB
    except psutil.NoSuchProcess:
        return 0


@contextmanager
def timed_readers() -> Iterator[dict[str, float]]:
    """Seconds that each file kept its worker, with the reader that hangs in the place of the real one."""
    seconds: dict[str, float] = {}
    do = sandbox._Worker.do

    def timed(worker: sandbox._Worker, item: Any) -> Any:
        started = time.monotonic()
        try:
            return do(worker, item)
        finally:
            seconds[item.uri] = time.monotonic() - started

    preparer = partial(Preparer, reader=hanging_reader.read)
    with patch.object(sandbox._Worker, "do", timed), patch("ingest.pipeline.Preparer", preparer):
        yield seconds


def unaccounted(folder: Path, told: set[str]) -> list[str]:
    """The entries of a folder that no event names, nor a folder they lie in."""
    missing = []
    for place, folders, files in os.walk(folder):
        links = [name for name in folders if Path(place, name).is_symlink()]
        for name in (*files, *links):
            path = Path(place, name).relative_to(folder)
            if not any(_shown(part) in told for part in (path, *path.parents)):
                missing.append(_shown(path))
    return missing


def _shown(path: Path) -> str:
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def general(reason: str) -> str:
    """A reason without what is special to one file."""
    return re.sub(r"\d[\d.,]*", "N", reason.partition(": ")[0])


def reasons(events: list[Event]) -> Counter[str]:
    """How often each outcome was told."""
    found: Counter[str] = Counter()
    for event in events:
        match event:
            case Failed() | Skipped():
                found[f"{type(event).__name__.lower()}: {general(event.reason)}"] += 1
            case Indexed():
                found["indexed"] += 1
    return found


def measure(data: Path, limits: ReadingSettings) -> dict[str, Any]:
    """Ingests a copy of `data` with the monsters in it."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "folder")
        shutil.copytree(data, folder, symlinks=True)
        plant(folder / "monsters")
        settings = IngestSettings(home=Path(scratch, "home"), reading=limits)
        started = time.monotonic()
        with Peak() as peak, timed_readers() as seconds, Library(settings) as library:
            events = list(library.ingest([folder]))
        elapsed = time.monotonic() - started
        outcomes = [event for event in events if isinstance(event, Indexed | Failed | Skipped)]
        missing = unaccounted(folder, {event.document for event in outcomes})
    kinds = Counter(type(event).__name__.lower() for event in outcomes)
    slowest = max(seconds, key=lambda uri: seconds[uri])
    return {
        "files": len(outcomes),
        "indexed": kinds["indexed"],
        "failed": kinds["failed"],
        "skipped": kinds["skipped"],
        "crashes": sum(isinstance(event, Failed) and "crashed" in event.reason for event in outcomes),
        "hangs": sum(took > limits.seconds * _KEPT_WAITING + _STARTING for took in seconds.values()),
        "unaccounted": len(missing),
        "seconds": round(elapsed, 1),
        "slowest": [slowest, round(seconds[slowest], 1)],
        "peak_mb": peak.together,
        "peak_parent_mb": peak.parent,
        "peak_worker_mb": peak.worker,
        "reasons": dict(reasons(events).most_common()),
    }


def main() -> None:
    """Measures, and prints."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--seconds", type=float, default=20)
    options.add_argument("--memory-mb", type=int, default=1024)
    options.add_argument("--json", action="store_true", help="only the last line")
    arguments = options.parse_args()
    limits = ReadingSettings(seconds=arguments.seconds, memory_mb=arguments.memory_mb)
    result = measure(arguments.data, limits)
    if not arguments.json:
        for reason, count in result["reasons"].items():
            print(f"{count:5}  {reason}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
