"""llama.cpp's low-level API behind a dozen typed calls. Nothing outside this package evaluates with `llama_cpp`.

The context is owned directly and not through `llama_cpp.Llama`, because Transom keeps account of what the KV
cache holds, token by token, and because later parts need sequences that the `Llama` class does not expose.
"""

import ctypes
import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import llama_cpp
import numpy as np
from numpy.typing import NDArray

from app.errors import ModelError, WindowError
from app.llm.loading import BATCH, Adapter, Context, load
from app.llm.sampler import LlamaSampler
from app.llm.sampling import Sampling
from app.llm.spare import HELD, WINDOW, LlamaSpare, Spare

__all__ = ["BATCH", "Adapter", "Context", "LlamaRuntime", "Runtime", "Sampler"]

logging.getLogger("llama-cpp-python").setLevel(logging.CRITICAL + 1)

_MARK = re.compile(r"(?<=<)(?=(?:\|[^\s<>]+|[^\s<>|]+\|)>)")
"""Cuts texts like `<|channel>`: llama.cpp takes tokens that are "user-defined" (for Gemma 4, those of thoughts and
tools) out of plain text too, and a document could forge them."""


class Sampler(Protocol):
    """Chooses a token from the logits of the last evaluated position."""

    def sample(self) -> int:
        """The next token."""
        ...

    def close(self) -> None:
        """Gives its memory back."""
        ...


