"""Is there enough evidence to ask the model at all?"""

from collections.abc import Sequence

from ingest.documents import Passage


def enough(passages: Sequence[Passage], min_similarity: float) -> bool:
    """Whether any passage is similar enough to the question, by the cosine of their dense vectors."""
    return any(passage.dense_score >= min_similarity for passage in passages)
