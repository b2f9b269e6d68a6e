"""Runtimes that measuring needs: one with a turn format of its own, one that keeps account, one that is bare."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from zlib import crc32

import llama_cpp
import numpy as np
from numpy.typing import NDArray

from app.llm.runtime import BATCH, Context, LlamaRuntime
from app.llm.sampling import Sampling

GEMMA_3 = """\
{{- bos_token -}}
{%- for message in messages -%}
    {%- if message.role not in ('user', 'assistant') -%}{{- raise_exception('no such role') -}}{%- endif -%}
    {{- '<start_of_turn>' ~ ('model' if message.role == 'assistant' else 'user') ~ '\\n' -}}
    {{- message.content | trim ~ '<end_of_turn>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<start_of_turn>model\\n' -}}{%- endif -%}
"""
"""The documented turn format of Gemma 3, which the base model's GGUF does not bring."""


class TemplatedRuntime(LlamaRuntime):
    """Has a turn format whatever the file says."""

    @property
    def chat_template(self) -> str | None:
        """The file's own, else Gemma 3's."""
        return super().chat_template or GEMMA_3


class TrackingRuntime(TemplatedRuntime):
    """Keeps account of every token that was ever evaluated, by all that stood before it."""

    def __init__(self, path: Path, context: Context) -> None:
        super().__init__(path, context)
        self.cache: list[int] = []
        """The tokens that the KV cache holds."""
        self.evaluated = 0
        self.twice = 0
        """Tokens that were evaluated although the conversation had them evaluated before."""
        self.conversation = 0
        """Whose turn it is."""
        self.opening = 0
        """How many tokens, from the first, all conversations share: these are known as soon as one had them."""
        self._prefixes: list[int] = []
        """Of every token in the cache, what tells it and all before it from any others."""
        self._seen: set[tuple[int, int]] = set()
        self._states: dict[int, list[int]] = {}

    def decode(self, tokens: Sequence[int]) -> None:
        """Evaluates, and notes it."""
        super().decode(tokens)
        for token in tokens:
            self._append(token)
            owner = self.conversation if len(self.cache) > self.opening else -1
            self.twice += (owner, self._prefixes[-1]) in self._seen
            self._seen.add((owner, self._prefixes[-1]))
        self.evaluated += len(tokens)

    def keep(self, count: int) -> None:
        """Cuts back, and notes it."""
        super().keep(count)
        del self.cache[count:], self._prefixes[count:]

    def state(self) -> bytearray:
        """A state, whose tokens are remembered."""
        state = super().state()
        self._states[crc32(state)] = list(self.cache)
        return state

    def restore(self, state: bytearray) -> bool:
        """Puts a state back, and its tokens."""
        self.cache, self._prefixes = [], []
        for token in self._states[crc32(state)]:
            self._append(token)
        return super().restore(state)

    def go_back(self, mark: bytearray, count: int) -> bool:
        """Cuts back to a mark, and notes it."""
        returned = super().go_back(mark, count)
        kept = count if returned else 0
        del self.cache[kept:], self._prefixes[kept:]
        return returned

    def _append(self, token: int) -> None:
        self._prefixes.append(hash((self._prefixes[-1] if self._prefixes else 0, token)))
        self.cache.append(token)


class EndlessRuntime(TemplatedRuntime):
    """Never takes a token for the end of a turn, so that any number of them can be generated."""

    def is_end(self, token: int) -> bool:
        """No."""
        return False


class BareRuntime(TemplatedRuntime):
    """llama.cpp with nothing around it, in the same context as everybody else's."""

    def __init__(self, path: Path, context: Context) -> None:
        super().__init__(path, context)
        self.held: list[int] = []
        """The tokens that the KV cache holds."""

    def reach(self, window: Sequence[int]) -> int:
        """Makes the cache hold exactly `window`; returns how many tokens that took."""
        common = 0
        for one, other in zip(self.held, window, strict=False):
            if one != other:
                break
            common += 1
        if common < len(self.held):
            self.keep(common)
            del self.held[common:]
        self.prefill(window[common:])
        return len(window) - common

    def prefill(self, tokens: Sequence[int]) -> float:
        """Evaluates `tokens` behind what is held; returns the seconds in `llama_decode`."""
        batches = [tokens[start : start + BATCH] for start in range(0, len(tokens), BATCH)]
        arrays = [((llama_cpp.llama_token * len(batch))(*batch), len(batch)) for batch in batches]
        started = time.perf_counter()
        for array, size in arrays:
            if llama_cpp.llama_decode(self._context, llama_cpp.llama_batch_get_one(array, size)):
                raise RuntimeError("llama.cpp could not evaluate the text")
        llama_cpp.llama_synchronize(self._context)
        self.held += tokens
        return time.perf_counter() - started

    def generate(self, sampling: Sampling) -> Iterator[int]:
        """Tokens behind what is held: sample, `llama_decode`, and so on."""
        sampler, array = self.sampler(sampling), (llama_cpp.llama_token * 1)()
        while True:
            token = sampler.sample()
            self.held.append(token)
            yield token
            array[0] = token
            llama_cpp.llama_decode(self._context, llama_cpp.llama_batch_get_one(array, 1))

    def last_logits(self) -> NDArray[np.float32]:
        """Of the last evaluated position."""
        size = llama_cpp.llama_vocab_n_tokens(self._vocab)
        return np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(self._context, -1), (size,)).copy()
