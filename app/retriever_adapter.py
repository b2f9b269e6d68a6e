"""Transom's search as LangChain's `BaseRetriever`, for chains that are built elsewhere."""

from collections.abc import Callable
from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever

from ingest.documents import Passage
from ingest.index import Where


class TransomRetriever(BaseRetriever):
    """Gives the `k` best passages for a query as documents, the best first."""

    search: Callable[[str, int, Where], list[Passage]]
    """Query, most passages, where to look -> passages; as :meth:`ingest.library.Library.search` is."""
    where: Where = Where(collection="documents")
    k: int = 5

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, k: int | None = None, **_: Any
    ) -> list[Document]:
        return [as_document(passage) for passage in self.search(query, k or self.k, self.where)]


def as_document(passage: Passage) -> Document:
    """A passage as LangChain's document; the metadata says where it stands and how well it fits."""
    chunk = passage.chunk
    metadata = {
        "source": chunk.uri,
        "title": chunk.title,
        "headings": list(chunk.headings),
        "page": chunk.page_at(0),
        "span": list(chunk.span),
        "score": passage.score,
    }
    return Document(id=chunk.id, page_content=chunk.text, metadata=metadata)
