import os
from pathlib import Path

import pytest

from app.llm.saved import SavedWindows
from ingest.errors import TransomError

BIG = 1 << 30


@pytest.fixture
def saved(tmp_path: Path) -> SavedWindows:
    return SavedWindows(tmp_path / "windows", "model", BIG)


def test_the_longest_window_that_a_new_one_begins_with_is_found(saved: SavedWindows) -> None:
    saved.save([1, 2, 3], bytearray(b"short"), pinned=True)
    saved.save([1, 2, 3, 4, 5], bytearray(b"long"))
    saved.save([1, 2, 9], bytearray(b"other"))
    assert (found := saved.best([1, 2, 3, 4, 5, 6])) is not None
    assert saved.load(found) == bytearray(b"long")
    assert (found := saved.best([1, 2, 3, 4])) is not None
    assert saved.load(found) == bytearray(b"short")
    assert saved.best([1, 2]) is None


def test_a_window_takes_the_place_of_what_it_continues_unless_that_is_pinned(saved: SavedWindows) -> None:
    saved.save([1], bytearray(b"pinned"), pinned=True)
    saved.save([1, 2], bytearray(b"first turn"))
    saved.save([1, 2, 3], bytearray(b"second turn"))
    assert saved.best([1, 2]) == saved.best([1])


def test_it_is_found_by_another_process_with_the_same_key_only(saved: SavedWindows, tmp_path: Path) -> None:
    saved.save([1, 2, 3], bytearray(b"state"))
    again = SavedWindows(tmp_path / "windows", "model", BIG)
    assert (found := again.best([1, 2, 3, 4])) is not None
    assert again.load(found) == bytearray(b"state")
    assert SavedWindows(tmp_path / "windows", "another build", BIG).best([1, 2, 3, 4]) is None


@pytest.mark.parametrize("place", [0, 20, -1, -40])
def test_an_altered_file_is_not_used_and_goes(saved: SavedWindows, tmp_path: Path, place: int) -> None:
    saved.save(list(range(50)), bytearray(range(200)))
    (file,) = (tmp_path / "windows").glob("*/*.window")
    content = bytearray(file.read_bytes())
    content[place] ^= 0xFF
    file.write_bytes(content)
    found = saved.best(range(60))
    assert found is not None
    assert saved.load(found) is None
    assert saved.best(range(60)) is None
    assert not file.exists()


@pytest.mark.parametrize("length", [0, 10, 90, 300])
def test_a_truncated_file_is_not_even_known(saved: SavedWindows, tmp_path: Path, length: int) -> None:
    saved.save(list(range(50)), bytearray(range(200)))
    (file,) = (tmp_path / "windows").glob("*/*.window")
    file.write_bytes(file.read_bytes()[:length])
    assert SavedWindows(tmp_path / "windows", "model", BIG).best(range(60)) is None


def test_the_least_recently_used_make_room_whoever_they_belong_to(tmp_path: Path) -> None:
    folder, limit = tmp_path / "windows", 3500
    one, other = SavedWindows(folder, "model", limit), SavedWindows(folder, "other model", limit)
    other.save([7], bytearray(1000))
    one.save([1], bytearray(1000))
    one.save([2], bytearray(1000))
    for age, file in enumerate(sorted(folder.glob("*/*.window"), key=lambda path: path.stat().st_mtime_ns)):
        os.utime(file, (1000 + age, 1000 + age))
    assert (oldest := one.best([1, 5])) is not None
    assert one.load(oldest) is not None  # used: now the youngest
    one.save([3], bytearray(1000))
    assert sum(file.stat().st_size for file in folder.glob("*/*.window")) <= limit
    assert SavedWindows(folder, "other model", limit).best([7, 8]) is None
    assert one.best([1, 5]) is not None
    assert one.best([3, 5]) is not None


def test_one_that_is_larger_than_the_limit_is_not_written(tmp_path: Path) -> None:
    saved = SavedWindows(tmp_path / "windows", "model", 100)
    saved.save([1], bytearray(1000))
    assert saved.best([1, 2]) is None


def test_a_place_that_cannot_be_written_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "windows").write_text("a file")
    with pytest.raises(TransomError, match="could not be saved"):
        SavedWindows(tmp_path / "windows", "model", BIG).save([1], bytearray(10))
