import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import ModelError
from app.models.catalogue import STARTER, HubFile, Source, by_name
from app.models.hub import HubUnreachableError, Progress
from app.models.listing import rows
from app.models.memory import GB, Memory
from app.models.resolve import pull, resolve
from tests.app.models.conftest import MakeGguf
from tests.app.models.stand_ins import Hub

LAPTOP = Memory(16 * GB)


def file_of(name: str) -> str:
    entry = by_name(name)
    assert entry is not None
    return entry.file_name


class Fetching:
    """Stands in for the hub and the package index: writes a tiny GGUF, or fails as told."""

    def __init__(self, make_gguf: MakeGguf) -> None:
        self.make_gguf = make_gguf
        self.fetched: list[str] = []
        self.hub_fails: ModelError | None = None
        self.index_fails: ModelError | None = None

    def __call__(self, source: Source, target: Path, progress: Progress) -> None:
        failure = self.hub_fails if isinstance(source, HubFile) else self.index_fails
        if failure:
            raise failure
        self.fetched.append(source.file)
        progress(7, 7)
        self.make_gguf(target)


@pytest.fixture
def fetching(make_gguf: MakeGguf, monkeypatch: pytest.MonkeyPatch) -> Fetching:
    fetching = Fetching(make_gguf)
    monkeypatch.setattr("app.models.resolve.fetch_source", fetching)
    return fetching


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def have(folder: Path, make_gguf: MakeGguf) -> Callable[..., None]:
    """Puts GGUFs into the models folder, by catalogue name or file name."""

    def put(*names: str) -> None:
        for age, name in enumerate(names):
            path = make_gguf(folder / (name if name.endswith(".gguf") else file_of(name)))
            os.utime(path, (1_000_000 + age, 1_000_000 + age))

    return put


def silent(_title: str, _done: int, _total: int) -> None:
    return


# What the settings name


def test_a_path_is_taken_as_it_is(tmp_path: Path, folder: Path, make_gguf: MakeGguf) -> None:
    path = make_gguf(tmp_path / "elsewhere" / "mine.gguf")
    resolved = resolve(str(path), folder, memory=LAPTOP)
    assert (resolved.path, resolved.entry, resolved.stand_in, resolved.notice) == (path, None, False, "")


def test_a_file_name_is_looked_for_in_the_folder(folder: Path, have: Callable[..., None]) -> None:
    have("mine.gguf", "gemma-4-e4b")
    assert resolve("mine.gguf", folder, memory=LAPTOP).path == folder / "mine.gguf"


def test_a_catalogue_name_that_is_here(folder: Path, have: Callable[..., None], fetching: Fetching) -> None:
    have("gemma-4-e2b", "gemma-4-e4b")
    resolved = pull("gemma-4-e2b", folder, silent, memory=LAPTOP)
    assert resolved.entry == by_name("gemma-4-e2b")
    assert resolved.path == folder / file_of("gemma-4-e2b")
    assert fetching.fetched == []


def test_what_is_named_and_missing_is_fetched_only_when_asked(folder: Path, fetching: Fetching) -> None:
    with pytest.raises(ModelError, match="not here yet") as caught:
        resolve("gemma-4-12b", folder, memory=LAPTOP)
    assert "transom models pull 'gemma-4-12b'" in caught.value.hint
    seen: list[tuple[str, int, int]] = []
    resolved = pull("gemma-4-12b", folder, lambda *step: seen.append(step), memory=LAPTOP)
    assert fetching.fetched == [file_of("gemma-4-12b")]
    assert seen == [("Gemma 4 12B", 7, 7)]
    assert "more than suits" in resolved.notice


def test_a_file_of_the_hub(folder: Path, fetching: Fetching) -> None:
    resolved = pull("owner/name:sub/m.gguf", folder, silent, memory=LAPTOP)
    assert resolved.path == folder / "owner--name--sub--m.gguf"
    assert fetching.fetched == ["sub/m.gguf"]
    assert resolve("owner/name:sub/m.gguf", folder, memory=LAPTOP) == resolved


