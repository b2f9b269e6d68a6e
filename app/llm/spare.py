"""The sequence beside the window: passages are evaluated there by themselves, set aside, and joined to the window.

What llama.cpp does for it: the states of a sequence can be written and read, its positions can be moved (RoPE is
applied to the keys once more), and cells can belong to a second sequence without being copied.
"""

import ctypes
from collections.abc import Sequence
from typing import Protocol

import llama_cpp

from app.errors import ModelError, WindowError

_WINDOW, _SPARE = 0, 1
"""Sequences of the context."""
SEQUENCES = 2
"""How many a context needs for it."""


class Spare(Protocol):
    """Evaluates and joins what is not, or not yet, a part of the window. Not thread-safe, as the runtime."""

    def begin(self, prefix: int) -> None:
        """Stands behind the first `prefix` tokens of the window, and forgets what stood here before."""

    def decode(self, tokens: Sequence[int]) -> None:
        """Evaluates at most :data:`~app.llm.loading.BATCH` tokens behind what stands here."""

    def state(self, prefix: int) -> bytearray:
        """What stands here behind the first `prefix` tokens, to be put back by :meth:`restore`."""

    def restore(self, state: bytearray) -> bool:
        """Puts what :meth:`state` gave in place of what stands here; on failure nothing stands here."""

    def join(self, start: int, end: int, place: int) -> None:
        """Makes what stands here at `start` up to `end` a part of the window, at `place`; nothing is left here."""

    def clear(self) -> None:
        """Forgets what stands here."""


class LlamaSpare:
    """A spare sequence of llama.cpp; needs a cache that is unified and can be shifted."""

    def __init__(self, context: object) -> None:
        self._context = context
        self._memory = llama_cpp.llama_get_memory(context)

    def begin(self, prefix: int) -> None:
        """See :class:`Spare`."""
        self.clear()
        llama_cpp.llama_memory_seq_cp(self._memory, _WINDOW, _SPARE, 0, prefix)

    def decode(self, tokens: Sequence[int]) -> None:
        """See :class:`Spare`. Raises :class:`WindowError` where the cache has no room for them."""
        batch = llama_cpp.llama_batch_init(len(tokens), 0, 1)
        try:
            self._fill(batch, tokens)
            status = llama_cpp.llama_decode(self._context, batch)
        finally:
            llama_cpp.llama_batch_free(batch)
        if status == 1:
            raise WindowError("The model's window is full.", "Begin a new conversation.")
        if status != 0:
            raise ModelError(f"llama.cpp could not evaluate a passage (status {status}).")

    def _fill(self, batch: llama_cpp.llama_batch, tokens: Sequence[int]) -> None:
        place = llama_cpp.llama_memory_seq_pos_max(self._memory, _SPARE) + 1
        batch.n_tokens = len(tokens)
        for index, token in enumerate(tokens):
            batch.token[index] = token
            batch.pos[index] = place + index
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = _SPARE
            batch.logits[index] = 0

    def state(self, prefix: int) -> bytearray:
        """See :class:`Spare`."""
        llama_cpp.llama_memory_seq_rm(self._memory, _SPARE, 0, prefix)
        size = llama_cpp.llama_state_seq_get_size(self._context, _SPARE)
        state = bytearray(size)
        buffer = (ctypes.c_uint8 * size).from_buffer(state)
        written = llama_cpp.llama_state_seq_get_data(self._context, buffer, size, _SPARE)
        if written != size:
            raise ModelError(f"llama.cpp gave {written} bytes of a state of {size}.")
        return state

    def restore(self, state: bytearray) -> bool:
        """See :class:`Spare`."""
        self.clear()
        buffer = (ctypes.c_uint8 * len(state)).from_buffer(state)
        if llama_cpp.llama_state_seq_set_data(self._context, buffer, len(state), _SPARE) > 0:
            return True
        self.clear()
        return False

    def join(self, start: int, end: int, place: int) -> None:
        """See :class:`Spare`."""
        llama_cpp.llama_memory_seq_rm(self._memory, _SPARE, 0, start)
        llama_cpp.llama_memory_seq_add(self._memory, _SPARE, start, end, place - start)
        llama_cpp.llama_memory_seq_cp(self._memory, _SPARE, _WINDOW, place, place + end - start)
        self.clear()

    def clear(self) -> None:
        """See :class:`Spare`."""
        llama_cpp.llama_memory_seq_rm(self._memory, _SPARE, -1, -1)
