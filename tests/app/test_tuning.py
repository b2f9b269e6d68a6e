"""Settings as their page changes them."""

from pathlib import Path

import pytest

from app.models.memory import GB, Memory
from app.settings import Settings
from app.settings_file import write_settings
from app.tuning import changes, consequences, planned, with_wanted

SETTINGS = Settings.load()


def test_only_what_differs_is_changed_and_a_default_is_taken_out_of_the_file(home: Path) -> None:
    assert changes(SETTINGS, {"answering": {"patience": 15.0, "passages": 5}, "model": {"kv_type": None}}) == {}
    changed = changes(SETTINGS, {"answering": {"patience": 20.0, "passages": 5}, "model": {"kv_type": "q8_0"}})
    assert changed == {"answering": {"patience": 20.0}, "model": {"kv_type": "q8_0"}}
    write_settings(home, changed)
    back = changes(Settings.load(), {"answering": {"patience": 15.0}, "model": {"kv_type": None}})
    assert back == {"answering": {"patience": None}, "model": {"kv_type": None}}
    write_settings(home, back)
    assert changes(Settings.load(), {"answering": {"patience": 15.0}}) == {}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"answering": {"patience": 20.0}}, ["loaded anew"]),
        ({"embedding": {"model": "other"}}, ["1,234 chunks are embedded again"]),
        ({"embedding": {"backend": "fp32"}}, ["started the next time"]),
        ({"embedding": {"model": "other"}, "window": {"tokens": 4096}}, ["ingest --rebuild", "loaded anew"]),
        ({}, []),
    ],
)
def test_what_a_change_takes_is_told(changed: dict[str, dict[str, object]], told: list[str]) -> None:
    found = consequences(changed, 1234)
    assert len(found) == len(told)
    assert all(part in whole for part, whole in zip(told, found, strict=True))


def test_the_plan_follows_the_window_and_what_it_is_kept_as(dense_gemma4: Path) -> None:
    memory = Memory(16 * GB)

    def kv(**wanted: object) -> int:
        section = {"tokens": "window"}
        values: dict[str, dict[str, object]] = {}
        for name, value in wanted.items():
            values.setdefault(section.get(name, "model"), {})[name] = value
        return planned(dense_gemma4, with_wanted(SETTINGS, values), memory).kv

    assert kv(tokens=2048) > kv(tokens=1024)
    assert kv(tokens=2048, kv_type="f16", swa_full=True) > kv(tokens=2048, kv_type="f16", swa_full=False)
    assert with_wanted(SETTINGS, {"window": {"tokens": 2048}}).answering == SETTINGS.answering
