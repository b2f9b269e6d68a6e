import pickle
from pathlib import Path

import pytest

from ingest.embedder import Embedder
from ingest.errors import ReadError
from ingest.preparing import Preparer, Unread


@pytest.fixture
def preparer(embedder: Embedder) -> Preparer:
    return Preparer(embedder.tokenizer.to_str(), tokens=50, overlap=0, max_text_mb=1)


def unread(path: Path) -> Unread:
    return Unread(path, "id", "documents", path.name, "0" * 64)


def test_a_file_becomes_chunks_that_know_their_place(preparer: Preparer, tmp_path: Path) -> None:
    path = tmp_path / "lamp.md"
    path.write_text("# The lamp\n\n" + "It was lit on 3 May 1871. " * 30)
    travelled: Preparer = pickle.loads(pickle.dumps(preparer))
    prepared = travelled(unread(path))
    assert (prepared.title, prepared.media_type, prepared.pages) == ("The lamp", "text/markdown", 0)
    assert len(prepared.chunks) > 3
    text = path.read_text()
    for chunk in prepared.chunks:
        assert (chunk.uri, chunk.document_id, chunk.collection) == ("lamp.md", "id", "documents")
        assert chunk.text == text[slice(*chunk.span)]
        assert chunk.headings == ("The lamp",)


def test_a_text_that_is_too_long_is_refused(preparer: Preparer, tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text("x" * (2 << 20))
    with pytest.raises(ReadError, match="2 million characters; the limit is 1 million"):
        preparer(unread(path))


def test_a_file_that_is_gone_is_told(preparer: Preparer, tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="cannot be opened: No such file"):
        preparer(unread(tmp_path / "gone.txt"))
