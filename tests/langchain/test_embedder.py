"""The embedder is what LangChain calls one."""

from langchain_tests.integration_tests import EmbeddingsIntegrationTests
from langchain_tests.unit_tests import EmbeddingsUnitTests

from ingest.embedder import Embedder
from ingest.settings import EmbeddingSettings


class _OfTransom:
    @property
    def embeddings_class(self) -> type[Embedder]:
        return Embedder

    @property
    def embedding_model_params(self) -> dict[str, object]:
        return {"settings": EmbeddingSettings()}


class TestMadeAsLangChainWants(_OfTransom, EmbeddingsUnitTests):
    pass


class TestEmbedsAsLangChainWants(_OfTransom, EmbeddingsIntegrationTests):
    pass
