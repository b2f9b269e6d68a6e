"""scan -> read -> chunk -> embed -> upsert -> prune, as one stream of events.

Files are read ahead in worker processes while earlier ones are embedded; chunks of many files are embedded
together. Whatever ends a run, the next one goes on where it stopped.
"""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ingest.catalogue import Catalogue, Entry
from ingest.chunker import Chunker
from ingest.documents import Chunk, Document, document_id
from ingest.embedder import Embedder
from ingest.errors import ReadError, UsageError
from ingest.events import Event, Failed, Finished, Indexed, Removed, Skipped, Unchanged
from ingest.index import Index, Where
from ingest.readers import Extracted
from ingest.sandbox import Reading, Sandbox
from ingest.scan import File, Ignored, hash_file, scan
from ingest.settings import IngestSettings

_BATCH = 256
"""Chunks embedded together; the embedder sorts them by length across files."""
_READ_AHEAD = 2
"""Files read ahead for each worker."""


@dataclass(slots=True)
class _Counts:
    files: int = 0
    indexed: int = 0
    unchanged: int = 0
    removed: int = 0
    failed: int = 0
    read: int = 0
    chunks: int = 0
    embedded: int = 0

    def add(self, event: Event) -> None:
        """Counts one event."""
        match event:
            case Indexed():
                self.indexed += 1
                self.chunks += event.chunks
            case Unchanged():
                self.unchanged += 1
            case Removed():
                self.removed += 1
            case Failed():
                self.failed += 1
        if isinstance(event, Indexed | Unchanged | Failed):
            self.files += 1


@dataclass(frozen=True, slots=True)
class Source:
    """What one PATH on the command line stands for: a folder, or a file or folder below a known one."""

    root: Path
    below: Path

    @classmethod
    def of(cls, path: Path, known_roots: Sequence[str]) -> "Source":
        """Documents keep their names: a path below a folder that was ingested before belongs to that folder."""
        path = path.expanduser().absolute()
        if not path.exists():
            raise UsageError(f"There is no file or folder {path}.", "Check the spelling of the path.")
        path = path.resolve()
        for root in map(Path, known_roots):
            if path.is_relative_to(root):
                return cls(root, path)
        return cls(path if path.is_dir() else path.parent, path)

    def covers(self, entry: Entry) -> bool:
        """Whether a catalogue entry of this root lies within the part that is swept."""
        if self.below == self.root:
            return True
        uri = self.below.relative_to(self.root).as_posix()
        return entry.uri == uri or entry.uri.startswith(uri + "/")


class Pipeline:
    """Brings an index and its catalogue up to date with folders of documents."""

    def __init__(self, settings: IngestSettings, catalogue: Catalogue, index: Index, embedder: Embedder) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._index = index
        self._chunker = Chunker(embedder.tokenizer, settings.chunking.tokens, settings.chunking.overlap)
        self._writer = _Writer(catalogue, index, embedder)
        self._read = 0

    def run(self, paths: Sequence[Path], collection: str) -> Iterator[Event]:
        """Ingests files and folders into a collection; the last event is always :class:`Finished`.

        Raises :class:`UsageError` for a path that does not exist, before anything is touched.
        """
        started = time.monotonic()
        roots = self._catalogue.roots(collection)
        sources = [Source.of(path, roots) for path in paths]
        counts = _Counts()
        with Sandbox(self._settings.reading) as sandbox:
            for source in sources:
                for event in self._sweep(source, collection, sandbox):
                    counts.add(event)
                    yield event
        if counts.chunks or counts.removed:
            self._index.flush()
            self._index.optimize()
        counts.read = self._read
        yield Finished(**asdict(counts), seconds=round(time.monotonic() - started, 3))

    def _sweep(self, source: Source, collection: str, sandbox: Sandbox) -> Iterator[Event]:
        self._catalogue.start_sweep()
        reading: deque[tuple[Entry, Path, Reading]] = deque()
        limit = _READ_AHEAD * self._settings.reading.workers
        for found in scan(source.root, source.below):
            if isinstance(found, Ignored):
                yield Skipped(found.uri, found.reason)
                continue
            entry = self._examine(found, source.root, collection)
            if isinstance(entry, Unchanged | Failed):
                yield entry
                continue
            reading.append((entry, found.path, sandbox.submit(found.path)))
            if len(reading) >= limit:
                yield from self._store(*reading.popleft())
        while reading:
            yield from self._store(*reading.popleft())
        yield from self._writer.flush()
        yield from self._prune(source, collection)

    def _examine(self, file: File, root: Path, collection: str) -> Entry | Unchanged | Failed:
        """What to do with a file: a new `indexing` entry to be read, or the outcome that still stands."""
        identity = document_id(collection, str(root), file.uri)
        self._catalogue.mark_seen(identity)
        known = self._catalogue.get(identity)
        settled = known is not None and known.state != "indexing"
        if known and settled and (known.size, known.mtime_ns) == (file.size, file.mtime_ns):
            return _outcome(known)
        self._read += 1
        try:
            sha256 = hash_file(file.path)
        except OSError as error:
            return self._fail(_new_entry(identity, collection, root, file, ""), _unreadable(error))
        if known and settled and known.sha256 == sha256:
            self._catalogue.change(known, size=file.size, mtime_ns=file.mtime_ns)
            return _outcome(known)
        return _new_entry(identity, collection, root, file, sha256)

    def _store(self, entry: Entry, path: Path, future: Reading) -> Iterator[Event]:
        try:
            document = _document(entry, future.result())
        except ReadError as error:
            yield self._fail(entry, error)
            return
        yield from self._writer.add(entry, document, self._chunker.cut(document, entry.collection))

    def _fail(self, entry: Entry, error: ReadError) -> Failed:
        if self._catalogue.get(entry.document_id):
            self._index.delete(Where(document_ids=(entry.document_id,)))
        self._catalogue.change(entry, state="failed", reason=error.message, hint=error.hint)
        return Failed(entry.uri, error.message, error.hint)

    def _prune(self, source: Source, collection: str) -> Iterator[Removed]:
        """Removes what the sweep did not find, and what an older, deeper root held of the same files."""
        inner = [
            root
            for root in self._catalogue.roots(collection)
            if Path(root) != source.root and Path(root).is_relative_to(source.below)
        ]
        for root in (str(source.root), *inner):
            for entry in self._catalogue.unseen(collection, root):
                if root in inner or source.covers(entry):
                    yield self._remove(entry)

    def _remove(self, entry: Entry) -> Removed:
        self._index.delete(Where(document_ids=(entry.document_id,)))
        self._catalogue.drop(entry.document_id)
        return Removed(entry.uri)


