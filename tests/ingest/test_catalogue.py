from pathlib import Path

import pytest

from ingest.catalogue import Catalogue, Entry
from ingest.errors import TransomError


def entry(number: int) -> Entry:
    return Entry(f"id{number}", "documents", "/papers", f"note{number}.txt", 10, 1, "0" * 64, "indexed", chunks=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "catalogue.sqlite"
    with Catalogue(path) as catalogue:
        for number in range(500):
            catalogue.put(entry(number))
    return path


def test_it_remembers(path: Path) -> None:
    with Catalogue(path) as catalogue:
        assert catalogue.get("id7") == entry(7)
        assert sum(1 for _ in catalogue.entries("documents")) == 500
        assert catalogue.collections() == {"documents": 500}


@pytest.mark.parametrize("where", [0, 100, 4096, 20_000])
def test_damage_is_recognised_when_it_is_opened(path: Path, where: int) -> None:
    content = bytearray(path.read_bytes())
    content[where : where + 3000] = b"x" * 3000
    path.write_bytes(content)
    with pytest.raises(TransomError, match="is damaged") as failure:
        Catalogue(path)
    assert "--rebuild" in failure.value.hint


def test_a_truncated_one_is_recognised(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(TransomError, match="is damaged"):
        Catalogue(path)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TransomError, match="cannot be used") as failure:
        Catalogue(tmp_path / "file" / "catalogue.sqlite")
    assert "can be written" in failure.value.hint


def test_coverage_is_told_while_something_is_missing(path: Path) -> None:
    with Catalogue(path) as catalogue:
        assert catalogue.coverage("documents") is None
        catalogue.expect("documents", "/papers", 1, 1000)
        coverage = catalogue.coverage("documents")
        assert coverage is not None
        assert (coverage.read, coverage.found, coverage.share) == (500, 1000, 0.5)
        catalogue.end_sweep("documents", "/papers")
        assert catalogue.coverage("documents") is None
