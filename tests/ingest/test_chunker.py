from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from ingest.chunker import Chunker
from ingest.documents import Heading, Page
from ingest.embedder import packaged_folder
from tests.builders import document


@cache
def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(packaged_folder() / "tokenizer.json"))


def chunker(tokens: int = 20, overlap: int = 0) -> Chunker:
    return Chunker(tokenizer(), tokens, overlap)


WORDS = st.text(alphabet="abc déß .\n#漢字🙂", max_size=60)


@settings(max_examples=50, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=6), st.sampled_from([0, 5]))
def test_every_chunk_is_its_span_and_nothing_is_lost(texts: list[str], overlap: int) -> None:
    source = document(*texts)
    chunks = list(chunker(overlap=overlap).cut(source, "documents"))
    covered: set[int] = set()
    for chunk in chunks:
        start, end = chunk.span
        assert source.text[start:end] == chunk.text
        assert chunk.tokens <= 20
        covered |= set(range(start, end))
    missing = [source.text[at] for at in range(len(source.text)) if at not in covered]
    assert not "".join(missing).strip()
    assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))
    assert len({chunk.id for chunk in chunks}) == len(chunks)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text("abc .", min_size=1, max_size=80), min_size=1, max_size=5))
def test_pages_are_those_the_span_touches(texts: list[str]) -> None:
    source = document(*texts)
    for chunk in chunker().cut(source, "documents"):
        for number, start in zip(chunk.pages, chunk.page_starts, strict=True):
            page: Page = source.pages[number - 1]
            piece = chunk.text[start : start + 3].strip()
            assert piece in page.text + "\n\n"
        assert chunk.page_at(0) == chunk.pages[0]
        assert chunk.page_at(len(chunk.text) - 1) == chunk.pages[-1]


def test_a_format_without_pages_has_none() -> None:
    (chunk,) = chunker().cut(document("some text", paged=False), "documents")
    assert (chunk.pages, chunk.page_at(0)) == ((), None)


def test_chunks_know_their_headings() -> None:
    text = "# Guide\n\n## Boats\n\nBoats float on the water.\n\n## Cats\n\nCats do not like the water at all."
    headings = tuple(
        Heading(text[at:].index(" "), title, at)
        for title, at in [("Guide", 0), ("Boats", text.index("## B")), ("Cats", text.index("## C"))]
    )
    source = document(text, headings=headings, media_type="text/markdown", paged=False)
    chunks = list(chunker(12).cut(source, "documents"))
    paths = {chunk.text.splitlines()[-1]: chunk.headings for chunk in chunks}
    assert paths["Boats float on the water."] == ("Guide", "Boats")
    assert paths["Cats do not like the water at all."] == ("Guide", "Cats")


def test_ids_are_stable_and_depend_on_the_text() -> None:
    first, again = (list(chunker().cut(document("one two three"), "documents")) for _ in range(2))
    other = list(chunker().cut(document("one two four"), "documents"))
    assert first[0].id == again[0].id != other[0].id


def test_a_document_of_white_space_has_no_chunks() -> None:
    assert list(chunker().cut(document(" \n ", "\n"), "documents")) == []


@pytest.mark.parametrize("length", [100_000])
def test_a_single_long_line_is_cut(length: int) -> None:
    chunks = list(chunker(200).cut(document("ab " * (length // 3)), "documents"))
    assert sum(len(chunk.text) for chunk in chunks) >= length * 0.6


@pytest.mark.parametrize("line", ["x" * 60_000, "1,2,3," * 10_000, "字" * 30_000])
def test_a_line_that_never_ends_is_cut_all_the_same(line: str) -> None:
    whole = document(line, media_type="text/plain", paged=False)
    chunks = list(chunker(200).cut(whole, "documents"))
    assert "".join(chunk.text for chunk in chunks) == line
    assert max(len(chunk.text) for chunk in chunks) <= 10_000