class _Writer:
    """Embeds the chunks of many documents together and stores them batch by batch."""

    def __init__(self, catalogue: Catalogue, index: Index, embedder: Embedder) -> None:
        self._catalogue = catalogue
        self._index = index
        self._embedder = embedder
        self._chunks: list[Chunk] = []
        self._complete: list[Entry] = []

    def add(self, entry: Entry, document: Document, chunks: Iterator[Chunk]) -> Iterator[Indexed]:
        """Takes a document in; yields the documents whose last chunk was stored meanwhile."""
        if self._catalogue.get(entry.document_id):
            self._index.delete(Where(document_ids=(entry.document_id,)))
        self._catalogue.put(entry)
        count = 0
        for chunk in chunks:
            self._chunks.append(chunk)
            count += 1
            if len(self._chunks) >= _BATCH:
                yield from self.flush()
        self._complete.append(_indexed(entry, document, count))

    def flush(self) -> Iterator[Indexed]:
        """Stores what is waiting."""
        if self._chunks:
            vectors = self._embedder.embed_chunks(self._chunks)
            self._index.upsert(list(zip(self._chunks, vectors, strict=True)))
        for entry in self._complete:
            self._catalogue.put(entry)
            yield Indexed(entry.uri, entry.pages, entry.chunks)
        self._chunks, self._complete = [], []


def _outcome(entry: Entry) -> Unchanged | Failed:
    if entry.state == "failed":
        return Failed(entry.uri, entry.reason, entry.hint)
    return Unchanged(entry.uri)


def _new_entry(identity: str, collection: str, root: Path, file: File, sha256: str) -> Entry:
    return Entry(
        document_id=identity,
        collection=collection,
        root=str(root),
        uri=file.uri,
        size=file.size,
        mtime_ns=file.mtime_ns,
        sha256=sha256,
        state="indexing",
    )


def _indexed(entry: Entry, document: Document, chunks: int) -> Entry:
    return replace(
        entry,
        state="indexed",
        title=document.title,
        media_type=document.media_type,
        pages=len(document.pages) if document.paged else 0,
        chunks=chunks,
    )


def _document(entry: Entry, extracted: Extracted) -> Document:
    return Document(
        id=entry.document_id,
        uri=entry.uri,
        title=extracted.title,
        media_type=extracted.media_type,
        sha256=entry.sha256,
        pages=extracted.pages,
        headings=extracted.headings,
        paged=extracted.paged,
    )


def _unreadable(error: OSError) -> ReadError:
    return ReadError(
        f"The file cannot be opened: {error.strerror or error}", "Check who may read it, then ingest again."
    )
