"""From a GGUF file to a llama.cpp model and a context to run it in."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import llama_cpp
import psutil

from app.errors import ModelError

BATCH = 128
"""Tokens handed to llama.cpp at once: progress can be shown, and a stop takes effect, between two batches."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """A LoRA in a GGUF of its own: small matrices that are added to those of the model."""

    path: Path
    scale: float = 1.0
    """How much of it is added."""


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


def load_model(path: Path, gpu_layers: int) -> object:
    """The model in a file. Raises :class:`ModelError` where llama.cpp cannot load it."""
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


def new_context(model: object, path: Path, wanted: Context) -> object:
    """A context with an empty KV cache. Raises :class:`ModelError` where there is no memory for it."""
    trained = int(llama_cpp.llama_model_n_ctx_train(model))
    params = llama_cpp.llama_context_default_params()
    params.n_ctx = min(wanted.window, trained)
    params.n_batch = params.n_ubatch = BATCH
    params.n_threads = params.n_threads_batch = psutil.cpu_count(logical=False) or 1
    params.swa_full = wanted.swa_full
    params.type_k = params.type_v = KV_TYPES[wanted.kv_type]
    params.flash_attn_type = -1 if wanted.flash_attention is None else int(wanted.flash_attention)
    context = llama_cpp.llama_init_from_model(model, params)
    if not context:
        llama_cpp.llama_model_free(model)
        raise ModelError(
            f"There is not enough memory for {path.name} with a window of {params.n_ctx} tokens.",
            "Set a smaller window.tokens in the settings, or use a smaller model.",
        )
    return context


KV_TYPES = {
    "f16": llama_cpp.GGML_TYPE_F16,
    "q8_0": llama_cpp.GGML_TYPE_Q8_0,
    "q4_0": llama_cpp.GGML_TYPE_Q4_0,
}
