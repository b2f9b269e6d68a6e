"""Beside the window: passages are evaluated there by themselves, set aside, moved to their place, and joined to it.

What llama.cpp does for it: the states of a sequence can be written and read, its positions can be moved (RoPE is
applied to the keys once more), and cells can belong to a second sequence without being copied. It happens in a small
context of its own, because keys are moved in all that a context has room for, whether that is used or not: 105 ms in
one of 8,192 tokens on two cores, where a question takes 300.
"""

import ctypes
from collections.abc import Sequence
from typing import Protocol

import llama_cpp

from app.errors import ModelError, WindowError
from app.llm.joined import ALONE, BESIDE, TOGETHER
from app.llm.loading import BATCH

_SPARE, _PREFIX, _COLLECTED = 0, 1, 2
"""Sequences beside the window, of which the last is the first of many."""
WINDOW, HELD, _ARRIVING = 0, 1, 2
"""Sequences of the window's own context."""
_NO_ROOM = 1
"""What `llama_decode` gives where a batch does not fit."""


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

    def collect(self, start: int, end: int, place: int) -> None:
        """Sets what stands here at `start` up to `end` aside for the window, where it is to stand at `place`.

        That is behind all that was collected before; it may get into the window at once. Nothing is left here.
        """

    def join(self) -> None:
        """Makes what is collected a part of the window."""

    def clear(self) -> None:
        """Forgets what stands here, and what is collected."""


class LlamaSpare:
    """A second context of llama.cpp; both need a cache that is unified and can be shifted.

    llama.cpp overwrites what local layers do not see any more, if it belongs to one sequence only, and leaves it out of
    states. But one may want to go back there. So each run is collected and joined in a sequence of its own, the window
    belongs to a second sequence, and the prefix is evaluated here once more.
    """

    def __init__(self, beside: object, window: object) -> None:
        """Two contexts of one model; that beside the window has room for :data:`BESIDE` tokens."""
        self._context = beside
        self._memory = llama_cpp.llama_get_memory(beside)
        self._window = window
        self._window_memory = llama_cpp.llama_get_memory(window)
        self._prefix: list[int] = []
        self._collected: list[int] = []
        """Tokens of each run; it has a sequence of its own."""

    def begin(self, prefix: Sequence[int]) -> None:
        """See :class:`Spare`. Raises :class:`WindowError` where there is no room for it."""
        self._forget(_SPARE)
        if self._prefix != prefix:
            self._forget(_PREFIX)
            self._prefix = []
            self._behind(_PREFIX, prefix)
            self._prefix = list(prefix)
        llama_cpp.llama_memory_seq_cp(self._memory, _PREFIX, _SPARE, -1, -1)

    def decode(self, tokens: Sequence[int]) -> None:
        """See :class:`Spare`. Raises :class:`WindowError` where there is no room for them."""
        self._behind(_SPARE, tokens)

    def _behind(self, sequence: int, tokens: Sequence[int]) -> None:
        for start in range(0, len(tokens), BATCH):
            status = self._evaluate(sequence, tokens[start : start + BATCH])
            if status == _NO_ROOM:
                raise WindowError(f"There is no room to read {len(tokens):,} tokens beside the window.")
            if status != 0:
                raise ModelError(f"llama.cpp could not evaluate a passage (status {status}).")

    def _evaluate(self, sequence: int, tokens: Sequence[int]) -> int:
        """Evaluates tokens behind a sequence; gives llama.cpp's status."""
        place = llama_cpp.llama_memory_seq_pos_max(self._memory, sequence) + 1
        batch = llama_cpp.llama_batch_init(len(tokens), 0, 1)
        try:
            batch.n_tokens = len(tokens)
            for index, token in enumerate(tokens):
                batch.token[index], batch.pos[index] = token, place + index
                batch.n_seq_id[index], batch.seq_id[index][0] = 1, sequence
                batch.logits[index] = 0
            return int(llama_cpp.llama_decode(self._context, batch))
        finally:
            llama_cpp.llama_batch_free(batch)

    def state(self, prefix: int) -> bytearray:
        """See :class:`Spare`."""
        llama_cpp.llama_memory_seq_rm(self._memory, _SPARE, 0, prefix)
        return self._state(_SPARE)

    def _state(self, sequence: int) -> bytearray:
        size = llama_cpp.llama_state_seq_get_size(self._context, sequence)
        state = bytearray(size)
        buffer = (ctypes.c_uint8 * size).from_buffer(state)
        written = llama_cpp.llama_state_seq_get_data(self._context, buffer, size, sequence)
        if written != size:
            raise ModelError(f"llama.cpp gave {written} bytes of a state of {size}.")
        return state

    def restore(self, state: bytearray) -> bool:
        """See :class:`Spare`."""
        self._forget(_SPARE)
        if _put(self._context, _SPARE, state):
            return True
        self._forget(_SPARE)
        return False

    def collect(self, start: int, end: int, place: int) -> None:
        """See :class:`Spare`."""
        llama_cpp.llama_memory_seq_rm(self._memory, _SPARE, 0, start)
        llama_cpp.llama_memory_seq_add(self._memory, _SPARE, start, end, place - start)
        llama_cpp.llama_memory_seq_cp(self._memory, _SPARE, _COLLECTED + len(self._collected), -1, -1)
        self._forget(_SPARE)
        self._collected.append(end - start)
        if len(self._collected) == TOGETHER or sum(self._collected) > BESIDE - ALONE:
            self.join()

    def join(self) -> None:
        """See :class:`Spare`. Raises :class:`ModelError` where llama.cpp does not take it."""
        if not self._collected:
            return
        self._move_keys()
        for sequence in range(_COLLECTED, _COLLECTED + len(self._collected)):
            if not _put(self._window, _ARRIVING, self._state(sequence)):
                raise ModelError("llama.cpp could not join what was read ahead to the window.")
            for each in (WINDOW, HELD):
                llama_cpp.llama_memory_seq_cp(self._window_memory, _ARRIVING, each, -1, -1)
            llama_cpp.llama_memory_seq_rm(self._window_memory, _ARRIVING, -1, -1)
        self.clear()

    def _move_keys(self) -> None:
        """llama.cpp moves them before it evaluates something: even a batch there is no room for, as this one."""
        status = self._evaluate(_SPARE, [0] * BESIDE)
        if status != _NO_ROOM:
            raise ModelError(f"llama.cpp could not move what was read ahead to its place (status {status}).")

    def clear(self) -> None:
        """See :class:`Spare`."""
        self._forget(_SPARE)
        for sequence in range(_COLLECTED, _COLLECTED + len(self._collected)):
            self._forget(sequence)
        self._collected = []

    def _forget(self, sequence: int) -> None:
        llama_cpp.llama_memory_seq_rm(self._memory, sequence, -1, -1)


def _put(context: object, sequence: int, state: bytearray) -> bool:
    buffer = (ctypes.c_uint8 * len(state)).from_buffer(state)
    return bool(llama_cpp.llama_state_seq_set_data(context, buffer, len(state), sequence) > 0)
