"""Tiny models of the architecture `gemma4`, written once."""

from pathlib import Path

import pytest

from tests.gemma4 import DENSE, SHARED, write


@pytest.fixture(scope="session")
def dense_gemma4(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Local and global layers, like the larger models."""
    return write(tmp_path_factory.mktemp("gemma4") / "dense.gguf", DENSE)


@pytest.fixture(scope="session")
def shared_gemma4(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Per-layer embeddings and shared KV, like E2B and E4B."""
    return write(tmp_path_factory.mktemp("gemma4") / "shared.gguf", SHARED)
