"""llama.cpp's low-level API behind a dozen typed calls. Nothing else in Transom touches `llama_cpp`.

The context is owned directly and not through `llama_cpp.Llama`, because Transom keeps account of what the KV
cache holds, token by token, and because later parts need sequences that the `Llama` class does not expose.
"""

import ctypes
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import llama_cpp
import psutil

from app.errors import ModelError, WindowError

logging.getLogger("llama-cpp-python").setLevel(logging.CRITICAL + 1)

BATCH = 128
"""Tokens handed to llama.cpp at once: progress can be shown, and a stop takes effect, between two batches."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen; temperature 0 takes the likeliest."""

    temperature: float = 0.0
    top_k: int = 0
    """0 considers every token."""
    top_p: float = 1.0
    seed: int = 0


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

    def keep(self, count: int) -> int:
        """Cuts the cache back to its first `count` tokens, or to fewer; returns how many are kept."""
        ...

    def decode(self, tokens: Sequence[int]) -> None:
        """Evaluates at most :data:`BATCH` tokens behind what the cache holds."""
        ...

    def sampler(self, sampling: Sampling) -> Sampler:
        """A sampler over this model's logits."""
        ...

    def close(self) -> None:
        """Gives the model's memory back."""
        ...


class LlamaRuntime:
    """A GGUF file run by llama.cpp."""

    def __init__(self, path: Path, window_size: int, gpu_layers: int = -1) -> None:
        """Loads the model: seconds to minutes. Raises :class:`ModelError` where it cannot be loaded.

        `window_size` is capped by what the model was trained for; `gpu_layers` -1 means all where there is a GPU.
        """
        llama_cpp.llama_backend_init()
        self._model = _load_model(path, gpu_layers)
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        self._context = _new_context(self._model, path, window_size)
        self._memory = llama_cpp.llama_get_memory(self._context)

    @property
    def window_size(self) -> int:
        """Tokens the KV cache can hold."""
        return int(llama_cpp.llama_n_ctx(self._context))

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

    def keep(self, count: int) -> int:
        """Cuts the cache back to its first `count` tokens.

        Exact because the context is made with `swa_full`: a windowed cache may have lost what it would need.
        """
        if not llama_cpp.llama_memory_seq_rm(self._memory, 0, count, -1):
            llama_cpp.llama_memory_clear(self._memory, True)
            return 0
        return count

    def decode(self, tokens: Sequence[int]) -> None:
        """Evaluates at most :data:`BATCH` tokens behind what the cache holds."""
        array = (llama_cpp.llama_token * len(tokens))(*tokens)
        status = llama_cpp.llama_decode(self._context, llama_cpp.llama_batch_get_one(array, len(tokens)))
        if status == 1:
            raise WindowError("The model's window is full.", "Begin a new conversation.")
        if status != 0:
            raise ModelError(f"llama.cpp could not evaluate the text (status {status}).")

    def sampler(self, sampling: Sampling) -> Sampler:
        """A sampler over this model's logits."""
        return _LlamaSampler(self._context, sampling)

    def close(self) -> None:
        """Gives the model's memory back."""
        llama_cpp.llama_free(self._context)
        llama_cpp.llama_model_free(self._model)

    def _name(self, token: int) -> str:
        return self.piece(token).decode("utf-8", "replace") if token >= 0 else ""


class _LlamaSampler:
    """A chain of llama.cpp's samplers: top-k, top-p, temperature, draw."""

    def __init__(self, context: object, sampling: Sampling) -> None:
        self._context = context
        self._chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
        for link in _links(sampling):
            llama_cpp.llama_sampler_chain_add(self._chain, link)

    def sample(self) -> int:
        """The next token."""
        return int(llama_cpp.llama_sampler_sample(self._chain, self._context, -1))

    def close(self) -> None:
        """Gives its memory back."""
        llama_cpp.llama_sampler_free(self._chain)


def _links(sampling: Sampling) -> list[object]:
    if sampling.temperature <= 0:
        return [llama_cpp.llama_sampler_init_greedy()]
    return [
        llama_cpp.llama_sampler_init_top_k(sampling.top_k),
        llama_cpp.llama_sampler_init_top_p(sampling.top_p, 1),
        llama_cpp.llama_sampler_init_temp(sampling.temperature),
        llama_cpp.llama_sampler_init_dist(sampling.seed),
    ]


def _load_model(path: Path, gpu_layers: int) -> object:
    params = llama_cpp.llama_model_default_params()
    params.n_gpu_layers = gpu_layers
    model = llama_cpp.llama_model_load_from_file(str(path).encode(), params)
    if not model:
        raise ModelError(
            f"llama.cpp cannot load {path.name}.",
            "The file may be damaged, or its architecture newer than this llama.cpp; `transom models pull` "
            "fetches one that works.",
        )
    return model


def _new_context(model: object, path: Path, window_size: int) -> object:
    trained = int(llama_cpp.llama_model_n_ctx_train(model))
    params = llama_cpp.llama_context_default_params()
    params.n_ctx = min(window_size, trained)
    params.n_batch = params.n_ubatch = BATCH
    params.n_threads = params.n_threads_batch = psutil.cpu_count(logical=False) or 1
    params.swa_full = True
    context = llama_cpp.llama_init_from_model(model, params)
    if not context:
        llama_cpp.llama_model_free(model)
        raise ModelError(
            f"There is not enough memory for {path.name} with a window of {params.n_ctx} tokens.",
            "Set a smaller window.tokens in the settings, or use a smaller model.",
        )
    return context
