"""The documents of a question set, ingested into a home of their own: measuring touches nobody's collection.

The home lies under TRANSOM_HOME/evaluation and is named after content and settings, so measuring again embeds nothing.
"""

from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

from app.evaluation.questions import QuestionSet, Text
from ingest.catalogue import Entry
from ingest.chunker import VERSION, Chunker
from ingest.documents import Document, Page, document_id
from ingest.events import Event
from ingest.library import DEFAULT_COLLECTION, Library
from ingest.meter import Meter
from ingest.preparing import Prepared
from ingest.settings import IngestSettings, StorageSettings
from ingest.writer import Writer


def open_corpus(questions: QuestionSet, settings: IngestSettings, base: Path) -> Library:
    """The library for a question set, in a home below `base`; :func:`fill` fills it."""
    home = base / f"{questions.name}-{_key(questions, settings)}"
    home.mkdir(parents=True, exist_ok=True)
    return Library(settings.model_copy(update={"home": home, "storage": StorageSettings()}))


def fill(library: Library, questions: QuestionSet) -> Iterator[Event]:
    """Ingests what is not there yet; the last event is Finished. Interrupted, it goes on the next time."""
    if questions.documents:
        return library.ingest([questions.documents], DEFAULT_COLLECTION)
    return _ingest_texts(library, list(questions.texts()))


def _key(questions: QuestionSet, settings: IngestSettings) -> str:
    made_by = (settings.embedding, settings.chunking, VERSION)
    name = blake2b(repr(made_by).encode(), digest_size=6)
    if questions.documents:
        name.update(str(questions.documents).encode())  # what is in it, ingest looks after
    else:
        name.update((questions.folder / "corpus.jsonl").read_bytes())
    return name.hexdigest()


def _ingest_texts(library: Library, texts: list[Text]) -> Iterator[Event]:
    meter = Meter()
    meter.total = (len(texts), sum(len(text.text) for text in texts))
    for event in _store(library, texts, meter):
        if event is not None:
            meter.take(event)
            yield event
        if report := meter.due():
            yield report
    library.index.flush()
    yield meter.finished()


def _store(library: Library, texts: list[Text], meter: Meter) -> Iterator[Event | None]:
    writer = Writer(library.catalogue, library.index, lambda: library.embedder, meter)
    chunker: Chunker | None = None
    for text in texts:
        entry = _entry(text)
        known = library.catalogue.get(entry.document_id)
        if known and known.state == "indexed":
            meter.done(entry.size)
            continue
        cut = library.settings.chunking
        chunker = chunker or Chunker(library.embedder.tokenizer, cut.tokens, cut.overlap)
        document = _document(text, entry)
        chunks = tuple(chunker.cut(document, DEFAULT_COLLECTION))
        yield from writer.add(entry, Prepared(text.title, document.media_type, 0, chunks))
    yield from writer.flush()


def _entry(text: Text) -> Entry:
    content = blake2b(f"{text.title}\0{text.text}".encode(), digest_size=32).hexdigest()
    identity = document_id(DEFAULT_COLLECTION, "", text.uri)
    return Entry(identity, DEFAULT_COLLECTION, "", text.uri, len(text.text), 0, content, "indexing")


def _document(text: Text, entry: Entry) -> Document:
    pages = (Page(1, text.text),)
    return Document(entry.document_id, text.uri, text.title, "text/plain", entry.sha256, pages)