def test_a_file_of_the_hub_that_the_catalogue_knows(folder: Path, fetching: Fetching) -> None:
    entry = by_name("gemma-4-e4b")
    assert entry is not None and isinstance(entry.source, HubFile)
    resolved = pull(f"{entry.source.repo}:{entry.source.file}", folder, silent, memory=LAPTOP)
    assert resolved.entry == entry


def test_what_is_named_is_never_replaced(folder: Path, have: Callable[..., None], fetching: Fetching) -> None:
    have("gemma-4-e2b")
    fetching.hub_fails = HubUnreachableError("away")
    with pytest.raises(HubUnreachableError):
        pull("gemma-4-e4b", folder, silent, memory=LAPTOP)
    with pytest.raises(ModelError, match="no file"):
        resolve("/nowhere/m.gguf", folder, memory=LAPTOP)
    with pytest.raises(ModelError, match="no model called gemma-9b"):
        resolve("gemma-9b", folder, memory=LAPTOP)


def test_a_damaged_file_that_is_named(folder: Path, fetching: Fetching) -> None:
    folder.mkdir()
    (folder / file_of("gemma-4-e4b")).write_bytes(b"GGUF")
    with pytest.raises(ModelError, match="damaged"):
        resolve("gemma-4-e4b", folder, memory=LAPTOP)
    pull("gemma-4-e4b", folder, silent, memory=LAPTOP)
    assert fetching.fetched == [file_of("gemma-4-e4b")]


def test_an_embedder_is_told_apart(tmp_path: Path, folder: Path, make_gguf: MakeGguf) -> None:
    path = make_gguf(tmp_path / "e.gguf", "bert", bert__pooling_type=1)
    with pytest.raises(ModelError, match="embedding model"):
        resolve(str(path), folder, memory=LAPTOP)


def test_the_starter_says_that_it_stands_in(folder: Path, have: Callable[..., None]) -> None:
    have(STARTER)
    for named in (STARTER, ""):
        resolved = resolve(named, folder, memory=LAPTOP)
        assert resolved.stand_in
        assert "stand-in" in resolved.notice
        assert "transom models pull gemma-4-e4b" in resolved.notice
        assert str(folder) in resolved.notice


def test_a_model_too_large_for_the_machine_says_so(folder: Path, have: Callable[..., None]) -> None:
    have("gemma-4-e2b")
    resolved = resolve("", folder, memory=Memory(2 * GB))
    assert resolved.entry == by_name("gemma-4-e2b")
    assert "expect it to be slow" in resolved.notice and not resolved.stand_in


# What is in the folder


@pytest.mark.parametrize(
    ("names", "best"),
    [
        (["gemma-4-e2b", "gemma-4-e4b"], "gemma-4-e4b"),
        (["gemma-4-e4b", "gemma-4-12b"], "gemma-4-e4b"),
        (["gemma-4-26b-a4b", "gemma-4-12b"], "gemma-4-12b"),
        (["gemma-4-e4b", "mine.gguf", STARTER], "gemma-4-e4b"),
        (["gemma-4-12b", "mine.gguf", STARTER], "mine.gguf"),
        (["new.gguf", "old.gguf", STARTER], "old.gguf"),
        (["gemma-4-12b", STARTER], "gemma-4-12b"),
        ([STARTER], STARTER),
    ],
)
def test_the_best_of_the_folder(
    folder: Path, have: Callable[..., None], fetching: Fetching, names: list[str], best: str
) -> None:
    have(*names)
    resolved = pull(None, folder, silent, memory=LAPTOP)
    assert resolved.path.name == (best if best.endswith(".gguf") else file_of(best))
    assert resolved == resolve("", folder, memory=LAPTOP)
    assert fetching.fetched == []


