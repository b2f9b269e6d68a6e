"""How much memory a model and its KV cache take, computed from the header of its GGUF.

The same sums as llama.cpp makes, so that a plan can be had without loading anything; tests hold them against what
llama.cpp allocates.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from app.errors import ModelError
from app.models.header import Header, Skipped, Value

KvType = Literal["f16", "q8_0", "q4_0"]

_MOST_LAYERS = 512
"""llama.cpp's own limit."""

CELLS = 256
"""llama.cpp rounds the places of a KV cache up to a multiple of this."""

_BLOCKS: Mapping[KvType, tuple[int, int]] = {"f16": (1, 2), "q8_0": (32, 34), "q4_0": (32, 18)}
"""How many numbers make a block, and how many bytes it takes."""

_PERIODS = {"gemma2": 2, "gemma3": 6, "gemma3n": 5, "cohere2": 4, "gpt-oss": 2}
"""Every so manieth layer is global, where the file does not say it. What is missing here is taken to have global
layers only: that plans too much memory, never too little."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: its weights, and what it keeps of every token."""

    weights: int
    """Bytes."""
    keys: int
    """Numbers kept of a token; 0 where the layer uses the KV of an earlier one."""
    values: int
    local: bool
    """Whether it sees the sliding window only."""
    head: int
    """Numbers of a key in one head."""


@dataclass(frozen=True, slots=True)
class Cache:
    """How a KV cache is set up."""

    window: int
    """Tokens."""
    kv_type: KvType
    swa_full: bool
    """Whether local layers keep the whole window (llama.cpp's word for it), not the sliding one only."""
    flash_attention: bool
    batch: int
    """Tokens evaluated at once (n_ubatch)."""
    beside: int = 0
    """Tokens there is room for beside the window, in a context of its own."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """The measures of a model."""

    layers: tuple[Layer, ...]
    heads: int
    """Of attention, in the layer that has the most."""
    width: int
    vocabulary: int
    trained: int
    """Tokens of window it was trained for."""
    sliding_window: int
    """Tokens; 0 where there is none."""
    weights: int
    """Bytes of all weights."""
    output_weights: int
    """Bytes of what turns the last layer into logits: often the embeddings of the tokens once more."""

    @classmethod
    def of(cls, header: Header) -> "Geometry":
        """The measures in a header. Raises :class:`ModelError` where it does not hold them."""
        return _Reader(header).geometry()

    def kv_of(self, layer: Layer, cache: Cache) -> int:
        """Bytes of one layer's KV."""
        values = layer.values
        if values and not cache.flash_attention:
            values = max(each.values for each in self.layers)  # V lies transposed, as wide as the widest
        row = _bytes(layer.keys, cache.kv_type) + _bytes(values, cache.kv_type)
        return (self._cells(layer.local, cache) + cache.beside) * row

    def kv(self, cache: Cache) -> int:
        """Bytes of the whole KV cache."""
        return sum(self.kv_of(layer, cache) for layer in self.layers)

    def compute(self, cache: Cache) -> int:
        """Bytes llama.cpp computes in, about: the logits of a batch or the attention of a layer, if that is more.

        The context beside the window has its own.
        """
        masked = sum(self._cells(local, cache) for local in {layer.local for layer in self.layers})
        logits = 4 * cache.batch * (self.vocabulary + 2 * self.width)
        masks = (2 if cache.flash_attention else 4) * cache.batch * masked
        scores = 0 if cache.flash_attention else 4 * cache.batch * self._cells(False, cache) * self.heads
        own = max(logits, masks + scores + 32 * cache.batch * self.width)
        return own + (self.compute(replace(cache, window=cache.beside, beside=0)) if cache.beside else 0)

    def can_hold(self, kv_type: KvType) -> bool:
        """Whether the KV cache can be of this type: rows must be made of whole blocks."""
        per_block = _BLOCKS[kv_type][0]
        return all(layer.keys % per_block == 0 and layer.values % per_block == 0 for layer in self.layers)

    def can_shift(self, kv_type: KvType) -> bool:
        """Whether keys of this type can be moved to other positions.

        llama.cpp rotates quantized keys before it moves them, in blocks of 64; where a head is not made of these, it
        crashes (build_rope_shift in llama-kv-cache.cpp of llama-cpp-python 0.3.36).
        """
        return kv_type == "f16" or all(layer.head % 64 == 0 for layer in self.layers)

    def _cells(self, local: bool, cache: Cache) -> int:
        """Places in the cache of a local or global layer."""
        if local and not cache.swa_full:
            return _padded(min(_padded(cache.window), self.sliding_window + cache.batch))
        return _padded(cache.window)


