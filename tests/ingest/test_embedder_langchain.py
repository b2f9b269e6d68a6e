"""The embedder is what LangChain calls one: its own suite says so."""

from langchain_tests.integration_tests import EmbeddingsIntegrationTests

from ingest.embedder import Embedder
from ingest.settings import EmbeddingSettings


class TestEmbedder(EmbeddingsIntegrationTests):
    @property
    def embeddings_class(self) -> type[Embedder]:
        return Embedder

    @property
    def embedding_model_params(self) -> dict[str, object]:
        return {"settings": EmbeddingSettings()}
