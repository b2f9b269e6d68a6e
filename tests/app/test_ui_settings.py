"""The page of settings and models, and what leads from nothing to the first answer."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event as Flag
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app import shared
from app.assistant import Assistant
from app.beginning import best_offer, examples_folder, let_answer, starter_offer
from app.errors import ModelError
from app.models import fetching as fetching_module
from app.models.hub import HubUnreachableError
from app.models.memory import GB, Memory
from app.models.plan import Plan
from app.models.resolve import Progress
from app.settings import Settings
from app.ui.plan import plan_html
from ingest.library import Library
from tests.cheap_embedder import CheapEmbedder


def settings_page() -> None:
    from app.ui.pages import settings

    settings.page()


def conversation_page() -> None:
    from app.ui.pages import conversation

    conversation.page()


@pytest.fixture
def shelf(home: Path) -> Iterator[Library]:
    with Library(Settings.load()) as library:
        library.__dict__["embedder"] = CheapEmbedder()
        yield library


def no_model(_: Library) -> Assistant:
    raise ModelError("There is no model yet.", "Fetch one: `transom models pull`.")


class Loaded:
    """Counts how often the model was loaded."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, _: Library) -> Any:
        self.times += 1
        return self

    def close(self) -> None:
        """Nothing is held."""


def wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def opened(script: Callable[[], None], shelf: Library, load: Callable[[Library], Any] = no_model) -> AppTest:
    shared.share(lambda: shelf, load)
    test = AppTest.from_function(script, default_timeout=30).run()
    assert not test.exception
    return test


def html(test: AppTest) -> str:
    return "\n".join(str(element.proto.body) for element in test.get("html"))


def labelled(elements: Any, label: str) -> Any:
    return next(each for each in elements if each.label == label)


@pytest.fixture
def model(home: Path, dense_gemma4: Path) -> Path:
    folder = home / "models"
    folder.mkdir(parents=True)
    return Path(shutil.copy(dense_gemma4, folder / "tiny.gguf"))


def test_models_are_listed_with_what_fits(model: Path, shelf: Library) -> None:
    test = opened(settings_page, shelf)
    lines = [each.value for each in test.markdown]
    assert any("Gemma 4 E2B" in line for line in lines)
    assert any(":green-badge[answers]" in line for line in lines)
    assert test.button(key="download starter").label == "Download"


def test_the_plan_is_drawn_anew_as_one_changes_it(model: Path, shelf: Library) -> None:
    test = opened(settings_page, shelf)
    before = html(test)
    assert 'aria-label="Memory plan"' in before
    labelled(test.number_input, "Window (tokens)").set_value(2048).run()
    assert html(test) != before
    assert not (Settings.load().home / "transom.toml").exists()


def test_saving_writes_the_file_and_loads_the_model_anew(home: Path, model: Path, shelf: Library) -> None:
    loaded = Loaded()
    test = opened(settings_page, shelf, loaded)
    assert test.button(key="save").disabled
    labelled(test.number_input, "Patience (seconds)").set_value(40.0).run()
    assert "loaded anew" in test.warning[0].value
    test.button(key="save").click().run()
    assert not test.exception
    assert (home / "transom.toml").read_text().split() == ["[answering]", "patience", "=", "40.0"]
    assert shared.shared().settings.answering.patience == 40.0
    shared.shared().assistant()
    assert loaded.times == 2
    assert test.button(key="save").disabled


def test_how_answers_are_written_and_what_the_model_wears_is_taken_up(home: Path, model: Path, shelf: Library) -> None:
    test = opened(settings_page, shelf, Loaded())
    labelled(test.number_input, "Temperature").set_value(0.5)
    labelled(test.number_input, "Longest answer (tokens)").set_value(256)
    labelled(test.text_area, "LoRA adapters").set_value("style.gguf:0.5\n\n plain.gguf").run()
    test.button(key="save").click().run()
    assert not test.exception
    kept = Settings.load()
    assert (kept.answering.temperature, kept.answering.answer_tokens) == (0.5, 256)
    assert shared.shared().settings.model.lora == kept.model.lora == ["style.gguf:0.5", "plain.gguf"]


def test_reading_ahead_is_set_on_the_page(home: Path, model: Path, shelf: Library) -> None:
    test = opened(settings_page, shelf, Loaded())
    labelled(test.selectbox, "Read ahead").set_value("off")
    labelled(test.number_input, "Room for what is read ahead (GB)").set_value(7.0).run()
    test.button(key="save").click().run()
    assert not test.exception
    kept = Settings.load()
    assert (kept.answering.read_ahead, kept.window.ahead_gb) == ("off", 7.0)


