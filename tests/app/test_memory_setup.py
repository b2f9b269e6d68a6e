from pathlib import Path

import pytest

from app.llm.runtime import Context, LlamaRuntime
from app.models.memory import GB, Memory
from app.models.resolve import ResolvedModel, resolve
from app.models.setup import set_up
from app.settings import Settings, WindowSettings
from tests.app.models.conftest import MakeGguf, make_gguf  # noqa: F401 - a fixture


@pytest.fixture
def model(dense_gemma4: Path) -> ResolvedModel:
    return resolve(str(dense_gemma4), Path())


def settings(tokens: int) -> Settings:
    return Settings(window=WindowSettings(tokens=tokens))


def test_with_room_it_is_as_the_settings_say(model: ResolvedModel) -> None:
    assert set_up(model, settings(4096)) == (Context(4096), "")


def test_with_little_room_local_layers_keep_their_window_only(model: ResolvedModel) -> None:
    context, told = set_up(model, settings(4096), memory=Memory(8 * 2**20))
    assert (context, told) == (Context(4096, swa_full=False), "")


def test_with_less_the_window_is_shortened_and_told(model: ResolvedModel) -> None:
    context, told = set_up(model, settings(8192), memory=Memory(5 * 2**20))
    assert context.kv_type == "q8_0" and 2048 <= context.window < 8192
    assert told == (f"There is no memory for a window of 8,192 tokens (window.tokens), so it is {context.window:,}.")
    runtime = LlamaRuntime(model.path, context)
    assert runtime.window_size == context.window
    runtime.close()


def test_where_nothing_fits_it_is_as_the_settings_say(model: ResolvedModel) -> None:
    assert set_up(model, settings(8192), memory=Memory(2**20)) == (Context(8192), "")


def test_layers_go_on_a_card_that_is_known(model: ResolvedModel) -> None:
    assert set_up(model, settings(4096), memory=Memory(16 * GB, 8 * GB))[0].gpu_layers == 7


def test_a_header_that_says_too_little(make_gguf: MakeGguf, tmp_path: Path) -> None:  # noqa: F811
    path = make_gguf(tmp_path / "m.gguf")
    assert set_up(ResolvedModel(path, None, False, ""), settings(4096)) == (Context(4096), "")
