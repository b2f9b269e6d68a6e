from pathlib import Path

import pytest

from app.answers import ReadAhead
from app.errors import ModelError
from app.llm import agreement
from app.llm.runtime import Context, LlamaRuntime
from app.models.memory import GB, Memory
from app.models.resolve import ResolvedModel, resolve
from app.models.setup import set_up
from app.settings import AnsweringSettings, ModelSettings, Settings, WindowSettings
from tests.app.models.conftest import MakeGguf, make_gguf  # noqa: F401 - a fixture


@pytest.fixture
def model(dense_gemma4: Path) -> ResolvedModel:
    return resolve(str(dense_gemma4), Path())


def settings(tokens: int, **model: object) -> Settings:
    return Settings(window=WindowSettings(tokens=tokens), model=ModelSettings.model_validate(model))


def ahead(read_ahead: ReadAhead) -> Settings:
    return settings(4096).model_copy(update={"answering": AnsweringSettings(read_ahead=read_ahead)})


def test_with_room_it_is_as_the_settings_say(model: ResolvedModel) -> None:
    found = set_up(model, ahead("off"), memory=Memory(8 * GB))
    assert (found.context, found.notice) == (Context(4096, swa_full=False), "")


def test_local_layers_keep_the_whole_window_where_that_is_wished(model: ResolvedModel) -> None:
    assert set_up(model, settings(4096, swa_full=True)).context.swa_full


@pytest.mark.parametrize(("read_ahead", "card"), [("auto", 0), ("on", 0), ("on", 8 * GB)])
def test_they_do_so_that_what_is_read_ahead_can_be_joined(
    model: ResolvedModel, read_ahead: ReadAhead, card: int
) -> None:
    context = set_up(model, ahead(read_ahead), memory=Memory(16 * GB, card)).context
    assert (context.swa_full, context.joins) == (True, True)


def test_left_to_us_they_do_not_where_a_card_reads_fast(model: ResolvedModel) -> None:
    context = set_up(model, ahead("auto"), memory=Memory(16 * GB, 8 * GB)).context
    assert (context.swa_full, context.joins) == (False, False)


def test_nothing_is_joined_where_llama_cpp_would_crash(model: ResolvedModel) -> None:
    context = set_up(model, settings(4096, kv_type="q8_0", swa_full=True)).context  # its local heads are 32 wide
    assert (context.swa_full, context.joins) == (True, False)


def test_a_wished_cache_is_taken_though_there_is_room(model: ResolvedModel) -> None:
    assert set_up(model, settings(4096, kv_type="q8_0")).context.kv_type == "q8_0"


def test_with_less_the_window_is_shortened_and_told(model: ResolvedModel) -> None:
    found = set_up(model, settings(8192), memory=Memory(5 * 2**20))
    assert found.context.kv_type == "q8_0" and 2048 <= found.context.window < 8192
    assert found.notice == (
        f"There is no memory for a window of 8,192 tokens (window.tokens), so it is {found.context.window:,}."
    )
    runtime = LlamaRuntime(model.path, found.context)
    assert runtime.window_size == found.context.window
    runtime.close()


def test_where_nothing_fits_it_is_as_the_settings_say(model: ResolvedModel) -> None:
    assert set_up(model, settings(8192), memory=Memory(2**20)).context == Context(8192, swa_full=False)


def test_layers_go_on_a_card_that_is_known(model: ResolvedModel) -> None:
    assert set_up(model, settings(4096), memory=Memory(16 * GB, 8 * GB)).context.gpu_layers == 7


def test_a_header_that_says_too_little(make_gguf: MakeGguf, tmp_path: Path) -> None:  # noqa: F811
    found = set_up(ResolvedModel(make_gguf(tmp_path / "m.gguf"), None, False, ""), settings(4096, kv_type="q8_0"))
    assert (found.context, found.notice) == (Context(4096, kv_type="q8_0", swa_full=False), "")


def test_what_is_tried_where_memory_fails_gets_smaller_step_by_step(model: ResolvedModel) -> None:
    found = set_up(model, settings(8192), memory=Memory(16 * GB, 8 * GB))
    tried = [(each.kv_type, each.window, each.gpu_layers) for each in (found.context, *found.smaller)]
    assert tried == [
        ("f16", 8192, 7), ("q8_0", 8192, 7), ("q8_0", 4096, 7), ("q8_0", 2048, 7), ("q8_0", 2048, 0)
    ]  # fmt: skip


def test_a_wished_cache_is_kept_where_memory_fails(model: ResolvedModel) -> None:
    smaller = set_up(model, settings(4096, kv_type="f16", gpu_layers=0)).smaller
    assert [(each.kv_type, each.window) for each in smaller] == [("f16", 2048)]


def test_what_was_taken_instead_is_told(model: ResolvedModel) -> None:
    found = set_up(model, settings(8192), memory=Memory(16 * GB, 8 * GB))
    assert found.told(found.context) == ""
    said = found.told(found.smaller[-1])
    assert "8,192 tokens: it is 2,048 tokens, kept as q8_0, and no layer is on the graphics card." in said


def test_a_coarse_cache_that_answers_otherwise_is_refused_with_the_figure_and_tested_once(
    model: ResolvedModel, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir()
    for _ in range(2):
        with pytest.raises(ModelError, match=r"q4_0 changes what dense.gguf says: \d+% of the likeliest") as refused:
            set_up(model, settings(2048, kv_type="q4_0"))
        assert "q8_0" in refused.value.hint
        monkeypatch.setattr(agreement, "measure_agreement", None)


def test_what_the_self_test_found_good_is_used(
    model: ResolvedModel, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agreement, "measure_agreement", lambda *_: agreement.Agreement(0.99, 0.001))
    assert set_up(model, settings(2048, kv_type="q4_0")).context.kv_type == "q4_0"
