"""One running Transom: library, model and orchestrator, put together from the settings."""

from dataclasses import dataclass
from types import TracebackType
from typing import Self

from app.llm.engine import Engine
from app.llm.runtime import LlamaRuntime, Sampling
from app.models.resolve import ResolvedModel, resolve
from app.orchestrator import Conversation, Orchestrator
from app.settings import Settings
from ingest.index import Where
from ingest.library import Library


@dataclass(frozen=True, slots=True)
class Assistant:
    """Everything that answering needs; close it when done."""

    settings: Settings
    model: ResolvedModel
    library: Library
    engine: Engine
    orchestrator: Orchestrator

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Opens the library and loads the model: seconds. Never fetches anything.

        Raises :class:`~app.errors.ModelError` where there is no model that can be loaded.
        """
        model = resolve(settings.model.name, settings.models_folder, fetch=False)
        engine = Engine(LlamaRuntime(model.path, settings.window.tokens, settings.model.gpu_layers))
        library = Library(settings)
        orchestrator = Orchestrator(library.search, engine, settings.answering, sampling_for(model, settings))
        return cls(settings, model, library, engine, orchestrator)

    def begin(self, where: Where) -> Conversation:
        """A new conversation."""
        return self.orchestrator.begin(where)

    def close(self) -> None:
        """Releases index and model."""
        self.library.close()
        self.engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


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
