import json
import os
import shutil
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import gguf
import pytest

from app.cli import main
from app.models.inspection import _FILE_TYPES, inspect_file
from app.models.memory import GB, Memory
from app.models.plan import Wish
from app.settings import Settings

LAPTOP = Memory(16 * GB)
Transom = Callable[..., tuple[int, str, str]]


@pytest.fixture
def transom(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Transom:
    """Runs the command in this process: exit status, standard output, standard error."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["transom", "models", *map(str, arguments)])
        status = 0
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def mine(home: Path, shared_gemma4: Path) -> Path:
    """A model in the models folder."""
    (home / "models").mkdir(parents=True)
    return Path(shutil.copy(shared_gemma4, home / "models/mine.gguf"))


def chosen() -> str:
    return Settings.load().model.name


def test_use_is_remembered_and_leaves_the_settings_as_they_stand(transom: Transom, mine: Path, home: Path) -> None:
    before = '# mine\n[chunking]\ntokens = 150 # short\n\n[model]\ngpu_layers = 3 # small card\nname = ""\n'
    (home / "transom.toml").write_text(before)
    (home / "transom.toml").chmod(0o640)
    status, _, errors = transom("use", "mine.gguf")
    assert (status, "mine.gguf answers from now on" in errors) == (0, True)
    assert (home / "transom.toml").read_text() == before.replace('name = ""', 'name = "mine.gguf"')
    assert stat.S_IMODE((home / "transom.toml").stat().st_mode) == 0o640
    assert (chosen(), Settings.load().chunking.tokens) == ("mine.gguf", 150)
    assert [file.name for file in home.iterdir() if file.is_file()] == ["transom.toml"]


def test_use_of_a_file_elsewhere_keeps_its_whole_path(
    transom: Transom, dense_gemma4: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(dense_gemma4.parent)
    assert transom("use", dense_gemma4.name)[0] == 0
    assert chosen() == str(dense_gemma4)


def test_use_says_when_the_environment_wins(transom: Transom, mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSOM_MODEL__NAME", "starter")
    assert "TRANSOM_MODEL__NAME is set" in transom("use", "mine.gguf")[2]


@pytest.mark.parametrize("name", ["starter", "no-such-model", "missing.gguf", "owner/repo:file.gguf"])
def test_use_of_what_is_not_here_changes_nothing(transom: Transom, home: Path, name: str) -> None:
    status, _, errors = transom("use", name)
    assert status == 4 and "models" in errors
    assert not (home / "transom.toml").exists()


def test_use_goes_through_a_link(transom: Transom, mine: Path, home: Path, tmp_path: Path) -> None:
    kept = tmp_path / "dotfiles.toml"
    kept.write_text("[window]\ntokens = 4096\n")
    (home / "transom.toml").symlink_to(kept)
    assert transom("use", "mine.gguf")[0] == 0
    assert (home / "transom.toml").is_symlink()
    assert "mine.gguf" in kept.read_text()


def test_use_where_nothing_can_be_written(transom: Transom, mine: Path, home: Path) -> None:
    (home / "transom.toml").symlink_to(home / "nowhere/transom.toml")
    (home / "nowhere").write_text("a file")
    status, _, errors = transom("use", "mine.gguf")
    assert (status, "cannot be changed" in errors) == (2, True)


def test_pull_tells_the_licence_and_who_answers(transom: Transom, mine: Path) -> None:
    older = Path(shutil.copy(mine, mine.with_name("older.gguf")))
    os.utime(older, (0, 0))  # the newer one answers
    status, _, errors = transom("pull", str(older))
    assert (status, "Licence: apache-2.0" in errors, "transom models use" in errors) == (0, True, True)
    assert "models use" not in transom("pull", str(mine))[2]
    assert "models use" not in transom("pull")[2]


def test_pull_goes_well_where_the_chosen_model_is_gone(
    transom: Transom, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSOM_MODEL__NAME", "starter")
    status, _, errors = transom("pull", str(mine))
    assert (status, "transom models use" in errors) == (0, True)


def test_remove_asks_and_tells_the_room(transom: Transom, mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Path(shutil.copy(mine, mine.with_name("other.gguf")))
    os.utime(other, (0, 0))  # the newer one answers
    part = mine.with_name("other.gguf.0123456789ab.part")
    part.write_bytes(b"half")
    asked: list[str] = []
    monkeypatch.setattr("click.confirm", lambda text, **_how: asked.append(text))
    assert transom("remove", "other.gguf")[0] == 0
    assert (asked, other.exists()) == (["Remove other.gguf? That frees 0.0 GB."], True)
    assert transom("remove", "other.gguf", "--yes")[0] == 0
    assert not other.exists() and not part.exists() and mine.exists()


def test_the_model_that_answers_is_removed_by_force_only(transom: Transom, mine: Path) -> None:
    status, _, errors = transom("remove", "mine.gguf", "--yes")
    assert (status, "--force" in errors, mine.exists()) == (4, True, True)
    assert transom("remove", "mine.gguf", "--yes", "--force")[0] == 0
    assert not mine.exists()


def test_files_elsewhere_are_not_removed(transom: Transom, dense_gemma4: Path) -> None:
    status, _, errors = transom("remove", dense_gemma4, "--yes", "--force")
    assert (status, "Delete the file yourself" in errors) == (4, True)
    assert dense_gemma4.exists()
    assert "is not here" in transom("remove", "starter", "--yes")[2]


def test_inspect_tells_what_it_is_and_how_it_runs(transom: Transom, mine: Path) -> None:
    status, output, _ = transom("inspect", "mine.gguf")
    assert status == 0
    for said in (
        "gemma4",
        "apache-2.0",
        "64 tokens in 8 of 10 layers",
        "30 (final)",
        "Gemma 4",
        "It answers questions",
    ):
        assert said in output
    assert transom("inspect")[1] == output  # it is the one that answers


def test_inspect_speaks_json(transom: Transom, mine: Path) -> None:
    found = json.loads(transom("inspect", mine, "--json")[1])
    assert (found["sliding_window"], found["local_layers"], found["layers"]) == (64, 8, 10)
    assert found["plan"]["cache"]["window"] == 8192
    assert found["plan"]["total"] == sum(found["plan"][part] for part in ("weights", "kv", "compute"))


def test_inspect_of_what_is_not_here(transom: Transom) -> None:
    assert "transom models pull 'starter'" in transom("inspect", "starter")[2]


def test_a_truncated_file_is_told(transom: Transom, mine: Path) -> None:
    mine.write_bytes(mine.read_bytes()[:-100])
    status, output, _ = transom("inspect", "mine.gguf")
    assert (status, "incomplete" in output) == (0, True)
    mine.write_bytes(mine.read_bytes()[:1000])
    status, _, errors = transom("inspect", "mine.gguf")
    assert (status, "damaged or incomplete" in errors) == (4, True)


@pytest.mark.parametrize(
    ("architecture", "kind", "pooling", "word"),
    [
        ("bert", "model", 1, "embedding model"),
        ("clip", "model", 0, "images"),
        ("gemma4", "adapter", 0, "adapter"),
        ("gemma4-assistant", "model", 0, "drafts"),
        ("llama", "model", 0, "vocabulary"),
    ],
)
def test_what_is_of_no_use(tmp_path: Path, architecture: str, kind: str, pooling: int, word: str) -> None:
    path = tmp_path / "file.gguf"
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_type(kind)
    if pooling:
        writer.add_uint32(f"{architecture}.pooling_type", pooling)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    found = inspect_file(path, LAPTOP, Wish(), 128)
    assert word in found.fault
    assert found.plan is None


def test_quantizations_are_called_what_llama_cpp_calls_them() -> None:
    theirs = {int(kind): kind.name.removeprefix("MOSTLY_").removeprefix("ALL_") for kind in gguf.LlamaFileType}
    theirs = {number: name.removesuffix("_MOE") for number, name in theirs.items() if name != "GUESSED"}
    assert theirs == _FILE_TYPES
