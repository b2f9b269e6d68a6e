"""Settings are written where they live, and nothing else there is touched."""

from pathlib import Path

import pytest

from app.settings import Settings
from app.settings_file import overruled, write_settings
from ingest.errors import SettingsError

OWN = '# my settings\n[answering]\npatience = 30.0  # I have time\n\n[model]\nname = "gemma-4-e2b"\n'


def test_values_are_set_and_taken_out_and_comments_stay(home: Path) -> None:
    home.mkdir()
    file = home / "transom.toml"
    file.write_text(OWN)
    assert write_settings(home, {"answering": {"passages": 7}, "window": {"tokens": 4096}}) == file
    settings = Settings.load()
    assert (settings.answering.passages, settings.answering.patience, settings.window.tokens) == (7, 30.0, 4096)
    assert "# I have time" in file.read_text()
    write_settings(home, {"answering": {"patience": None, "passages": None}})
    assert Settings.load().answering == type(settings.answering)()
    assert Settings.load().model.name == "gemma-4-e2b"


def test_a_file_is_made_where_there_is_none(home: Path) -> None:
    write_settings(home, {"model": {"kv_type": "q8_0"}})
    assert Settings.load().model.kv_type == "q8_0"


@pytest.mark.parametrize(
    "values", [{"window": {"tokens": 3}}, {"model": {"kv_type": "q5"}}, {"answering": {"nonsense": 1}}]
)
def test_what_cannot_be_is_told_and_changes_nothing(home: Path, values: dict[str, dict[str, object]]) -> None:
    home.mkdir()
    (home / "transom.toml").write_text(OWN)
    with pytest.raises(SettingsError, match="cannot be"):
        write_settings(home, values)
    assert (home / "transom.toml").read_text() == OWN


def test_a_file_that_is_no_toml_is_told(home: Path) -> None:
    home.mkdir()
    (home / "transom.toml").write_text("[model\n")
    with pytest.raises(SettingsError, match="cannot be changed"):
        write_settings(home, {"window": {"tokens": 4096}})


def test_variables_that_win_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    values: dict[str, dict[str, object]] = {"window": {"tokens": 4096}, "model": {"name": "x"}}
    assert overruled(values) == []
    monkeypatch.setenv("TRANSOM_MODEL__NAME", "y")
    assert overruled(values) == ["TRANSOM_MODEL__NAME"]
