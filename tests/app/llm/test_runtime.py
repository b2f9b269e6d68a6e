import resource
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from app.errors import ModelError
from app.llm.runtime import Context, LlamaRuntime
from tests.gemma4 import DENSE, write

WIDE = 400_000
"""Tokens: 0.6 GB of KV cache as f16 in the tiny model, 0.3 GB as q8_0."""


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that was trained for a very long window."""
    return write(tmp_path_factory.mktemp("wide") / "wide.gguf", replace(DENSE, context=1 << 20))


@contextmanager
def little_memory(spare: int) -> Iterator[None]:
    """This process gets no more than `spare` bytes meanwhile."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (psutil.Process().memory_info().vms + spare, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def test_an_allocation_that_fails_steps_down(wide: Path) -> None:
    smaller = [Context(WIDE, kv_type="q8_0"), Context(4096, kv_type="q8_0"), Context(2048, kv_type="q8_0")]
    with little_memory(200 * 2**20), closing(LlamaRuntime(wide, Context(WIDE), *smaller)) as runtime:
        assert runtime.context == smaller[1]
        assert runtime.window_size == 4096
        runtime.decode(runtime.tokenize("It still reads.", special=False))


def test_where_there_is_room_nothing_smaller_is_taken(wide: Path) -> None:
    with closing(LlamaRuntime(wide, Context(4096), Context(2048))) as runtime:
        assert runtime.context == Context(4096)


def test_without_memory_for_any_context_it_says_so(wide: Path) -> None:
    with little_memory(100 * 2**20), pytest.raises(ModelError, match="not even with a window of 300,000 tokens"):
        LlamaRuntime(wide, Context(WIDE), Context(300_000))


def test_a_file_that_llama_cpp_does_not_take_is_told(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ModelError, match=r"cannot load model\.gguf"):
        LlamaRuntime(path, Context(512))


def test_logits_behind_every_token_are_those_of_one_after_the_other(dense_gemma4: Path) -> None:
    with closing(LlamaRuntime(dense_gemma4, Context(512, flash_attention=False))) as runtime:
        tokens = runtime.tokenize("When was the tower lit?", special=False)
        together = runtime.logits(tokens)
        runtime.keep(0)
        single = np.concatenate([runtime.logits([token]) for token in tokens])
    np.testing.assert_allclose(together, single, atol=0.05)
