"""scan -> read -> cut -> embed -> upsert -> prune, as one stream of events.

Files are read and cut ahead in worker processes (:mod:`.intake`) while earlier ones are embedded and stored
(:mod:`.writer`). Whatever ends a run, the next one goes on where it stopped.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ingest.catalogue import Catalogue, Entry
from ingest.documents import document_id
from ingest.embedder import Embedder
from ingest.errors import ReadError, TransomError
from ingest.events import Event, Failed, Removed, Skipped, Unchanged
from ingest.index import Index, Where
from ingest.intake import Intake, Reading, outcome
from ingest.meter import Meter
from ingest.preparing import Preparer
from ingest.scan import KEPT, File, FolderGoneError, Ignored, Unreadable, count, disk_of, hash_file, scan
from ingest.settings import IngestSettings
from ingest.sources import Source, lies_in
from ingest.writer import Writer

_ATTEMPTS = 3
"""How often a file is read that changes meanwhile."""
_MB = 1 << 20

_CHANGING = ReadError("The file kept changing while it was read.", "Ingest again when it is at rest.")


class Pipeline:
    """Brings an index and its catalogue up to date with folders of documents: one object for one run."""

    def __init__(  # noqa: PLR0913 - its parts, and what is wanted
        self,
        settings: IngestSettings,
        catalogue: Catalogue,
        index: Index,
        embedder: Callable[[], Embedder],
        *,
        retry: bool = False,
        ocr: bool = False,
    ) -> None:
        """The embedder is called for when there is something to embed. `ocr` tries again what failed, as `retry`."""
        self._settings = settings
        self._catalogue = catalogue
        self._index = index
        self._embedder = embedder
        self._retry = retry or ocr
        self._ocr = ocr
        self._meter = Meter()
        self._writer = Writer(catalogue, index, embedder, self._meter)

    def run(self, sources: Sequence[Source], collection: str) -> Iterator[Event]:
        """Ingests folders, or parts of them, into a collection; the last event is always :class:`Finished`.

        Raises :class:`~ingest.scan.FolderGoneError` where a folder goes away meanwhile; nothing is removed then.
        """
        self._counting = threading.Thread(target=self._count, args=(sources, collection), daemon=True)
        self._counting.start()
        for event in self._work(sources, collection):
            if event is not None:
                self._meter.take(event)
                yield event
            if report := self._meter.due():
                yield report
        yield self._meter.finished()

    def _count(self, sources: Sequence[Source], collection: str) -> None:
        """Counts the folders beside the run, so that it can begin at once."""
        with suppress(TransomError):  # the run itself meets the same folder, and tells
            counts = [count(source.root, source.below) for source in sources]
            self._meter.total = (sum(files for files, _ in counts), sum(size for _, size in counts))
            for source, (files, _) in zip(sources, counts, strict=True):
                if source.whole:
                    self._catalogue.expect(collection, str(source.root), disk_of(source.root), files)

    def _work(self, sources: Sequence[Source], collection: str) -> Iterator[Event | None]:
        """The events of a run; None stands for work done that none of them tells of."""
        with Intake(self._settings.reading, self._preparer) as intake:
            for source in sources:
                yield from self._sweep(source, collection, intake)
        self._index.flush()

    def _preparer(self) -> Preparer:
        cut, reading = self._settings.chunking, self._settings.reading
        tokenizer = self._embedder().tokenizer.to_str()
        return Preparer(tokenizer, cut.tokens, cut.overlap, reading.max_text_mb, self._ocr)

    def _sweep(self, source: Source, collection: str, intake: Intake) -> Iterator[Event | None]:
        self._catalogue.start_sweep()
        disk = self._disk(source, collection)
        unseen_places: list[str] = []
        for found in scan(source.root, source.below):
            match found:
                case File():
                    yield self._examine(found, source.root, collection, intake)
                case Ignored():
                    yield Skipped(found.uri, found.reason)
                case Unreadable():
                    unseen_places.append(found.uri)
                    yield Skipped(found.uri, found.reason, on_purpose=False)
            while intake.full:
                yield from self._store(intake)
        while intake.busy:
            yield from self._store(intake)
        yield from self._writer.flush()
        if disk_of(source.root) != disk:
            raise FolderGoneError(f"The disk of {source.root} was taken away meanwhile.", KEPT)
        yield from self._prune(source, collection, unseen_places)
        if source.whole:
            self._counting.join()
            self._catalogue.end_sweep(collection, str(source.root))

    def _disk(self, source: Source, collection: str) -> int:
        """The disk the folder is on. An empty folder on another disk than before is a mount point without its disk."""
        disk = disk_of(source.root)
        before = self._catalogue.disk(collection, str(source.root))
        if before not in (None, disk) and not any(source.root.iterdir()):
            raise FolderGoneError(f"{source.root} is empty: its disk was taken away.", KEPT)
        return disk

    def _examine(self, file: File, root: Path, collection: str, intake: Intake) -> Unchanged | Failed | None:
        """How a file went before, if it is as it was; else begins to read it."""
        entry = _new_entry(file, root, collection)
        self._catalogue.mark_seen(entry.document_id)
        known = self._catalogue.get(entry.document_id)
        if known and (known.state == "indexing" or (known.state == "failed" and self._retry)):
            known = None  # it is to be read, whatever it looks like
        if known and (known.size, known.mtime_ns) == (entry.size, entry.mtime_ns):
            return self._as_before(known)
        return self._begin(entry, file.path, intake, known)

    def _begin(
        self, entry: Entry, path: Path, intake: Intake, known: Entry | None = None, attempt: int = 1
    ) -> Unchanged | Failed | None:
        """Begins to read a file, unless its content turns out to be the known one."""
        self._meter.read += 1
        self._meter.current = entry.uri
        try:
            self._check_size(entry)
            entry = replace(entry, sha256=hash_file(path))
        except FileNotFoundError:
            self._catalogue.unmark_seen(entry.document_id)
            return None
        except OSError as error:
            return self._fail(entry, _unreadable(error))
        except ReadError as error:
            return self._fail(entry, error)
        if known and known.sha256 == entry.sha256:
            self._catalogue.change(known, size=entry.size, mtime_ns=entry.mtime_ns)
            return self._as_before(known)
        intake.begin(entry, path, attempt)
        return None

    def _store(self, intake: Intake) -> Iterator[Event | None]:
        """Takes what has been read; while nothing has, stores what is waiting."""
        ready = False
        for reading in intake.ready():
            ready = True
            yield from self._take(reading, intake)
        if not ready:
            self._meter.current = intake.slowest() or self._meter.current
            yield from self._writer.flush()
            yield None

    def _take(self, reading: Reading, intake: Intake) -> Iterator[Event | None]:
        entry, path = reading.entry, reading.path
        try:
            status = path.stat()
        except OSError:  # it went away: if for good, it is pruned
            self._catalogue.unmark_seen(entry.document_id)
            return
        result = outcome(reading)
        if (status.st_size, status.st_mtime_ns) != (entry.size, entry.mtime_ns):
            if reading.attempt < _ATTEMPTS:
                changed = replace(entry, size=status.st_size, mtime_ns=status.st_mtime_ns)
                yield self._begin(changed, path, intake, attempt=reading.attempt + 1)
                return
            result = _CHANGING
        if isinstance(result, ReadError):
            yield self._fail(entry, result)
        else:
            self._meter.current = entry.uri
            yield from self._writer.add(entry, result)

    def _check_size(self, entry: Entry) -> None:
        limit = self._settings.reading.max_file_mb
        if entry.size > limit * _MB:
            raise ReadError(
                f"The file has {entry.size // _MB} MB; the limit is {limit} MB.",
                "Raise reading.max_file_mb in the settings if the file is worth it.",
            )

    def _as_before(self, known: Entry) -> Unchanged | Failed:
        self._meter.done(known.size)
        if known.state == "failed":
            return Failed(known.uri, known.reason, known.hint)
        return Unchanged(known.uri)

    def _fail(self, entry: Entry, error: ReadError) -> Failed:
        disk_of(Path(entry.root))  # if all is gone, it is not this file that is bad
        self._meter.done(entry.size)
        if self._catalogue.get(entry.document_id):
            self._index.delete(Where(document_ids=(entry.document_id,)))
        self._catalogue.change(entry, state="failed", reason=error.message, hint=error.hint)
        return Failed(entry.uri, error.message, error.hint)

    def _prune(self, source: Source, collection: str, unseen_places: Sequence[str]) -> Iterator[Removed]:
        """Removes what the sweep did not find, and what an older, deeper root held of the same files.

        What lies in places that could not be looked at stays.
        """
        for root in _roots_within(source, self._catalogue.roots(collection)):
            for entry in self._catalogue.unseen(collection, root):
                if root != str(source.root) or (source.covers(entry.uri) and not lies_in(entry.uri, unseen_places)):
                    yield remove(entry, self._catalogue, self._index)
            if root != str(source.root):
                self._catalogue.forget_folder(collection, root)


def remove(entry: Entry, catalogue: Catalogue, index: Index) -> Removed:
    """Removes a document from the index, then from the catalogue: if this is interrupted it can be done again."""
    index.delete(Where(document_ids=(entry.document_id,)))
    catalogue.drop(entry.document_id)
    return Removed(entry.uri)


def _roots_within(source: Source, roots: Sequence[str]) -> Iterator[str]:
    yield str(source.root)
    for root in roots:
        if Path(root) != source.root and Path(root).is_relative_to(source.below):
            yield root


def _new_entry(file: File, root: Path, collection: str) -> Entry:
    return Entry(
        document_id=document_id(collection, str(root), file.uri),
        collection=collection,
        root=str(root),
        uri=file.uri,
        size=file.size,
        mtime_ns=file.mtime_ns,
        sha256="",
        state="indexing",
    )


def _unreadable(error: OSError) -> ReadError:
    return ReadError(
        f"The file cannot be opened: {error.strerror or error}", "Check who may read it, then ingest again."
    )
