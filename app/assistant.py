"""One running Transom: library, model and orchestrator, put together from the settings."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from types import TracebackType
from typing import Self

from app.answers import Event
from app.llm.engine import Engine
from app.llm.runtime import LlamaRuntime
from app.llm.sampling import Sampling
from app.models.resolve import ResolvedModel, resolve
from app.models.setup import set_up
from app.orchestrator import Conversation, Orchestrator
from app.settings import Settings
from ingest.index import Where
from ingest.library import Library


@dataclass(frozen=True, slots=True)
class Assistant:
    """Everything that answering needs; close it when done, and the library after it."""

    settings: Settings
    model: ResolvedModel
    library: Library
    engine: Engine
    orchestrator: Orchestrator

    @classmethod
    def open(cls, settings: Settings, library: Library) -> Self:
        """Loads the model, which takes seconds, to answer from `library`. Never fetches anything.

        Raises :class:`~app.errors.ModelError` where there is no model that can be loaded.
        """
        model = resolve(settings.model.name, settings.models_folder, fetch=False)
        context, told = set_up(model, settings)
        model = replace(model, notice=" ".join(filter(None, (model.notice, told))))
        engine = Engine(LlamaRuntime(model.path, context))
        sampling = sampling_for(model, settings)
        orchestrator = Orchestrator(library.search, engine, settings.answering, sampling, partial(share_read, library))
        return cls(settings, model, library, engine, orchestrator)

    @property
    def notice(self) -> str:
        """What a person should know about the model; empty if nothing."""
        return self.model.notice

    def begin(self, where: Where) -> Conversation:
        """A new conversation."""
        return self.orchestrator.begin(where)

    def require(self, collection: str) -> None:
        """Raises :class:`~ingest.errors.UsageError` where a collection holds nothing that could be asked about."""
        self.library.require(collection)

    def stream(self, question: str, where: Where) -> Iterator[Event]:
        """The answer to a single question, which belongs to no conversation."""
        return self.orchestrator.stream(question, self.begin(where))

    def close(self) -> None:
        """Releases the model."""
        self.engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


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
