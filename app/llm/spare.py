"""Sequences beside the window: passages are evaluated there by themselves, set aside, and joined to the window.

What llama.cpp does for it: the states of a sequence can be written and read, its positions can be moved (RoPE is
applied to the keys once more), and cells can belong to a second sequence without being copied. Keys are moved when
something is evaluated the next time, all that the cache has room for: so it is best to join all that is joined first.
"""

import ctypes
from collections.abc import Sequence
from typing import Protocol

import llama_cpp

from app.errors import ModelError, WindowError
from app.llm.loading import BATCH

_WINDOW, _SPARE, _PREFIX = 0, 1, 2
"""Sequences of the context."""


class Spare(Protocol):
    """Evaluates and joins what is not, or not yet, a part of the window. Not thread-safe, as the runtime."""

    def begin(self, prefix: Sequence[int]) -> None:
        """Stands behind `prefix`, which is evaluated the first time, and forgets what stood here before."""

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
    """Spare sequences of llama.cpp; they need a cache that is unified and can be shifted.

    The prefix has one of its own and is not the window's: llama.cpp overwrites what local layers do not see any more.
    """

    def __init__(self, context: object) -> None:
        self._context = context
        self._memory = llama_cpp.llama_get_memory(context)
        self._prefix: list[int] = []

    def begin(self, prefix: Sequence[int]) -> None:
        """See :class:`Spare`. Raises :class:`WindowError` where the cache has no room for it."""
        self.clear()
        if self._prefix != prefix:
            self._forget(_PREFIX)
            self._prefix = []
            self._behind(_PREFIX, prefix)
            self._prefix = list(prefix)
        llama_cpp.llama_memory_seq_cp(self._memory, _PREFIX, _SPARE, -1, -1)

    def decode(self, tokens: Sequence[int]) -> None:
        """See :class:`Spare`. Raises :class:`WindowError` where the cache has no room for them."""
        self._behind(_SPARE, tokens)

    def _behind(self, sequence: int, tokens: Sequence[int]) -> None:
        place = llama_cpp.llama_memory_seq_pos_max(self._memory, sequence) + 1
        cells = [(token, place + index, sequence) for index, token in enumerate(tokens)]
        for start in range(0, len(cells), BATCH):
            self._evaluate(cells[start : start + BATCH])

    def _evaluate(self, cells: Sequence[tuple[int, int, int]]) -> None:
        """Tokens, with their positions and sequences."""
        batch = llama_cpp.llama_batch_init(len(cells), 0, 1)
        try:
            batch.n_tokens = len(cells)
            for index, (token, place, sequence) in enumerate(cells):
                batch.token[index], batch.pos[index] = token, place
                batch.n_seq_id[index], batch.seq_id[index][0] = 1, sequence
                batch.logits[index] = 0
            status = llama_cpp.llama_decode(self._context, batch)
        finally:
            llama_cpp.llama_batch_free(batch)
        if status == 1:
            raise WindowError("The model's window is full.", "Begin a new conversation.")
        if status != 0:
            raise ModelError(f"llama.cpp could not evaluate a passage (status {status}).")

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
        self._forget(_SPARE)

    def _forget(self, sequence: int) -> None:
        llama_cpp.llama_memory_seq_rm(self._memory, sequence, -1, -1)
