"""A real library on disk and a tiny real model, whose documents are read in a moment."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.assistant import Assistant
from app.settings import Settings
from ingest.library import Library
from tests.cheap_embedder import CheapEmbedder

PAPERS = 3


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch, dense_gemma4: Path) -> None:
    """The settings of this folder's tests; the random model would hardly pass its trial."""
    for name, value in {
        "MODEL__NAME": str(dense_gemma4),
        "CHUNKING__TOKENS": "48",
        "WINDOW__TOKENS": "2048",
        "ANSWERING__READ_AHEAD": "on",
    }.items():
        monkeypatch.setenv(f"TRANSOM_{name}", value)


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    """Documents of a few passages each."""
    folder = tmp_path / "papers"
    folder.mkdir()
    for number in range(PAPERS):
        write_paper(folder, number)
    return folder


@pytest.fixture
def shelf(home: Path, papers: Path) -> Iterator[Library]:
    """A library that holds them."""
    with Library(Settings.load()) as library:
        library.__dict__["embedder"] = CheapEmbedder()
        list(library.ingest([papers], "documents"))
        yield library


@pytest.fixture
def assistant(shelf: Library) -> Iterator[Assistant]:
    """Answers from it."""
    with Assistant.open(Settings.load(), shelf) as opened:
        yield opened


def write_paper(folder: Path, number: int, said: str = "was lit") -> Path:
    paper = folder / f"paper{number}.md"
    lines = [f"Paragraph {line} of paper {number} says that the lamp {said} {line} times." for line in range(9)]
    paper.write_text(f"# Paper {number}\n\n" + "\n\n".join(lines))
    return paper
