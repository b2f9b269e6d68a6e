"""A sentence-transformers model at work: documents in mini-batches, a query ahead of them.

On a processor each mini-batch runs on one core, as many side by side as there are cores. That wastes less than
one batch on all cores: nobody waits for the slowest core after every layer, least of all on a busy machine. Short
batches of texts of like length waste less, too: there is little padding, and what a layer hands on stays in the
core's cache.
"""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import deepcopy
from functools import cache
from itertools import chain
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = NDArray[np.float32]
"""One row for each text, each of length 1."""
Backend = Literal["fp32", "onednn", "bf16"]
"""How a model computes.

`fp32` is torch as it comes. `onednn` is the same arithmetic by another library, which suits some processors better.
`bf16` multiplies matrices in bfloat16 and adds up in float32: fast where the hardware has it, slow where it has not.
"""

_TOKENS = 1024
"""Tokens in a mini-batch, padding included: a fraction of a second of work."""
_TOKENS_ON_GPU = 16384


class Encoder:
    """Runs one model, from any number of threads."""

    def __init__(self, model: "SentenceTransformer") -> None:
        """Takes the model over. On a processor it sets torch to one thread, for the whole process."""
        self.device = str(model.device.type)
        self.cores = _cores() if self.device == "cpu" else 1
        self._gate = _Gate()
        self._query_model = model
        self._models: SimpleQueue[SentenceTransformer] = SimpleQueue()
        for _ in range(self.cores):
            self._models.put(_twin(model, self._gate))
        self._tokenizer = Tokenizer.from_str(model.tokenizer.backend_tokenizer.to_str())
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(model.max_seq_length or 512)

    def query(self, text: str, prompt: str) -> Vectors:
        """The vector of one text, as a single row, computed in float32; documents make room meanwhile."""
        with self._gate.ahead():
            return _encode(self._query_model, [text], prompt)

    def batches(self, texts: Sequence[str], prompt: str, backend: Backend) -> Iterator[tuple[list[int], Vectors]]:
        """The vectors of `texts`, mini-batch by mini-batch, the longest texts first.

        Each item is positions in `texts` and their vectors. Closing the iterator ends the work after the
        mini-batches that are being computed, within a fraction of a second.
        """
        plan = self._plan(texts)
        pool = ThreadPoolExecutor(self.cores, "transom-embedder")
        try:
            computed = pool.map(lambda batch: self.compute([texts[at] for at in batch], prompt, backend), plan)
            yield from zip(plan, computed, strict=True)
        finally:
            pool.shutdown(cancel_futures=True)

    def compute(self, texts: Sequence[str], prompt: str, backend: Backend) -> Vectors:
        """The vectors of one mini-batch, computed in this thread."""
        model = self._models.get()
        try:
            with computing(backend, self.device):
                return _encode(model, texts, prompt)
        finally:
            self._models.put(model)

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as the model sees it, special tokens included."""
        return [len(encoding.ids) for encoding in self._tokenizer.encode_batch_fast(list(texts))]

    def _plan(self, texts: Sequence[str]) -> list[list[int]]:
        lengths = self.lengths(texts)
        limit = _TOKENS if self.device == "cpu" else _TOKENS_ON_GPU
        return mini_batches(lengths, min(limit, sum(lengths) // self.cores))  # few texts are spread over all cores


def mini_batches(lengths: Sequence[int], tokens: int) -> list[list[int]]:
    """Positions of texts of these `lengths`, the longest first, so that no batch is padded to more than `tokens`.

    A text that is longer than that has a batch of its own.
    """
    batches: list[list[int]] = []
    room = 0
    for position in sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True):
        if not room:
            room = max(1, tokens // max(1, lengths[position]))
            batches.append([])
        batches[-1].append(position)
        room -= 1
    return batches


def computing(backend: Backend, device: str) -> AbstractContextManager[Any]:
    """Within it, this thread computes by `backend`.

    Which library multiplies float32 matrices is the process's choice, not the thread's: it stays as last set.
    """
    import torch

    if device == "cpu":
        torch.set_float32_matmul_precision("medium" if backend == "onednn" else "highest")
    return torch.autocast(device, torch.bfloat16) if backend == "bf16" else nullcontext()


def _encode(model: "SentenceTransformer", texts: Sequence[str], prompt: str) -> Vectors:
    vectors = model.encode(
        list(texts),
        prompt=prompt or None,
        batch_size=len(texts),
        normalize_embeddings=True,
        convert_to_tensor=True,
        show_progress_bar=False,
    )
    array: Vectors = vectors.float().cpu().numpy()
    return array


@cache
def _cores() -> int:
    """As many as torch would use for one batch; from now on it uses one."""
    import torch

    cores = torch.get_num_threads()
    torch.set_num_threads(1)
    return cores


class _Gate:
    """Open for documents unless a query is being computed."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()
        self._lock = threading.Lock()
        self._queries = 0

    @contextmanager
    def ahead(self) -> Iterator[None]:
        """Holds documents up."""
        with self._lock:
            self._queries += 1
            self._open.clear()
        try:
            yield
        finally:
            with self._lock:
                self._queries -= 1
                if not self._queries:
                    self._open.set()

    def wait(self, *_: object) -> None:
        """Returns when the gate is open: what a model calls before each of its matrices."""
        self._open.wait()


def _twin(model: "SentenceTransformer", gate: _Gate) -> "SentenceTransformer":
    """The same weights in memory, with a tokenizer of its own (tokenizers are not made for several threads)."""
    from torch.nn import Linear

    shared = {id(tensor): tensor for tensor in chain(model.parameters(), model.buffers())}
    twin = deepcopy(model, shared)
    for module in twin.modules():
        if isinstance(module, Linear):
            module.register_forward_pre_hook(gate.wait)
    return twin
