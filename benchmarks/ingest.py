"""How near does ingest come to the speed of its embedder? `python -m benchmarks.ingest --data DIR [--limit N] [--json]`

Takes the files of DIR (of DIR/docs, if there is such a folder; with --limit the first N), and measures in turn:

- default: `Library.ingest` into an empty home, in the way that was found fastest on this machine;
- bare: `SentenceTransformer.encode`, batch 32, as the library comes, on the very texts that ingest embeds;
- same: `Library.ingest` as before, but computing as the library does (`embedding.backend` is `fp32`);
- bare again: the ratios are to the mean of the two.

Loading the model and finding the fastest way are reported, but in no run's time; nor is cutting for the bare runs.
Pages are PDF pages, slides and sheets. The last line is JSON; of `default`: `mb_per_s` of files, `pages_per_s`,
and `peak_mb`, the most that this process and its readers together held while ingesting (resident, shared pages
counted in each; the texts for the bare runs are part of it).
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # run as a file, benchmarks/ingest.py would hide the package ingest

from benchmarks.messy import Peak
from ingest.context import in_context
from ingest.embedder import WORTH_MEASURING, Embedder, packaged_folder
from ingest.errors import ReadError
from ingest.events import Finished, Indexed
from ingest.library import Library
from ingest.preparing import Preparer, Unread
from ingest.scan import File, scan
from ingest.settings import IngestSettings

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_MB = 1 << 20


class Bare:
    """The library as it comes, on all cores."""

    def __init__(self) -> None:
        """To be made before an :class:`Embedder`, which takes torch's threads into its own hands."""
        import torch

        self._cores = torch.get_num_threads()
        self._model: SentenceTransformer | None = None

    def load(self) -> None:
        """Loads the model."""
        from sentence_transformers import SentenceTransformer

        self._model = SentenceTransformer(str(packaged_folder()))

    def seconds(self, texts: list[str]) -> float:
        """How long `encode` takes."""
        import torch

        assert self._model is not None
        torch.set_num_threads(self._cores)
        torch.set_float32_matmul_precision("highest")
        started = time.perf_counter()
        self._model.encode(texts, batch_size=32, show_progress_bar=False)
        seconds = time.perf_counter() - started
        torch.set_num_threads(1)
        return seconds


@dataclass(frozen=True, slots=True)
class Run:
    """One ingest."""

    seconds: float
    pages: int
    finished: Finished
    peak_mb: int


def ingest(folder: Path, embedder: Embedder) -> Run:
    """Ingests a folder into a new home."""
    with tempfile.TemporaryDirectory() as home, Library(IngestSettings.load(home=Path(home))) as library:
        library.__dict__["embedder"] = embedder  # loaded already
        with Peak() as peak:
            started = time.perf_counter()
            events = list(library.ingest([folder]))
            seconds = time.perf_counter() - started
    finished = events[-1]
    assert isinstance(finished, Finished)
    pages = sum(event.pages for event in events if isinstance(event, Indexed))
    return Run(seconds, pages, finished, peak.together)


def texts_of(files: list[File], embedder: Embedder, settings: IngestSettings) -> list[str]:
    """The texts that ingest embeds, each once."""
    cut = settings.chunking
    prepare = Preparer(embedder.tokenizer.to_str(), cut.tokens, cut.overlap, settings.reading.max_text_mb)
    texts: dict[str, None] = {}
    for file in files:
        try:
            chunks = prepare(Unread(file.path, file.uri, "documents", file.uri, "")).chunks
        except ReadError:
            continue
        texts |= dict.fromkeys(map(in_context, chunks))
    return list(texts)


def measure(folder: Path) -> dict[str, Any]:
    """All runs over one folder."""
    settings = IngestSettings.load()
    bare = Bare()
    started = time.perf_counter()
    default = Embedder(settings.embedding)
    loading = time.perf_counter() - started
    files = [found for found in scan(folder) if isinstance(found, File)]
    texts = texts_of(files, default, settings)
    default.embed_documents(texts[:WORTH_MEASURING])  # finds the fastest way
    default_run = ingest(folder, default)
    bare.load()
    same = Embedder(settings.embedding.model_copy(update={"backend": "fp32"}))
    before = bare.seconds(texts)
    runs = {"same_backend": ingest(folder, same), "default": default_run}
    after = bare.seconds(texts)
    for run in runs.values():
        assert run.finished.embedded == len(texts), "ingest embedded other texts than the bare runs"
    return {
        **{f"ratio_{name}": round(run.seconds * 2 / (before + after), 3) for name, run in runs.items()},
        **_of_default(runs["default"], sum(file.size for file in files) / _MB),
        "texts": len(texts),
        "backend": default.calibration.backend if default.calibration else settings.embedding.backend,
        "bare_seconds": [round(before, 2), round(after, 2)],
        "seconds": {name: round(run.seconds, 2) for name, run in runs.items()},
        "load_seconds": round(loading, 2),
        "calibration_seconds": default.calibration.seconds if default.calibration else 0.0,
    }


def _of_default(run: Run, size: float) -> dict[str, Any]:
    return {
        "mb_per_s": round(size / run.seconds, 3),
        "pages_per_s": round(run.pages / run.seconds, 1),
        "peak_mb": run.peak_mb,
        "files": run.finished.indexed,
        "mb": round(size, 2),
        "pages": run.pages,
        "chunks": run.finished.chunks,
    }


def first_files(folder: Path, limit: int | None, scratch: Path) -> Path:
    """The folder, or a copy with its first files."""
    if limit is None:
        return folder
    for file in sorted(path for path in folder.iterdir() if path.is_file())[:limit]:
        shutil.copy2(file, scratch)
    return scratch


def main() -> None:
    """Measures, and prints."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--limit", type=int, help="only so many files")
    options.add_argument("--json", action="store_true", help="only the last line")
    arguments = options.parse_args()
    docs = arguments.data / "docs"
    with tempfile.TemporaryDirectory() as scratch:
        folder = docs if docs.is_dir() else arguments.data
        result = measure(first_files(folder, arguments.limit, Path(scratch)))
    if not arguments.json:
        for name, value in result.items():
            print(f"{name:20} {value}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