def _padded(cells: int) -> int:
    return -(-cells // CELLS) * CELLS


def _bytes(numbers: int, kv_type: KvType) -> int:
    per_block, size = _BLOCKS[kv_type]
    return numbers * size // per_block


class _Reader:
    """Finds the measures in the metadata: single numbers, or one for each layer."""

    def __init__(self, header: Header) -> None:
        self._metadata = header.metadata
        self._architecture = str(header.metadata.get("general.architecture", ""))
        self._tensors = header.tensors

    def geometry(self) -> Geometry:
        count = self._number("block_count")
        if not 0 < count <= _MOST_LAYERS:
            raise ModelError(f"The memory it takes cannot be planned: it claims to have {count} layers.")
        heads = self._each("attention.head_count", count)
        local = self._local(count)
        return Geometry(
            layers=tuple(self._layer(number, count, heads, local[number]) for number in range(count)),
            heads=max(heads),
            width=self._number("embedding_length"),
            vocabulary=self._vocabulary(),
            trained=self._number("context_length"),
            sliding_window=self._sliding_window() if any(local) else 0,
            weights=self._weights(""),
            output_weights=self._weights("output.") or self._weights("token_embd."),
        )

    def _layer(self, number: int, count: int, heads: list[int], local: bool) -> Layer:
        width = self._number("embedding_length") // max(heads[number], 1)
        kv_heads = self._each("attention.head_count_kv", count, heads)[number]
        shared = number >= count - self._number("attention.shared_kv_layers", 0)
        keys, values = (self._head(kind, local, width) for kind in ("key", "value"))
        return Layer(
            weights=self._weights(f"blk.{number}."),
            keys=0 if shared else kv_heads * keys,
            values=0 if shared else kv_heads * values,
            local=local,
            head=keys,
        )

    def _head(self, kind: str, local: bool, width: int) -> int:
        anywhere = self._number(f"attention.{kind}_length", width)
        return self._number(f"attention.{kind}_length_swa", anywhere) if local else anywhere

    def _local(self, count: int) -> list[bool]:
        if not self._sliding_window():
            return [False] * count
        said = self._metadata.get(f"{self._architecture}.attention.sliding_window_pattern")
        if isinstance(said, tuple) and len(said) >= count:
            return [bool(each) for each in said[:count]]
        period = said if isinstance(said, int) else _PERIODS.get(self._architecture, 1)
        return [number % period < period - 1 for number in range(count)] if period else [True] * count

    def _sliding_window(self) -> int:
        return self._number("attention.sliding_window", 4096 if self._architecture == "gemma2" else 0)

    def _vocabulary(self) -> int:
        tokens = self._metadata.get("tokenizer.ggml.tokens")
        return tokens.count if isinstance(tokens, Skipped) else 0

    def _weights(self, prefix: str) -> int:
        return sum(tensor.end - tensor.start for tensor in self._tensors if tensor.name.startswith(prefix))

    def _each(self, key: str, count: int, otherwise: list[int] | None = None) -> list[int]:
        said = self._metadata.get(f"{self._architecture}.{key}")
        if isinstance(said, tuple) and len(said) >= count:
            return [_checked(each, key) for each in said[:count]]
        if said is None and otherwise is not None:
            return otherwise
        return [self._number(key)] * count

    def _number(self, key: str, otherwise: int | None = None) -> int:
        return _checked(self._metadata.get(f"{self._architecture}.{key}", otherwise), key)


def _checked(said: Value | None, key: str) -> int:
    if not isinstance(said, int) or said < 0:
        raise ModelError(f"The memory it takes cannot be planned: its {key} is not a number.")
    return said
