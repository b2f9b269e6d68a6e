"""One running Transom: library, model and orchestrator, put together from the settings."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Self

from app.ahead.progress import Progress
from app.ahead.reader import Reader
from app.ahead.uses import note_uses
from app.ahead.walking import read_collection
from app.answers import AS_SET, Event, Finished, Reading, Wish
from app.conversation import Conversation
from app.conversations import Conversations
from app.llm.dialogue import Dialogue
from app.llm.engine import Engine
from app.llm.identity import window_key
from app.llm.passages import Keeping, PassageStates
from app.llm.runtime import LlamaRuntime
from app.llm.sampling import Sampling
from app.llm.saved import SavedWindows
from app.llm.speeds import keep_speed, load_speed
from app.meter import Meter, measured
from app.models.resolve import ResolvedModel, resolve
from app.models.setup import bytes_per_token, set_up
from app.orchestrator import Orchestrator
from app.pins import Pins
from app.prompting import prompt
from app.reranking import reranker
from app.retriever import Retriever
from app.settings import Settings
from app.talk import Talk
from app.trace import Tracer, kept_traces
from app.widening import pinned
from ingest.errors import TransomError
from ingest.index import Where
from ingest.library import Library

_GB = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Assistant:
    """Everything that answering needs; close it when done, and the library after it."""

    settings: Settings
    model: ResolvedModel
    library: Library
    engine: Engine
    orchestrator: Orchestrator
    key: str = ""
    """Of the model in its context: what saved windows and measured speeds belong to."""

    @classmethod
    def open(cls, settings: Settings, library: Library) -> Self:
        """Loads the model, which takes seconds, to answer from `library`. Never fetches anything.

        Raises :class:`~app.errors.ModelError` where there is no model that can be loaded.
        """
        model = resolve(settings.model.name, settings.models_folder, fetch=False)
        setup = set_up(model, settings)
        runtime = LlamaRuntime(model.path, setup.context, *setup.smaller)
        model = replace(model, notice=" ".join(filter(None, (model.notice, setup.told(runtime.context)))))
        key = window_key(model.path, runtime.context)
        saved = SavedWindows(settings.home / "windows", key, int(settings.window.saved_gb * _GB))
        states = _states(runtime, settings, key, model.path)
        engine = Engine(runtime, saved, load_speed(settings.home, key), states)
        orchestrator = Orchestrator(
            Retriever(library, reranker(settings, engine)).search,
            engine,
            settings.answering,
            sampling_for(model, settings),
            partial(share_read, library),
            library,
        )
        return cls(settings, model, library, engine, orchestrator, key)

    @property
    def notice(self) -> str:
        """What a person should know about the model; empty if nothing."""
        trouble = self.engine.trouble
        return " ".join(filter(None, (self.model.notice, f"{trouble.message} {trouble.hint}" if trouble else "")))

    def begin(self, where: Where) -> Conversation:
        """A new conversation, with what is pinned in its window."""
        ids = Pins(self.settings.home).of(where.collection or "")
        meant = set(self.library.documents(where)) if ids else set()
        return self.orchestrator.begin(where, pinned([each for each in ids if each in meant], self.library))

    def require(self, collection: str) -> None:
        """Raises :class:`~ingest.errors.UsageError` where a collection holds nothing that could be asked about."""
        self.library.require(collection)

    def answer(self, question: str, conversation: Conversation, wish: Wish = AS_SET) -> Iterator[Event]:
        """The answer to a question of a conversation; a record of how it came about is kept."""
        tracer = Tracer(question)
        for event in self.orchestrator.stream(question, conversation, wish):
            if trace := tracer.take(event):
                with suppress(TransomError):  # the answer is worth more than its record
                    kept_traces(self.settings.home).put(trace.answer.trace, trace)
            if isinstance(event, Finished):
                shown = event.answer.passages.values()
                note_uses(self.settings.home, (passage.chunk.document_id for passage in shown))
            yield event

    def stream(self, question: str, where: Where, wish: Wish = AS_SET, named: str = "") -> Iterator[Event]:
        """The answer to a single question, or to one in the conversation that is kept under a name.

        Raises :class:`~ingest.errors.UsageError` where that is about other documents.
        """
        if not named:
            yield from self.answer(question, self.begin(where), wish)
            return
        talk = self.talk(named, where)
        talk.require(where)
        yield from talk.answer(talk.add(question), wish)

    def talk(self, named: str, where: Where) -> Talk:
        """The conversation that is kept under a name; a new one about `where`, if there is none."""
        return Talk(named, where, self, Conversations(self.settings.home))

    @property
    def reader(self) -> Reader:
        """Reads passages ahead."""
        return Reader(self.library, self.engine, self.settings)

    @property
    def window_key(self) -> str:
        """Of the model and its prompt: what kept tokens belong to."""
        return f"{prompt('answer').id} {self.key}"

    @property
    def room(self) -> int:
        """Tokens of the window that are not kept for an answer."""
        return self.engine.window_size - self.settings.answering.answer_tokens

    def measure(self, conversation: Conversation) -> Meter:
        """The window of a conversation, and how fast the model is."""
        reserved = self.settings.answering.answer_tokens
        return measured(conversation.ledger, self.engine.window_size, reserved, self.engine.speed)

    def pin(self, document_ids: Sequence[str], collection: str) -> Generator[Reading]:
        """Pins these documents of a collection and no others, and reads them, so that no conversation has to.

        Closing the iterator stops it; the next one goes on from there. Raises :class:`~app.errors.WindowError`
        where they do not fit, and then changes nothing.
        """
        shown = pinned(document_ids, self.library)
        conversation = self.orchestrator.begin(Where(collection=collection), shown)
        Pins(self.settings.home).put(collection, document_ids)
        for event in self.engine.prepare(conversation.ledger.tokens):
            yield Reading(event.done, event.total)

    def read_ahead(self, collection: str, limit: int | None = None) -> Iterator[Progress]:
        """Reads a collection ahead, within `limit` bytes; see :func:`~app.ahead.walking.read_collection`.

        Raises :class:`~ingest.errors.UsageError`, too, where it holds nothing.
        """
        self.require(collection)
        yield from read_collection(self.reader, collection, limit)

    def close(self) -> None:
        """Saves the window and the speeds, and releases the model."""
        self.engine.close()
        keep_speed(self.settings.home, self.key, self.engine.speed)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _states(runtime: LlamaRuntime, settings: Settings, key: str, model: Path) -> PassageStates:
    dialogue = Dialogue(runtime)
    thinks = dialogue.per_window and settings.answering.thinking == "on"
    prefix = dialogue.opening(prompt("answer").text, thinks)
    keeping = Keeping(model.name, bytes_per_token(model, runtime.context))
    return PassageStates(settings.home / "passages", key, prefix, int(settings.window.ahead_gb * _GB), keeping)


def share_read(library: Library, where: Where) -> float | None:
    """How much of what `where` means could be read so far, as a share of its files; None for all of it."""
    coverage = library.coverage(where.collection) if where.collection else None
    return coverage.share if coverage else None


def sampling_for(model: ResolvedModel, settings: Settings) -> Sampling:
    """What the settings say, else what the model's makers advise, else the likeliest token."""
    advised = model.entry.sampling if model.entry else None
    wanted = settings.answering.temperature
    if wanted is None:
        wanted = advised.temperature if advised else 0.0
    return Sampling(
        temperature=wanted,
        top_k=advised.top_k if advised else 0,
        top_p=advised.top_p if advised else 1.0,
        seed=settings.answering.seed,
    )
