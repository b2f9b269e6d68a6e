"""What all tests share: a home of their own, and the real parts where a test asks for them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.embedder import Embedder
from ingest.library import Library
from ingest.settings import EmbeddingSettings, IngestSettings

STARTER = Path(__file__).parents[1] / ".test-home/models/qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A TRANSOM_HOME that nobody else uses, without settings from outside."""
    for name in os.environ:
        if name.startswith("TRANSOM_") and not name.startswith("TRANSOM_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TRANSOM_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    """The real embedder, loaded once."""
    return Embedder(EmbeddingSettings())


@pytest.fixture
def library(home: Path, embedder: Embedder) -> Iterator[Library]:
    """An empty library on disk."""
    with Library(IngestSettings.load()) as library:
        library.__dict__["embedder"] = embedder  # loaded once for all tests
        yield library


@pytest.fixture(scope="session")
def starter_model() -> Path:
    """The GGUF that `make test` fetches."""
    if not STARTER.exists():
        if os.environ.get("CI"):
            pytest.fail("The starter model is missing: run the tests with `make test`.")
        pytest.skip("The starter model is missing: `make test` fetches it.")
    return STARTER
