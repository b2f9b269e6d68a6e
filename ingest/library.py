"""One open library: catalogue, index and embedder together. Everything that ingests or searches starts here."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Self

from ingest.catalogue import Catalogue, Coverage, catalogue_path
from ingest.chunker import VERSION
from ingest.documents import Chunk, Passage
from ingest.embedder import Embedder
from ingest.errors import FingerprintError, NoIndexError, UsageError
from ingest.events import Event, Removed
from ingest.index import Fingerprint, Index, SparseTerms, Where, drop_index, open_index
from ingest.index.copy import copy_index
from ingest.index.schema import Dense
from ingest.pipeline import Pipeline, remove
from ingest.settings import IngestSettings
from ingest.sources import Source, lies_in, meant_ids
from ingest.terms import query_terms

DEFAULT_COLLECTION = "documents"
_EVERYTHING = Where(collection=DEFAULT_COLLECTION)


class Library:
    """The documents of one TRANSOM_HOME. Opens its parts when they are first needed."""

    def __init__(self, settings: IngestSettings) -> None:
        self.settings = settings

    @cached_property
    def catalogue(self) -> Catalogue:
        """What was ingested, and how it went."""
        catalogue = Catalogue(catalogue_path(self.settings))
        own_rules = self.settings.home / ".transomignore"
        if not own_rules.exists():
            own_rules.write_text("*\n")  # where the home lies in an ingested folder, it is no document
        return catalogue

    @cached_property
    def embedder(self) -> Embedder:
        """The embedder; loading it takes seconds."""
        return Embedder(self.settings.embedding)

    @cached_property
    def index(self) -> Index:
        """The index, made with this embedder and this way of cutting. One that is there is opened without either."""
        try:
            index = open_index(self.settings, None)
        except NoIndexError:
            index = open_index(self.settings, self._fingerprint(self.embedder.dimension))
        try:
            self._fingerprint(index.fingerprint().dimension).check(index.fingerprint())
        except FingerprintError:
            index.close()
            raise
        if not index.count(Where()):
            self.catalogue.forget_indexed()  # whoever emptied it left the catalogue behind: read all again
        return index

    def ingest(
        self,
        paths: Sequence[Path],
        collection: str = DEFAULT_COLLECTION,
        *,
        retry: bool = False,
        ocr: bool = False,
        missing_ok: bool = False,
    ) -> Iterator[Event]:
        """Brings a collection up to date with files and folders; closing the iterator stops it.

        `retry` reads again what failed before; `ocr` also reads scans and pictures. With `missing_ok` a path that
        is gone is forgotten, if it lay in a folder that was ingested before. Else raises :class:`UsageError` for
        it, before anything is touched.
        """
        roots = self.catalogue.roots(collection)
        sources = [Source.of(path, roots, missing_ok) for path in paths]
        pipeline = Pipeline(self.settings, self.catalogue, self.index, lambda: self.embedder, retry=retry, ocr=ocr)
        return pipeline.run(sources, collection)

    def remove(self, paths: Sequence[Path], collection: str) -> Iterator[Removed]:
        """Removes documents: files and folders, as they lie on the disk or as they are shown."""
        yield from self.forget(meant_ids(self.catalogue, collection, paths))

    def forget(self, document_ids: Sequence[str]) -> Iterator[Removed]:
        """Removes documents by their ids; one that is not there is passed over."""
        for document_id in document_ids:
            entry = self.catalogue.get(document_id)
            if entry:
                yield remove(entry, self.catalogue, self.index)

    def remove_collection(self, collection: str) -> None:
        """Removes every document of a collection, and what is known of its folders."""
        self.index.delete(Where(collection=collection))
        for entry in self.catalogue.entries(collection):
            self.catalogue.drop(entry.document_id)
        self.catalogue.forget_folders(collection)

    def coverage(self, collection: str) -> Coverage | None:
        """How much of a collection's folders is read; None if all is, or nobody has counted yet."""
        return self.catalogue.coverage(collection)

    def search(self, query: str, limit: int, where: Where = _EVERYTHING) -> list[Passage]:
        """The best passages for a query; raises :class:`UsageError` for an empty one."""
        if not query.strip():
            raise UsageError("The question is empty.", "Write what you want to know.")
        return self.index.search(*self.vectors(query, where), limit, where)

    def vectors(self, query: str, where: Where = _EVERYTHING) -> tuple[Dense, SparseTerms]:
        """What the index is asked for a query: its meaning, and its words in the languages of the documents."""
        languages = self.catalogue.languages(where.collection)
        return self.embedder.embed_query(query), query_terms(query, languages)

    def count(self, where: Where) -> int:
        """How many chunks `where` means."""
        return self.index.count(where)

    def chunks(self, document_id: str, ordinals: Sequence[int]) -> list[Chunk]:
        """Those chunks of a document that stand at these positions, in order; a missing one is left out."""
        return self.index.chunks(document_id, ordinals)

    def documents(self, where: Where) -> list[str]:
        """The ids of the documents that `where` means, in the order of their names."""
        entries = self.catalogue.entries(where.collection)
        place = where.path_prefix.strip("/")
        wanted = set(where.document_ids)
        return [
            entry.document_id
            for entry in entries
            if entry.chunks and lies_in(entry.uri, [place]) and (not wanted or entry.document_id in wanted)
        ]

    def require(self, collection: str) -> None:
        """Raises :class:`UsageError` where a collection holds no document that could be asked about."""
        known = self.catalogue.collections()
        if not known.get(collection):
            others = ", ".join(name for name, count in known.items() if count)
            raise UsageError(
                f"The collection {collection!r} holds no documents.",
                f"There are: {others}." if others else "Fill it: `transom ingest PATH...`",
            )

    def close(self) -> None:
        """Releases what was opened."""
        for part in ("index", "catalogue"):
            if part in self.__dict__:
                self.__dict__.pop(part).close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _fingerprint(self, dimension: int) -> Fingerprint:
        return Fingerprint(
            embedder=self.settings.embedding.model,
            dimension=dimension,
            chunk_tokens=self.settings.chunking.tokens,
            chunk_overlap=self.settings.chunking.overlap,
            version=VERSION,
        )


def drop_library(settings: IngestSettings) -> None:
    """Removes index and catalogue, whatever state they are in; the documents themselves are not touched."""
    drop_index(settings)
    path = catalogue_path(settings)
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def copy_library(settings: IngestSettings, source: str, collection: str | None) -> Iterator[int]:
    """Copies chunks and catalogue from the home `source` into the home that `settings` name.

    Yields how many chunks are there so far; embeds nothing, and can be run again after an interruption.
    """
    storage = settings.storage.model_copy(update={"home": source})
    old = settings.model_copy(update={"storage": storage})
    if source == settings.storage.home:
        raise UsageError(
            f"An index cannot be copied onto itself: storage.home is {source!r}.",
            "Name the target, as in `TRANSOM_STORAGE__HOME=server transom index copy --from embedded`.",
        )
    with open_index(old, None) as origin, open_index(settings, origin.fingerprint()) as target:
        yield from copy_index(origin, target, Where(collection=collection))
    with Catalogue(catalogue_path(old)) as known, Catalogue(catalogue_path(settings)) as new:
        for entry in known.entries(collection):
            new.put(entry)
