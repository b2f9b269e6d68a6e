"""What all browsers share, and how the model is loaded anew with other settings."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from app.assistant import Assistant
from app.errors import ModelError
from app.inforce import InForce
from app.llm.engine import Engine
from app.llm.sampling import Sampling
from app.settings import Settings
from app.settings_file import write_settings
from app.shared import Shared
from ingest.errors import SettingsError
from ingest.library import Library
from ingest.owner import Ownership, find_owner
from tests.fakes import ScriptedRuntime


class Loaded:
    """Models that were loaded, each with its settings."""

    def __init__(self) -> None:
        self.settings: list[Settings] = []
        self.events: list[str] = []

    def open(self, settings: Settings) -> Any:
        number = len(self.settings)
        self.settings.append(settings)
        self.events.append(f"open {number}")
        return _Model(self.events, number)


class _Model:
    def __init__(self, events: list[str], number: int) -> None:
        self.number = number
        self._events = events

    def close(self) -> None:
        self._events.append(f"close {self.number}")


def begin(loaded: Loaded, announced: list[Settings]) -> Shared:
    in_force = InForce(Settings.load(), announced.append)
    return Shared(lambda: Library(in_force.settings), lambda _: loaded.open(in_force.settings), in_force)


def number(assistant: Assistant) -> int:
    return int(assistant.number)  # type: ignore[attr-defined]


def test_the_model_is_loaded_anew_with_what_was_written(home: Path) -> None:
    loaded, announced = Loaded(), list[Settings]()
    shared = begin(loaded, announced)
    assert number(shared.assistant()) == 0
    write_settings(home, {"window": {"tokens": 4096}, "answering": {"patience": 30.0}, "reading": {"workers": 1}})
    shared.reload()
    assert number(shared.assistant()) == 1
    assert loaded.events == ["open 0", "close 0", "open 1"]
    assert loaded.settings[1].window.tokens == shared.settings.window.tokens == 4096
    assert shared.settings.reading.workers == 2  # an ingest may be running with these
    assert announced == [shared.settings]
    shared.close()


def test_a_question_that_is_being_answered_is_answered_first(home: Path) -> None:
    loaded = Loaded()
    shared = begin(loaded, [])
    shared.assistant()
    with shared.turns.turn(lambda _: None):
        shared.reload()
        time.sleep(0.05)
        assert loaded.events == ["open 0"]
    assert number(shared.assistant()) == 1
    shared.close()


def test_what_could_not_be_opened_before_is_opened_with_the_new_settings(home: Path) -> None:
    failing = [ModelError("There is no model.", "")]

    def open_assistant(_: Library) -> Any:
        if failing:
            raise failing.pop()
        return _Model([], 7)

    shared = Shared(lambda: Library(Settings.load()), open_assistant)
    with pytest.raises(ModelError):
        shared.assistant()
    shared.reload()
    assert number(shared.assistant()) == 7
    shared.close()


def test_settings_that_cannot_be_change_nothing(home: Path) -> None:
    loaded = Loaded()
    shared = begin(loaded, [])
    shared.assistant()
    home.mkdir(exist_ok=True)
    (home / "transom.toml").write_text("[window]\ntokens = 1\n")
    with pytest.raises(SettingsError):
        shared.reload()
    assert loaded.events == ["open 0"]
    shared.close()


def test_adapters_from_the_command_line_stay(home: Path) -> None:
    started = Settings.load()
    worn = started.model_copy(update={"model": started.model.model_copy(update={"lora": ["/a.gguf:1"]})})
    in_force = InForce(worn)
    write_settings(home, {"model": {"name": "gemma-4-e2b"}})
    in_force.take_up(Settings.load())
    assert (in_force.settings.model.name, in_force.settings.model.lora) == ("gemma-4-e2b", ["/a.gguf:1"])


def test_other_terminals_hear_of_the_new_settings(home: Path) -> None:
    ownership = Ownership.claim(home)
    assert ownership
    with ownership:
        owner = ownership.announce("http://127.0.0.1:1", Settings.load())
        write_settings(home, {"window": {"tokens": 4096}})
        ownership.tell(owner, Settings.load())
        told = json.loads((home / "owner.json").read_text())
        assert (told["token"], told["settings"]["window"]["tokens"]) == (owner.token, 4096)
    assert find_owner(home) is None


def test_a_model_that_was_put_away_meanwhile_says_so() -> None:
    engine = Engine(ScriptedRuntime(["x"]))
    engine.close()
    with pytest.raises(ModelError, match="Another model"):
        list(engine.complete([1, 2], 8, Sampling()))
    with pytest.raises(ModelError, match="Another model"):
        list(engine.prepare([1, 2]))
