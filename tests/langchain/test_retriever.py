"""The retriever is what LangChain calls one, on a real library."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_tests.integration_tests import RetrieversIntegrationTests

from app.retriever_adapter import TransomRetriever
from ingest.embedder import Embedder
from ingest.library import Library
from ingest.settings import IngestSettings


class TestFindsAsLangChainWants(RetrieversIntegrationTests):
    @pytest.fixture(autouse=True)
    def filled(self, home: Path, embedder: Embedder, tmp_path: Path) -> Iterator[None]:
        """A library of four notes."""
        notes = tmp_path / "notes"
        notes.mkdir()
        for name in ("harbour", "bridge", "lock", "tide"):
            (notes / f"{name}.txt").write_text(f"What there is to know about the {name}.")
        with Library(IngestSettings.load()) as library:
            library.__dict__["embedder"] = embedder  # loaded once for all tests
            list(library.ingest([notes]))
            self._library = library
            yield

    @property
    def retriever_constructor(self) -> type[TransomRetriever]:
        return TransomRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"search": self._library.search}

    @property
    def retriever_query_example(self) -> str:
        return "Tell me about the bridge"

    def test_a_document_says_where_it_stands(self) -> None:
        best, *_ = TransomRetriever(search=self._library.search).invoke("the bridge")
        assert best.metadata["source"] == "bridge.txt"
        assert best.page_content[slice(*best.metadata["span"])] == best.page_content
        assert best.metadata["page"] is None
