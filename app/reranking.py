"""A second opinion on the first candidates: a cross-encoder reads question and passage together, or the model does.

Better than comparing two vectors, and slower by far: it is off unless the settings name a model.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from app.errors import ModelError
from app.llm.engine import Engine
from app.model_reranking import ModelReranker
from app.settings import Settings
from ingest.documents import Passage

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

_BATCH = 8
"""Passages read together: small batches stay in the processor's cache."""


class Reranking(Protocol):
    """Somebody who reads the first candidates once more."""

    @property
    def candidates(self) -> int:
        """How many of them."""

    def rerank(self, question: str, passages: Sequence[Passage]) -> list[Passage]:
        """The passages, the best first."""


class Reranker:
    """A cross-encoder of sentence-transformers; loaded when it is first needed, and never fetched."""

    def __init__(self, name: str, candidates: int, device: str = "auto") -> None:
        """`name` is a folder, or the name of a model that lies in the hub's cache on this machine."""
        self.candidates = candidates
        self._name = name
        self._device = None if device == "auto" else device

    def rerank(self, question: str, passages: Sequence[Passage]) -> list[Passage]:
        """The passages, the best first by this model, with its scores.

        Raises :class:`~app.errors.ModelError` where the model is not there or is no cross-encoder.
        """
        if not passages:
            return []
        pairs = [(question, passage.chunk.text) for passage in passages]
        try:
            scores = [float(score) for score in self._model.predict(pairs, batch_size=_BATCH, show_progress_bar=False)]
        except (TypeError, ValueError) as error:  # a model with more than one score, for instance
            raise ModelError(
                f"{self._name!r} does not rerank: {error}",
                "Set retrieval.rerank to a cross-encoder with one score, or to nothing.",
            ) from error
        ordered = sorted(zip(scores, passages, strict=True), key=lambda pair: -pair[0])
        return [replace(passage, score=score, rank=rank) for rank, (score, passage) in enumerate(ordered)]

    @cached_property
    def _model(self) -> "CrossEncoder":
        from sentence_transformers import CrossEncoder

        try:
            model: CrossEncoder = CrossEncoder(self._name, device=self._device, local_files_only=True)
        except Exception as error:  # the library raises whatever its many parts raise
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise ModelError(
                f"The reranker {self._name!r} cannot be loaded: {reason}",
                f"Fetch it once (`hf download {self._name}`), name a folder that holds one, "
                "or set retrieval.rerank to nothing.",
            ) from error
        return model


def reranker(settings: Settings, engine: Engine) -> Reranking | None:
    """The reranker that the settings name, if they do."""
    wanted = settings.retrieval
    if wanted.rerank == "model":
        return ModelReranker(engine, wanted.candidates, settings.answering.patience)
    return Reranker(wanted.rerank, wanted.candidates, settings.embedding.device) if wanted.rerank else None
