"""States of passages on disk: whole or not there, below a limit, and never those of another model."""

import errno
import os
from pathlib import Path

import pytest

from app.llm.passages import Keeping, PassageStates, Trial, bytes_held
from app.llm.statefile import as_array, name_of
from ingest.errors import TransomError

PREFIX = [1, 2, 3]
STATE = bytearray(b"state" * 100)


def states(folder: Path, key: str = "model", prefix: list[int] = PREFIX, limit: int = 1 << 20) -> PassageStates:
    return PassageStates(folder, key, prefix, limit, Keeping("model.gguf", 2.0))


def only_file(folder: Path) -> Path:
    (path,) = folder.glob("*/*/*.state")
    return path


def test_what_was_saved_is_there_in_the_next_process_too(tmp_path: Path) -> None:
    states(tmp_path).save("document", [7, 8], STATE)
    again = states(tmp_path)
    assert again.holds([7, 8]) and again.load([7, 8]) == STATE
    assert not again.holds([7]) and again.load([7]) is None
    assert (again.count("document"), again.count("other")) == (1, 0)
    assert again.size([7, 8]) == bytes_held(tmp_path) > len(STATE)


@pytest.mark.parametrize("changed", [{"key": "another model"}, {"prefix": [1, 2]}])
def test_a_state_of_another_model_or_prefix_is_never_looked_at(tmp_path: Path, changed: dict[str, str]) -> None:
    states(tmp_path).save("document", [7, 8], STATE)
    assert not states(tmp_path, **changed).holds([7, 8])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data[:10],
        lambda data: b"",
        lambda data: data[:-3] + b"xyz",
        lambda data: data.replace(b"state", b"stage", 1),
        lambda data: data + b"more",
        lambda data: b"{}\n" + data,
        lambda data: data.replace(b'"bytes": 500', b'"bytes": 9999999999999999'),
    ],
)
def test_a_damaged_file_is_forgotten(tmp_path: Path, damage: object) -> None:
    kept = states(tmp_path)
    kept.save("document", [7, 8], STATE)
    path = only_file(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))  # type: ignore[operator]
    found = kept.load([7, 8])
    assert found is None or (found == STATE and path.read_bytes().startswith(whole))
    assert found == STATE or (not kept.holds([7, 8]) and not path.exists())


def test_a_file_under_the_name_of_another_passage_is_not_taken_for_it(tmp_path: Path) -> None:
    kept = states(tmp_path)
    kept.save("document", [7, 8], STATE)
    kept.save("document", [9], bytearray(b"other"))
    one, other = sorted(tmp_path.glob("*/*/*.state"), key=lambda path: -path.stat().st_size)
    os.replace(other, one)
    assert kept.load([7, 8]) is None


def test_the_least_recently_used_make_room(tmp_path: Path) -> None:
    kept = states(tmp_path, limit=2_000)
    for number in range(3):
        kept.save("document", [number], STATE)
        os.utime(kept._known[name_of(as_array([number]))], (number, number))
    kept.touch([0])
    kept.save("document", [3], STATE)
    assert [number for number in range(4) if kept.holds([number])] == [0, 2, 3]
    assert bytes_held(tmp_path) <= 2_000


def test_the_limit_is_one_for_all_models(tmp_path: Path) -> None:
    before = states(tmp_path, key="before", limit=1_000)
    before.save("document", [1], STATE)
    after = states(tmp_path, key="after", limit=1_000)
    after.save("document", [1], STATE)
    assert bytes_held(tmp_path) <= 1_000 and after.load([1]) == STATE and before.load([1]) is None


def test_what_is_larger_than_the_limit_is_let_go(tmp_path: Path) -> None:
    kept = states(tmp_path, limit=100)
    kept.save("document", [7], STATE)
    assert not kept.holds([7]) and not bytes_held(tmp_path)


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    kept = states(tmp_path)
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(TransomError, match="No space left"):
        kept.save("document", [7], STATE)
    assert not kept.holds([7]) and not list(tmp_path.glob("*/*/*"))


def test_what_a_kill_left_half_written_is_no_state(tmp_path: Path) -> None:
    states(tmp_path).save("document", [7], STATE)
    (only_file(tmp_path).parent / "new-abc").write_bytes(b"half")
    assert states(tmp_path).count("document") == 1


def test_a_document_that_changed_keeps_what_it_still_says(tmp_path: Path) -> None:
    kept = states(tmp_path)
    for number in range(3):
        kept.save("document", [number], STATE)
    kept.keep("document", [[1], [9]])
    assert [number for number in range(3) if kept.holds([number])] == [1]


def test_the_trial_is_kept_with_the_states(tmp_path: Path) -> None:
    kept = states(tmp_path)
    assert kept.trial is None
    kept.trial = Trial(0.60, 0.62)
    kept.save("document", [7], STATE)
    found = states(tmp_path).trial
    assert found == Trial(0.60, 0.62) and found.passed
    assert not Trial(0.60, 0.64).passed
    assert states(tmp_path, key="another model").trial is None
