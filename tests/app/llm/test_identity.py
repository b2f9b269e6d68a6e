import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from app.llm.identity import window_key
from app.llm.runtime import Adapter, Context

CONTEXT = Context(4096)


@pytest.fixture
def model(dense_gemma4: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy2(dense_gemma4, tmp_path / "model.gguf"))


def test_the_same_file_under_another_name_has_the_same_key(model: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copy2(model, tmp_path / "moved.gguf"))
    assert window_key(moved, CONTEXT) == window_key(model, CONTEXT)


def test_another_file_of_the_same_size_and_time_has_another_key(model: Path) -> None:
    before, times = window_key(model, CONTEXT), model.stat()
    with model.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"!")
    os.utime(model, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert window_key(model, CONTEXT) != before


def test_a_file_that_was_written_again_has_another_key(model: Path) -> None:
    before = window_key(model, CONTEXT)
    os.utime(model, ns=(1, 1))
    assert window_key(model, CONTEXT) != before


@pytest.mark.parametrize(
    "change", [{"window": 2048}, {"kv_type": "q8_0"}, {"swa_full": False}, {"flash_attention": True}]
)
def test_what_changes_a_state_changes_the_key(model: Path, change: dict[str, object]) -> None:
    assert window_key(model, replace(CONTEXT, **change)) != window_key(model, CONTEXT)  # type: ignore[arg-type]


def test_where_it_is_computed_does_not_change_the_key(model: Path) -> None:
    assert window_key(model, replace(CONTEXT, gpu_layers=3)) == window_key(model, CONTEXT)


def test_an_adapter_and_its_scale_change_the_key(model: Path, shared_gemma4: Path) -> None:
    adapters = [(), (Adapter(shared_gemma4),), (Adapter(shared_gemma4, 0.5),), (Adapter(shared_gemma4),) * 2]
    assert len({window_key(model, replace(CONTEXT, adapters=each)) for each in adapters}) == len(adapters)