def test_another_embedder_is_warned_of(model: Path, shelf: Library) -> None:
    test = opened(settings_page, shelf)
    labelled(test.text_input, "Embedder").set_value("intfloat/e5-small").run()
    assert "embedded again" in test.warning[0].value


def test_a_variable_that_wins_is_named(model: Path, shelf: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSOM_WINDOW__TOKENS", "4096")
    test = opened(settings_page, shelf)
    labelled(test.number_input, "Window (tokens)").set_value(2048).run()
    assert any("TRANSOM_WINDOW__TOKENS" in each.value for each in test.warning)


def test_settings_that_cannot_be_are_told(home: Path, shelf: Library) -> None:
    test = opened(settings_page, shelf)
    (home / "transom.toml").write_text("[window]\ntokens = 1\n")
    test.run()
    assert "cannot be" in test.error[0].value


def test_a_model_that_is_here_can_be_chosen(home: Path, model: Path, shelf: Library) -> None:
    other = model.with_name("other.gguf")
    shutil.copy(model, other)
    os.utime(model, (1, 1))
    loaded = Loaded()
    test = opened(settings_page, shelf, loaded)
    test.button(key="use tiny.gguf").click().run()
    assert not test.exception
    assert Settings.load().model.name == "tiny.gguf"
    shared.shared().assistant()
    assert loaded.times == 2
    assert test.button(key="use other.gguf")


class Hub:
    """A model hub that sends the tiny model when it is let."""

    def __init__(self, source: Path, target: Path) -> None:
        self.go_on = Flag()
        self._source, self._target = source, target

    def __call__(self, _named: str | None, _folder: Path, progress: Progress) -> None:
        progress("Gemma 4", 1_000_000_000, 4_000_000_000)
        self.go_on.wait(30)
        progress("Gemma 4", 4_000_000_000, 4_000_000_000)
        self._target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(self._source, self._target)


def test_from_nothing_to_a_model_with_one_click(
    home: Path, shelf: Library, dense_gemma4: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Hub(dense_gemma4, home / "models/qwen2.5-coder-1.5b-instruct-q4_k_m.gguf")
    monkeypatch.setattr(fetching_module, "pull", hub)
    opening: list[str] = []

    def load(library: Library) -> Any:
        opening.append(Settings.load().model.name)
        return no_model(library) if len(opening) == 1 else Loaded()

    test = opened(conversation_page, shelf, load)
    assert "There is no model yet" in test.info[0].value
    for offer in (best_offer(), starter_offer()):
        assert test.button(key=f"get {offer.name}").label == f"Get {offer.title} ({offer.gigabytes:.1f} GB)"
    test.button(key="get starter").click().run()
    assert test.get("progress")[0].proto.text.startswith("Gemma 4: 1.00 of 4.00 GB")
    assert test.button(key="get starter").disabled
    hub.go_on.set()
    wait(lambda: shared.shared().fetching.ended == 1)
    assert shared.shared().assistant()
    assert opening == ["", "starter"]


def test_without_a_connection_it_says_what_to_do(shelf: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object) -> None:
        raise HubUnreachableError("The model hub cannot be reached.", "Check the connection.")

    monkeypatch.setattr(fetching_module, "pull", unreachable)
    test = opened(conversation_page, shelf)
    assert any("put a GGUF file into" in each.value for each in test.caption)
    test.button(key=f"get {best_offer().name}").click().run()
    wait(lambda: shared.shared().fetching.ended == 1)
    test.run()
    assert "The model hub cannot be reached" in test.error[0].value


def test_the_examples_are_there_and_read_with_one_click(shelf: Library) -> None:
    examples = examples_folder()
    assert examples
    assert (examples / "keepers-handbook.pdf").exists()
    test = opened(conversation_page, shelf)
    test.button(key="examples").click().run()
    wait(lambda: bool(shelf.catalogue.collections()) and shared.shared().ingests.running is None)
    test.run()
    assert "documents are here" in test.success[0].value


def test_the_offer_suits_the_machine(home: Path) -> None:
    assert best_offer(Memory(64 * GB, 24 * GB)).name == "gemma-4-26b-a4b"
    small = best_offer(Memory(2 * GB))
    assert (small.name, small.fits) == ("gemma-4-e2b", False)
    let_answer("starter", Settings.load())
    assert Settings.load().model.name == "starter"


def test_the_picture_of_a_plan_says_what_it_shows(dense_gemma4: Path) -> None:
    from app.tuning import planned

    memory = Memory(16 * GB)
    plan: Plan = planned(dense_gemma4, Settings.load(), memory)
    shown = plan_html(plan, memory)
    assert "It fits." in shown
    assert 'role="img" aria-label="0.0 of 17.2 GB"' in shown
