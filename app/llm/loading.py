"""From a GGUF file to a llama.cpp model and a context to run it in."""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal

import llama_cpp
import psutil

from app.errors import ModelError
from app.llm.joined import BESIDE, TOGETHER

BATCH = 128
"""Tokens handed to llama.cpp at once: progress can be shown, and a stop takes effect, between two batches."""
_WINDOW_SEQUENCES = 3
"""Of a context that joins; :mod:`app.llm.spare` tells what each is for."""
_BESIDE_SEQUENCES = 2 + TOGETHER


@dataclass(frozen=True, slots=True)
class Adapter:
    """A LoRA in a GGUF of its own: small matrices that are added to those of the model."""

    path: Path
    scale: float = 1.0
    """How much of it is added."""

    def __str__(self) -> str:
        """Name and scale, for a person."""
        return self.path.name if self.scale == 1 else f"{self.path.name} (scale {self.scale:g})"


@dataclass(frozen=True, slots=True)
class Context:
    """How a model is run."""

    window: int
    """Tokens the KV cache holds; capped by what the model was trained for."""
    gpu_layers: int = -1
    """-1 means all, where there is a GPU."""
    kv_type: Literal["f16", "q8_0", "q4_0"] = "f16"
    """What the numbers in the KV cache are kept as; the quantized ones need flash attention."""
    swa_full: bool = True
    """Whether layers with a sliding window keep the whole window."""
    flash_attention: bool | None = None
    """None leaves it to llama.cpp."""
    adapters: tuple[Adapter, ...] = ()
    joins: bool = False
    """Whether passages that were read ahead can be joined to the window; only a cache that keeps all can do it."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model in llama.cpp's memory."""

    model: object
    context: object
    """Holds the window."""
    beside: object | None
    """A small context where passages are read ahead; None where nothing can be joined."""
    taken: Context
    """How it is run."""

    def free(self) -> None:
        """Gives the memory back."""
        for context in filter(None, (self.beside, self.context)):
            llama_cpp.llama_free(context)
        llama_cpp.llama_model_free(self.model)


def load(path: Path, contexts: Sequence[Context]) -> Loaded:
    """Loads a model to be run in the first of the contexts that there is memory for.

    Raises :class:`ModelError` where there is memory for none of them, or llama.cpp cannot load the file.
    """
    llama_cpp.llama_backend_init()
    readable = False
    for layers, wanted in groupby(contexts, lambda each: each.gpu_layers):
        model = _model(path, layers)
        readable = readable or bool(model)
        for each in wanted if model else ():
            if loaded := _loaded(model, each):
                return loaded
        llama_cpp.llama_model_free(model)
    raise _no_memory(path, contexts[-1]) if readable else _unreadable(path)


def _model(path: Path, gpu_layers: int) -> object:
    params = llama_cpp.llama_model_default_params()
    params.n_gpu_layers = gpu_layers
    return llama_cpp.llama_model_load_from_file(str(path).encode(), params)


def _loaded(model: object, wanted: Context) -> Loaded | None:
    """A model with its contexts; None where there is no memory for these."""
    size = min(wanted.window, int(llama_cpp.llama_model_n_ctx_train(model)))
    context = _context(model, wanted, size, BATCH, _WINDOW_SEQUENCES)
    joins = wanted.joins and context and llama_cpp.llama_memory_can_shift(llama_cpp.llama_get_memory(context))
    beside = _context(model, wanted, BESIDE, BESIDE, _BESIDE_SEQUENCES) if joins else None
    if context and joins and not beside:
        llama_cpp.llama_free(context)
        return None
    loaded = Loaded(model, context, beside, wanted)
    for each in filter(None, (context, beside)):
        _adapt(loaded, each)
    return loaded if context else None


def _context(model: object, wanted: Context, size: int, batch: int, sequences: int) -> object:
    """For `size` tokens, of which at most `batch` are handed over at once."""
    params = llama_cpp.llama_context_default_params()
    params.n_ctx, params.n_batch, params.n_ubatch = size, batch, BATCH
    params.n_threads = params.n_threads_batch = psutil.cpu_count(logical=False) or 1
    params.swa_full = wanted.swa_full
    params.kv_unified = wanted.joins
    params.n_seq_max = sequences if wanted.joins else 1
    params.type_k = params.type_v = KV_TYPES[wanted.kv_type]
    params.flash_attn_type = -1 if wanted.flash_attention is None else int(wanted.flash_attention)
    return llama_cpp.llama_init_from_model(model, params)


def _adapt(loaded: Loaded, context: object) -> None:
    """Puts the adapters on; they are freed with the model."""
    wanted = loaded.taken.adapters
    handles = (llama_cpp.llama_adapter_lora_p_ctypes * len(wanted))()
    for place, adapter in enumerate(wanted):
        handle = llama_cpp.llama_adapter_lora_init(loaded.model, str(adapter.path).encode())
        if not handle:
            loaded.free()
            raise ModelError(
                f"llama.cpp cannot load the adapter {adapter.path.name}.", "Leave out model.lora or --lora."
            )
        handles[place] = ctypes.cast(handle, llama_cpp.llama_adapter_lora_p_ctypes)
    scales = (ctypes.c_float * len(wanted))(*(adapter.scale for adapter in wanted))
    llama_cpp.llama_set_adapters_lora(context, handles, len(wanted), scales)


def _unreadable(path: Path) -> ModelError:
    return ModelError(
        f"llama.cpp cannot load {path.name}.",
        "There may be too little memory, the file may be damaged, or its architecture newer than this llama.cpp; "
        "`transom models pull` fetches one that works.",
    )


def _no_memory(path: Path, least: Context) -> ModelError:
    return ModelError(
        f"There is not enough memory for {path.name}, not even with a window of {least.window:,} tokens.",
        "Close other programs, set a smaller window.tokens in the settings, or use a smaller model.",
    )


KV_TYPES = {
    "f16": llama_cpp.GGML_TYPE_F16,
    "q8_0": llama_cpp.GGML_TYPE_Q8_0,
    "q4_0": llama_cpp.GGML_TYPE_Q4_0,
}