class Runtime(Protocol):
    """A loaded model with one KV cache. Not thread-safe: the engine holds the lock."""

    @property
    def window_size(self) -> int:
        """Tokens the KV cache can hold."""
        ...

    @property
    def spare(self) -> Spare | None:
        """What stands beside the window; None where its cache cannot join anything."""

    @property
    def chat_template(self) -> str | None:
        """The Jinja template that came with the model."""
        ...

    @property
    def special_texts(self) -> tuple[str, str]:
        """What the template calls `bos_token` and `eos_token`."""
        ...

    @property
    def wants_bos(self) -> bool:
        """Whether the model was trained with a BOS token before every text."""
        ...

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        """Tokens of `text`; only with `special` does the text of a control token become that token."""
        ...

    def piece(self, token: int) -> bytes:
        """The bytes a token stands for; a control token's name."""
        ...

    def is_end(self, token: int) -> bool:
        """Whether the model ends its turn with this token."""
        ...

    def can_keep(self, count: int) -> bool:
        """Whether the cache, cut back to its first `count` tokens, holds all that the next one attends to."""
        ...

    def keep(self, count: int) -> None:
        """Cuts the cache back to its first `count` tokens."""
        ...

    def state(self) -> bytearray:
        """Everything the cache holds, to be put back by :meth:`restore`."""
        ...

    def restore(self, state: bytearray) -> bool:
        """Puts what :meth:`state` gave in place of what the cache holds; on failure the cache is empty."""
        ...

    def mark(self) -> bytearray | None:
        """What :meth:`go_back` will need to return to this very place; None where :meth:`keep` can do it alone."""
        ...

    def go_back(self, mark: bytearray, count: int) -> bool:
        """Cuts the cache back to the `count` tokens it held when `mark` was taken; on failure it is empty."""
        ...

    def decode(self, tokens: Sequence[int]) -> None:
        """Evaluates at most :data:`BATCH` tokens behind what the cache holds."""
        ...

    def logits(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        """Evaluates at most :data:`BATCH` tokens; gives the logits behind each of them, as (tokens, vocabulary)."""
        ...

    def next_logits(self, tokens: Sequence[int]) -> list[float]:
        """The logits of these tokens behind the last evaluated position."""

    def sampler(self, sampling: Sampling) -> Sampler:
        """A sampler over this model's logits."""
        ...

    def close(self) -> None:
        """Gives the model's memory back."""
        ...


class LlamaRuntime:
    """A GGUF file run by llama.cpp."""

    def __init__(self, path: Path, context: Context, *smaller: Context) -> None:
        """Loads the model: seconds to minutes. Where there is no memory for a context, the next smaller one is tried.

        Raises :class:`ModelError` where it cannot be loaded, or there is no memory for any of them.
        """
        self._loaded = load(path, [context, *smaller])
        self._model, self._context = self._loaded.model, self._loaded.context
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._sliding_window = int(llama_cpp.llama_model_n_swa(self._model))
        beside = self._loaded.beside
        self.spare: Spare | None = LlamaSpare(beside, self._context) if beside else None
        """See :class:`Runtime`."""

    @property
    def context(self) -> Context:
        """The context that was taken."""
        return self._loaded.taken

    @property
    def window_size(self) -> int:
        """Tokens the window can hold."""
        return int(llama_cpp.llama_n_ctx(self._context))

    @property
    def vocabulary_size(self) -> int:
        """Tokens the model knows."""
        return int(llama_cpp.llama_vocab_n_tokens(self._vocab))

    @property
    def chat_template(self) -> str | None:
        """The Jinja template in the GGUF."""
        template = llama_cpp.llama_model_chat_template(self._model, None)
        return template.decode() if template else None

    @property
    def special_texts(self) -> tuple[str, str]:
        """What the template calls `bos_token` and `eos_token`."""
        bos, eos = llama_cpp.llama_vocab_bos(self._vocab), llama_cpp.llama_vocab_eos(self._vocab)
        return self._name(bos), self._name(eos)

    @property
    def wants_bos(self) -> bool:
        """Whether the model was trained with a BOS token before every text."""
        return bool(llama_cpp.llama_vocab_get_add_bos(self._vocab))

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        """Tokens of `text`; only with `special` does the text of a control token become that token."""
        parts = [text] if special else _MARK.split(text)
        return [token for part in parts for token in self._tokens(part, special)]

    def _tokens(self, text: str, special: bool) -> list[int]:
        data = text.encode("utf-8", "replace")
        room = len(data) + 8
        tokens = (llama_cpp.llama_token * room)()
        count = llama_cpp.llama_tokenize(self._vocab, data, len(data), tokens, room, False, special)
        return list(tokens[: max(count, 0)])

    def piece(self, token: int) -> bytes:
        """The bytes a token stands for; a control token's name."""
        buffer = ctypes.create_string_buffer(256)
        count = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, 256, 0, True)
        return buffer.raw[: max(count, 0)]

    def is_end(self, token: int) -> bool:
        """Whether the model ends its turn with this token."""
        return bool(llama_cpp.llama_vocab_is_eog(self._vocab, token))

    def can_keep(self, count: int) -> bool:
        """Whether the cache, cut back to its first `count` tokens, holds all that the next one attends to.

        A windowed cache forgets, and cutting back further than it remembers is silently wrong. A state that was
        read back is such a cache too, whatever the context was made with.
        """
        needed = max(0, count - self._sliding_window) if self._sliding_window else 0
        return count == 0 or self._first_position() <= needed

    def keep(self, count: int) -> None:
        """Cuts the cache back to its first `count` tokens."""
        if not self._cut(count):
            raise ModelError(f"llama.cpp could not cut its cache back to {count} tokens.")

    def state(self) -> bytearray:
        """Everything the cache holds."""
        return self._state(llama_cpp.LLAMA_STATE_SEQ_FLAGS_NONE)

    def restore(self, state: bytearray) -> bool:
        """Puts a state in place of what the cache holds."""
        self._clear()
        return self._set_state(state, llama_cpp.LLAMA_STATE_SEQ_FLAGS_NONE)

    def mark(self) -> bytearray | None:
        """The windows of the local layers, small at any depth; None for a cache that forgets nothing."""
        if not self._sliding_window or (self.context.swa_full and self._first_position() <= 0):
            return None
        return self._state(llama_cpp.LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY)

    def go_back(self, mark: bytearray, count: int) -> bool:
        """Cuts the global layers back and puts the local layers' windows in place."""
        return self._cut(count) and self._set_state(mark, llama_cpp.LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY)

    def _first_position(self) -> int:
        return int(llama_cpp.llama_memory_seq_pos_min(self._memory, WINDOW))

    def _cut(self, count: int) -> bool:
        return all([llama_cpp.llama_memory_seq_rm(self._memory, each, count, -1) for each in self._sequences])

    def _clear(self) -> None:
        for each in self._sequences:
            llama_cpp.llama_memory_seq_rm(self._memory, each, -1, -1)

    @property
    def _sequences(self) -> tuple[int, ...]:
        return (WINDOW, HELD) if self.spare else (WINDOW,)

    def _hold(self) -> None:
        """Lets nothing take the place of what local layers do not see any more; see :class:`LlamaSpare`."""
        if self.spare and self._sliding_window:
            llama_cpp.llama_memory_seq_cp(self._memory, WINDOW, HELD, -1, -1)

    def _state(self, flags: int) -> bytearray:
        size = llama_cpp.llama_state_seq_get_size_ext(self._context, WINDOW, flags)
        state = bytearray(size)
        buffer = (ctypes.c_uint8 * size).from_buffer(state)
        written = llama_cpp.llama_state_seq_get_data_ext(self._context, buffer, size, WINDOW, flags)
        if written != size:
            raise ModelError(f"llama.cpp gave {written} bytes of a state of {size}.")
        return state

    def _set_state(self, state: bytearray, flags: int) -> bool:
        buffer = (ctypes.c_uint8 * len(state)).from_buffer(state)
        if llama_cpp.llama_state_seq_set_data_ext(self._context, buffer, len(state), WINDOW, flags) > 0:
            self._hold()
            return True
        self._clear()
        return False

    def decode(self, tokens: Sequence[int]) -> None:
        """Evaluates at most :data:`BATCH` tokens behind what the cache holds."""
        array = (llama_cpp.llama_token * len(tokens))(*tokens)
        self._decode(llama_cpp.llama_batch_get_one(array, len(tokens)))

    def logits(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        """Evaluates at most :data:`BATCH` tokens; gives the logits behind each of them, as (tokens, vocabulary)."""
        array = (llama_cpp.llama_token * len(tokens))(*tokens)
        batch = llama_cpp.llama_batch_get_one(array, len(tokens))
        wanted = (ctypes.c_int8 * len(tokens))(*[1] * len(tokens))
        batch.logits = wanted
        self._decode(batch)
        size = self.vocabulary_size
        found = np.ctypeslib.as_array(llama_cpp.llama_get_logits(self._context), (len(tokens), size))
        return np.array(found, np.float32)

    def _decode(self, batch: llama_cpp.llama_batch) -> None:
        status = llama_cpp.llama_decode(self._context, batch)
        if status == 1:
            raise WindowError("The model's window is full.", "Begin a new conversation.")
        if status != 0:
            raise ModelError(f"llama.cpp could not evaluate the text (status {status}).")
        self._hold()

    def next_logits(self, tokens: Sequence[int]) -> list[float]:
        """See :class:`Runtime`."""
        size = self.vocabulary_size
        logits = np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(self._context, -1), (size,))
        return [float(logits[token]) for token in tokens]

    def sampler(self, sampling: Sampling) -> Sampler:
        """A sampler over this model's logits."""
        return LlamaSampler(self._context, self._vocab, sampling)

    def close(self) -> None:
        """Gives the model's memory back."""
        self._loaded.free()

    def _name(self, token: int) -> str:
        return self.piece(token).decode("utf-8", "replace") if token >= 0 else ""
