"""An embedder without a model: the real tokenizer, vectors from a hash. For tests of what ingest keeps, not finds."""

from collections.abc import Iterator
from functools import cached_property
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ingest.embedder import Embedder, packaged_folder
from ingest.settings import EmbeddingSettings

_DIMENSION = 64


class CheapEmbedder(Embedder):
    """Equal texts have equal vectors; that is all there is to them."""

    def __init__(self) -> None:
        self._settings = EmbeddingSettings()
        self.embedded: list[str] = []
        """Every text that was asked for, in order."""

    @property
    def dimension(self) -> int:
        return _DIMENSION

    @cached_property
    def tokenizer(self) -> Tokenizer:
        return Tokenizer.from_file(str(packaged_folder() / "tokenizer.json"))

    def embed_in_batches(self, texts: list[str]) -> Iterator[tuple[list[int], NDArray[np.float32]]]:
        for start in range(0, len(texts), 8):
            positions = list(range(start, min(start + 8, len(texts))))
            self.embedded += [texts[position] for position in positions]
            yield positions, np.array([_vector(texts[position]) for position in positions], dtype=np.float32)

    def embed_query(self, text: str) -> list[float]:
        return _vector(text)


def _vector(text: str) -> list[float]:
    numbers = np.frombuffer(blake2b(text.encode(), digest_size=_DIMENSION).digest(), np.uint8) - 127.5
    unit: list[float] = (numbers / np.linalg.norm(numbers)).tolist()
    return unit