def test_damaged_files_are_passed_over_and_told(folder: Path, have: Callable[..., None]) -> None:
    have("mine.gguf")
    (folder / file_of("gemma-4-e4b")).write_bytes(b"GGUF half")
    resolved = resolve("", folder, memory=LAPTOP)
    assert resolved.path.name == "mine.gguf"
    assert file_of("gemma-4-e4b") in resolved.notice


def test_companions_are_passed_over(folder: Path, have: Callable[..., None], make_gguf: MakeGguf) -> None:
    have("mine.gguf")
    make_gguf(folder / "mmproj.gguf", "clip")
    resolved = resolve("", folder, memory=LAPTOP)
    assert (resolved.path.name, resolved.notice) == ("mine.gguf", "")


# What is fetched when nothing is here


def test_nothing_is_fetched_unasked(folder: Path, fetching: Fetching) -> None:
    with pytest.raises(ModelError, match="no model yet") as caught:
        resolve("", folder, memory=LAPTOP)
    assert "transom models pull" in caught.value.hint
    assert fetching.fetched == []


def test_the_model_that_suits_the_machine_is_fetched_once(folder: Path, fetching: Fetching) -> None:
    for _ in range(2):
        resolved = pull(None, folder, silent, memory=Memory(8 * GB, 24 * GB))
        assert resolved.entry == by_name("gemma-4-26b-a4b")
        assert (resolved.stand_in, resolved.notice) == (False, "")
    assert fetching.fetched == [file_of("gemma-4-26b-a4b")]


def test_the_starter_only_where_the_hub_cannot_be_reached(folder: Path, fetching: Fetching) -> None:
    fetching.hub_fails = HubUnreachableError("The model hub cannot be reached.")
    resolved = pull(None, folder, silent, memory=LAPTOP)
    assert resolved.stand_in and resolved.entry == by_name(STARTER)
    assert "cannot be reached" in resolved.notice and "transom models pull gemma-4-e4b" in resolved.notice
    assert fetching.fetched == [file_of(STARTER)]


def test_any_other_failure_of_the_hub_is_raised(folder: Path, fetching: Fetching) -> None:
    fetching.hub_fails = ModelError("The disk is full.")
    with pytest.raises(ModelError, match="disk is full"):
        pull(None, folder, silent, memory=LAPTOP)
    assert fetching.fetched == []


def test_neither_hub_nor_index(folder: Path, fetching: Fetching) -> None:
    fetching.hub_fails = HubUnreachableError("The hub is away.")
    fetching.index_fails = ModelError("The index is away.", "Look at the cable.")
    with pytest.raises(ModelError, match=r"hub is away.*index is away") as caught:
        pull(None, folder, silent, memory=LAPTOP)
    assert caught.value.hint == "Look at the cable."


def test_a_real_download_ends_in_an_answerable_model(
    model_hub: Hub, folder: Path, tmp_path: Path, make_gguf: MakeGguf
) -> None:
    entry = by_name("gemma-4-e4b")
    assert entry is not None and isinstance(entry.source, HubFile)
    content = make_gguf(tmp_path / "there.gguf").read_bytes()
    model_hub.files[f"{entry.source.repo}/{entry.source.file}"] = content
    resolved = pull(None, folder, silent, memory=LAPTOP)
    assert resolved.path.read_bytes() == content and resolved.entry == entry


# transom models list


def test_rows(folder: Path, have: Callable[..., None], make_gguf: MakeGguf) -> None:
    have("gemma-4-e4b")
    make_gguf(folder / "mine.gguf", general__name="My model", general__license="mit")
    by = {row.name: row for row in rows(folder, memory=LAPTOP)}
    assert [by[name].here for name in ("gemma-4-e2b", "gemma-4-e4b", STARTER)] == [False, True, False]
    assert by["gemma-4-e4b"].fits and not by["gemma-4-26b-a4b"].fits
    mine = by["mine.gguf"]
    assert (mine.title, mine.licence, mine.window, mine.here, mine.fits) == (
        "My model",
        "mit",
        2048,
        True,
        None,
    )
    assert mine.size == (folder / "mine.gguf").stat().st_size
