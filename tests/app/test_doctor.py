import json
import platform
import shutil
import sys
from pathlib import Path

import pytest

from app.cli import main
from app.doctor import Check, examine
from app.settings import Settings
from ingest.catalogue import Catalogue, Entry, catalogue_path
from ingest.embedder import Embedder


@pytest.fixture(autouse=True)
def loaded_once(monkeypatch: pytest.MonkeyPatch, embedder: Embedder) -> None:
    monkeypatch.setattr("ingest.embedder.Embedder", lambda _settings: embedder)


def checks() -> dict[str, Check]:
    return {check.name: check for check in examine(Settings.load())}


def test_a_new_machine_is_told_what_to_do_next() -> None:
    found = checks()
    assert not any(found[name].ok for name in ("model", "plan", "documents"))
    assert found["home"].ok and found["embedder"].ok
    assert "transom models pull" in found["model"].advice
    assert "transom ingest" in found["documents"].advice
    assert "not made yet" in found["home"].said
    assert "384 dimensions" in found["embedder"].said


def test_a_machine_in_use(home: Path, dense_gemma4: Path) -> None:
    (home / "models").mkdir(parents=True)
    shutil.copy(dense_gemma4, home / "models")
    path = catalogue_path(Settings.load())
    path.parent.mkdir(parents=True)
    with Catalogue(path) as catalogue:
        catalogue.put(Entry("id", "papers", "/papers", "a.pdf", 1, 1, "0" * 64, "indexed"))
    found = checks()
    assert all(found[name].ok for name in ("model", "plan", "documents"))
    assert found["model"].said == "dense.gguf"
    assert "KV cache" in found["plan"].said
    assert found["documents"].said == "1 in papers"


def test_a_processor_without_avx2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.doctor._llama_cpp", lambda: "CPU : SSE3 = 1 | AVX2 = 0 | ")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    processor = checks()["processor"]
    assert (processor.ok, "--no-binary llama-cpp-python" in processor.advice) == (False, True)


def test_a_card_that_llama_cpp_was_not_built_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.models.memory.nvidia_cards", lambda: 8 * 10**9)
    graphics = checks()["graphics"]
    assert (graphics.ok, "8.0 GB" in graphics.said, "GGML_CUDA" in graphics.advice) == (False, True, True)


def test_a_card_that_llama_cpp_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.doctor._llama_cpp", lambda: "CUDA : ARCHS = 860 | CPU : AVX2 = 1 | ")
    assert checks()["graphics"] == Check("graphics", True, "llama.cpp computes on CUDA")


def test_a_home_that_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("TRANSOM_HOME", str(tmp_path / "file/home"))
    assert not checks()["home"].ok


def test_little_room_on_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.doctor._LEAST_FREE", 1e18)
    disk = checks()["disk"]
    assert (disk.ok, "Make room" in disk.advice) == (False, True)


@pytest.mark.parametrize("as_json", [True, False])
def test_the_command(as_json: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["transom", "doctor", *(["--json"] if as_json else [])])
    main()
    output, errors = capsys.readouterr()
    assert not errors
    if as_json:
        rows = [json.loads(line) for line in output.splitlines()]
        assert [set(row) for row in rows] == [{"name", "ok", "said", "advice"}] * len(rows)
    else:
        assert "warn  model     There is no model yet.\n" in output
        assert "Fetch one: `transom models pull`.\n" in output
