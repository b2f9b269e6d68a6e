import shutil
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from numpy.typing import NDArray

from app.doctor import examine
from app.errors import ModelError
from app.llm.identity import window_key
from app.llm.runtime import Adapter, Context, LlamaRuntime
from app.models.adapters import adapters_for, check_adapter, parse_adapter
from app.models.resolve import ResolvedModel
from app.models.setup import set_up
from app.settings import ModelSettings, Settings

RANK, WIDTH, ALL_HEADS = 4, 64, 128
TARGET = "blk.0.attn_q.weight"
A, B = (RANK, WIDTH), (ALL_HEADS, RANK)
"""Of the first layer's queries, as numpy has it."""


def write_lora(
    path: Path,
    tensors: Mapping[str, tuple[int, ...]] | None = None,
    architecture: str = "gemma4",
    **said: Any,
) -> Path:
    """A LoRA with random weights; `said` overrides what it says of itself, None leaves it out."""
    writer = gguf.GGUFWriter(path, architecture)
    words = {"general.type": "adapter", "adapter.type": "lora", **{key.replace("__", "."): said[key] for key in said}}
    for key, value in words.items():
        if isinstance(value, str):
            writer.add_string(key, value)
    writer.add_float32("adapter.lora.alpha", 8.0)
    random = np.random.default_rng(7)
    shapes = {f"{TARGET}.lora_a": A, f"{TARGET}.lora_b": B} if tensors is None else tensors
    for name, shape in shapes.items():
        writer.add_tensor(name, random.standard_normal(shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture
def lora(tmp_path: Path) -> Path:
    return write_lora(tmp_path / "style.gguf")


def logits(model: Path, *adapters: Adapter) -> NDArray[np.float32]:
    with closing(LlamaRuntime(model, Context(512, adapters=adapters))) as runtime:
        found: NDArray[np.float32] = runtime.logits(runtime.tokenize("<bos>When was it lit?", special=True))[-1]
        return found


def test_an_adapter_changes_what_the_model_says_by_its_scale(dense_gemma4: Path, lora: Path) -> None:
    plain = logits(dense_gemma4)
    assert np.array_equal(logits(dense_gemma4, Adapter(lora, 0.0)), plain)
    small = np.abs(logits(dense_gemma4, Adapter(lora, 0.01)) - plain).max()
    large = np.abs(logits(dense_gemma4, Adapter(lora)) - plain).max()
    assert 0 < small < large


def test_adapters_add_up(dense_gemma4: Path, lora: Path) -> None:
    twice = logits(dense_gemma4, Adapter(lora, 0.5), Adapter(lora, 0.5))
    np.testing.assert_allclose(twice, logits(dense_gemma4, Adapter(lora)), atol=0.05)


def test_the_settings_put_it_on_and_windows_without_it_are_not_its_own(dense_gemma4: Path, lora: Path) -> None:
    model = ResolvedModel(dense_gemma4, None, False, "")
    found = set_up(model, Settings(model=ModelSettings(lora=[f"{lora}:0.5"])))
    assert found.context.adapters == (Adapter(lora, 0.5),)
    assert all(each.adapters == found.context.adapters for each in found.smaller)
    without = replace(found.context, adapters=())
    assert window_key(dense_gemma4, found.context) != window_key(dense_gemma4, without)


@pytest.mark.parametrize(
    ("text", "file", "scale"),
    [
        ("style.gguf", "style.gguf", 1.0),
        ("style.gguf:0.5", "style.gguf", 0.5),
        ("style.gguf:-1", "style.gguf", -1.0),
        ("C:/loras/style.gguf", "C:/loras/style.gguf", 1.0),
        ("style:v2.gguf:2e-1", "style:v2.gguf", 0.2),
        ("style.gguf:nan", "style.gguf:nan", 1.0),
    ],
)
def test_a_name_with_and_without_scale(text: str, file: str, scale: float) -> None:
    assert parse_adapter(text) == Adapter(Path(file).absolute(), scale)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"architecture": "llama"}, "its architecture is llama, that of dense.gguf is gemma4"),
        ({"tensors": {"blk.9.attn_q.weight.lora_a": A, "blk.9.attn_q.weight.lora_b": B}}, "has no blk.9"),
        ({"tensors": {f"{TARGET}.lora_a": (RANK, 32), f"{TARGET}.lora_b": B}}, "attn_q.weight is not of the size"),
        ({"tensors": {f"{TARGET}.lora_a": A, f"{TARGET}.lora_b": (ALL_HEADS, RANK + 1)}}, "is not of the size"),
        ({"tensors": {f"{TARGET}.lora_a": A}}, "lacks its other half"),
        ({"tensors": {"blk.0.attn_q.bias": (ALL_HEADS,)}}, "no part of a LoRA"),
        ({"tensors": {}}, "without any weights"),
        ({"general__type": "model"}, "is no adapter"),
        ({"adapter__type": "control_vector"}, "of the kind control_vector"),
        ({"adapter__alora__invocation_tokens": "x"}, "aLoRA"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(
    dense_gemma4: Path, tmp_path: Path, made: dict[str, Any], said: str
) -> None:
    path = write_lora(tmp_path / "other.gguf", **made)
    with pytest.raises(ModelError, match=said) as refused:
        check_adapter(path, dense_gemma4)
    assert refused.value.hint


def test_an_adapter_of_another_model_of_the_same_kind_is_refused(shared_gemma4: Path, tmp_path: Path) -> None:
    tensors = {"blk.9.attn_k.weight.lora_a": A, "blk.9.attn_k.weight.lora_b": (64, RANK)}
    with pytest.raises(ModelError, match=r"adapter for another model: shared.gguf has no blk.9.attn_k"):
        check_adapter(write_lora(tmp_path / "other.gguf", tensors), shared_gemma4)


def test_what_is_missing_or_cut_short_is_told(dense_gemma4: Path, lora: Path) -> None:
    lora.write_bytes(lora.read_bytes()[:-100])
    for named, said in (
        ("none.gguf", "There is no file"),
        (str(lora), "incomplete"),
        (str(dense_gemma4), "no adapter"),
    ):
        with pytest.raises(ModelError, match=said):
            adapters_for(dense_gemma4, [named])


def test_the_doctor_tells_which_adapters_answer(home: Path, dense_gemma4: Path, lora: Path) -> None:
    (home / "models").mkdir(parents=True)
    shutil.copy(dense_gemma4, home / "models")
    settings = Settings(model=ModelSettings(lora=[f"{lora}:0.5"]))
    check = next(each for each in examine(settings) if each.name == "model")
    assert check.said.endswith("with style.gguf (scale 0.5)")
    lora.unlink()
    check = next(each for each in examine(settings) if each.name == "model")
    assert not check.ok and "There is no file" in check.said
