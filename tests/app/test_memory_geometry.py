import itertools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llama_cpp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import ModelError
from app.models.geometry import Cache, Geometry, KvType
from app.models.header import Header, Skipped, Tensor, Value, read_header
from tests.llama_log import llama_log

TYPES: dict[KvType, int] = {"f16": llama_cpp.GGML_TYPE_F16, "q8_0": llama_cpp.GGML_TYPE_Q8_0}
BATCH = 128


@dataclass(frozen=True)
class Allocated:
    """Bytes, as llama.cpp's log tells them."""

    kv: float
    compute: float


def allocated(model: Any, cache: Cache) -> Allocated:
    params = llama_cpp.llama_context_default_params()
    params.n_ctx, params.n_batch, params.n_ubatch = cache.window, cache.batch, cache.batch
    params.type_k = params.type_v = TYPES[cache.kv_type]
    params.swa_full, params.flash_attn_type = cache.swa_full, int(cache.flash_attention)
    with llama_log() as lines:
        context = llama_cpp.llama_init_from_model(model, params)
        assert context
        llama_cpp.llama_free(context)
    sizes = re.findall(r"(KV|compute) buffer size = +([\d.]+) MiB", "".join(lines))
    return Allocated(
        *(sum(float(size) * 2**20 for kind, size in sizes if kind == wanted) for wanted in ("KV", "compute"))
    )


def caches(window: int) -> list[Cache]:
    every = itertools.product(TYPES, (True, False), (True, False))
    return [Cache(window, kv, full, flash, BATCH) for kv, full, flash in every if flash or kv == "f16"]


def check(path: Path, window: int) -> None:
    geometry = Geometry.of(read_header(path))
    with llama_log():
        model = llama_cpp.llama_model_load_from_file(str(path).encode(), llama_cpp.llama_model_default_params())
    try:
        for cache in caches(window):
            found = allocated(model, cache)
            assert geometry.kv(cache) == pytest.approx(found.kv, rel=0.05), cache
            assert geometry.compute(cache) == pytest.approx(found.compute, rel=0.1, abs=2**20), cache
        assert geometry.weights == llama_cpp.llama_model_size(model)
    finally:
        llama_cpp.llama_model_free(model)


@pytest.mark.parametrize("shape", ["dense_gemma4", "shared_gemma4"])
@pytest.mark.parametrize("window", [1000, 8000])
def test_planned_is_what_llama_cpp_allocates(shape: str, window: int, request: pytest.FixtureRequest) -> None:
    check(request.getfixturevalue(shape), window)


@pytest.mark.model
def test_planned_is_what_llama_cpp_allocates_for_the_starter(starter_model: Path) -> None:
    check(starter_model, 4000)


def gemma4(layers: int, period: int, local_heads: int, global_heads: int, window: int, shared: int) -> Geometry:
    """As the header of a real Gemma 4 has it."""
    local = tuple(number % period != period - 1 for number in range(layers))
    said: dict[str, Value] = {
        "block_count": layers,
        "context_length": 262144,
        "embedding_length": 2560,
        "attention.head_count": 8,
        "attention.head_count_kv": tuple(local_heads if each else global_heads for each in local),
        "attention.key_length": 512,
        "attention.value_length": 512,
        "attention.key_length_swa": 256,
        "attention.value_length_swa": 256,
        "attention.sliding_window": window,
        "attention.sliding_window_pattern": local,
        "attention.shared_kv_layers": shared,
    }
    metadata: dict[str, Value] = {f"gemma4.{key}": value for key, value in said.items()}
    metadata |= {"general.architecture": "gemma4", "tokenizer.ggml.tokens": Skipped(262144)}
    return Geometry.of(Header(3, metadata, (Tensor("token_embd.weight", (2560, 262144), 1, 0),)))


# GiB at 131,072 tokens with batches of 512, windowed and full, for f16, q8_0 and q4_0.
FAMILY = {
    "E2B": (gemma4(35, 5, 1, 1, 512, 20), ("0.76 2.25", "0.40 1.20", "0.21 0.63")),
    "E4B": (gemma4(42, 6, 2, 2, 512, 18), ("2.04 7.0", "1.08 3.7", "0.57 2.0")),
    "12B": (gemma4(48, 6, 8, 1, 1024, 0), ("2.5 42", "1.3 22", "0.7 12")),
    "26B-A4B": (gemma4(30, 6, 8, 2, 1024, 0), ("2.8 27.5", "1.5 14.6", "0.8 7.7")),
    "31B": (gemma4(60, 6, 16, 4, 1024, 0), ("11.2 110", "5.9 58", "3.1 31")),
}


@pytest.mark.parametrize("name", FAMILY)
def test_the_gemma_4_family(name: str) -> None:
    geometry, rows = FAMILY[name]
    types: tuple[KvType, ...] = ("f16", "q8_0", "q4_0")
    for kv_type, row in zip(types, rows, strict=True):
        assert geometry.can_hold(kv_type)
        for swa_full, expected in zip((False, True), row.split(), strict=True):
            planned = geometry.kv(Cache(131072, kv_type, swa_full, True, 512)) / 2**30
            assert f"{planned:.{len(expected.partition('.')[2])}f}" == expected, (kv_type, swa_full)


def test_a_pattern_the_file_leaves_out_is_the_architectures() -> None:
    said: dict[str, Value] = {
        "general.architecture": "gemma3",
        **{f"gemma3.{key}": value for key, value in {
            "block_count": 18, "context_length": 32768, "embedding_length": 640, "attention.head_count": 4,
            "attention.head_count_kv": 1, "attention.key_length": 256, "attention.value_length": 256,
            "attention.sliding_window": 512}.items()},
    }  # fmt: skip
    geometry = Geometry.of(Header(3, said, ()))
    assert [number for number, layer in enumerate(geometry.layers) if not layer.local] == [5, 11, 17]
    assert geometry.kv(Cache(8000, "f16", False, True, 128)) == 35.25 * 2**20  # what llama.cpp allocates


def test_an_architecture_whose_pattern_is_not_known_is_planned_without_a_window() -> None:
    said: dict[str, Value] = {"general.architecture": "new", "new.block_count": 2, "new.context_length": 4096,
                              "new.embedding_length": 64, "new.attention.head_count": 2,
                              "new.attention.sliding_window": 128}  # fmt: skip
    geometry = Geometry.of(Header(3, said, ()))
    assert geometry.sliding_window == 0
    assert geometry.kv(Cache(4096, "f16", False, True, 128)) == 2 * 2 * 64 * 2 * 4096


scalar = st.one_of(st.integers(-5, 2**40), st.booleans(), st.text(max_size=3), st.floats())
KEYS = ("block_count", "context_length", "embedding_length", "attention.head_count", "attention.head_count_kv",
        "attention.sliding_window", "attention.sliding_window_pattern", "attention.shared_kv_layers")  # fmt: skip


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), st.one_of(scalar, st.lists(scalar, max_size=4).map(tuple))))
def test_any_header_is_measured_or_refused(said: dict[str, Value]) -> None:
    metadata: dict[str, Value] = {"general.architecture": "x", **{f"x.{key}": value for key, value in said.items()}}
    try:
        Geometry.of(Header(3, metadata, ())).kv(Cache(4096, "f16", False, False, 128))
    except ModelError as error:
        assert error.message
