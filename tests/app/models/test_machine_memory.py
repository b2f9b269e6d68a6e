import os
from pathlib import Path

import llama_cpp
import psutil
import pytest

from app.models.memory import GB, Memory, measure, reaches


@pytest.fixture
def nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tool of that name, first on the path; tests write it."""
    monkeypatch.setattr("app.models.memory.platform.system", lambda: "Linux")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "nvidia-smi"


def write_tool(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture(autouse=True)
def limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a container's limit would stand; tests write it."""
    monkeypatch.setattr("app.models.memory._LIMITS", (tmp_path / "none", tmp_path / "limit"))
    return tmp_path / "limit"


def test_this_machine_has_memory() -> None:
    assert measure().ram == psutil.virtual_memory().total


@pytest.mark.parametrize(("said", "ram"), [("1073741824\n", GB), ("max\n", None), (f"{2**63 - 4096}\n", None)])
def test_a_container_has_what_it_may_use(limit: Path, said: str, ram: int | None) -> None:
    limit.write_text(said)
    assert measure().ram == (ram or psutil.virtual_memory().total)


def test_cards_count_together_where_llama_cpp_uses_them(nvidia_smi: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tool(nvidia_smi, "echo 24564; echo 8188")
    monkeypatch.setattr(llama_cpp, "llama_supports_gpu_offload", lambda: True)
    assert measure().vram == (24564 + 8188) * 2**20


def test_cards_do_not_count_where_llama_cpp_was_built_without_them(
    nvidia_smi: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tool(nvidia_smi, "echo 24564")
    monkeypatch.setattr(llama_cpp, "llama_supports_gpu_offload", lambda: False)
    assert measure().vram == 0


@pytest.mark.parametrize("script", ["echo 'No devices were found'; exit 6", "echo '[N/A]'"])
def test_a_tool_without_a_card(nvidia_smi: Path, script: str) -> None:
    write_tool(nvidia_smi, script)
    assert measure().vram == 0


def test_an_apple_machine_has_one_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.models.memory.platform.system", lambda: "Darwin")
    monkeypatch.setattr("app.models.memory.platform.machine", lambda: "arm64")
    assert measure() == Memory(psutil.virtual_memory().total, 0, unified=True)


def test_machines_report_a_little_less_than_they_are_sold_with() -> None:
    assert reaches(int(13.8 * GB), 16)
    assert not reaches(12 * GB, 16)
    assert not reaches(20 * GB, 24)
