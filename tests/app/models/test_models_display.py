from pathlib import Path

import pytest

from app.models.catalogue import STARTER, catalogue
from app.models.display import print_models, pull_with_progress
from tests.app.models.conftest import MakeGguf


def test_the_list_tells_what_is_here_and_what_is_damaged(
    tmp_path: Path, make_gguf: MakeGguf, capsys: pytest.CaptureFixture[str]
) -> None:
    make_gguf(tmp_path / catalogue()[0].file_name)
    make_gguf(tmp_path / "mine.gguf", general__name="My model")
    (tmp_path / "half.gguf").write_bytes(b"GGUF")
    print_models(tmp_path)
    out, err = capsys.readouterr()
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert list(lines) == [*(entry.name for entry in catalogue()), "mine.gguf"]
    assert [name for name, line in lines.items() if line.endswith("here")] == [catalogue()[0].name, "mine.gguf"]
    assert "My model" in lines["mine.gguf"] and "2048 tokens" in lines["mine.gguf"]
    assert "stand-in" in lines[STARTER] and "1.1 GB" in lines[STARTER]
    assert "half.gguf is damaged" in err and str(tmp_path) in err


def test_what_is_here_is_not_fetched(tmp_path: Path, make_gguf: MakeGguf) -> None:
    path = make_gguf(tmp_path / "mine.gguf")
    assert pull_with_progress("", tmp_path).path == path
