"""What every home of the index does, and does alike."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import get_args
from uuid import uuid4

import numpy as np
import pytest

from ingest.context import text_key
from ingest.documents import Chunk, Passage
from ingest.errors import FingerprintError, VectorIndexError
from ingest.index import Fingerprint, Index, Ranking, SparseTerms, Vectors, Where
from ingest.index.copy import copy_index
from ingest.index.embedded import EmbeddedIndex
from ingest.index.server import ServerIndex

Item = tuple[Chunk, Vectors]
MakeItem = Callable[..., Item]
MakeQuery = Callable[..., tuple[list[float], SparseTerms]]

EVERYTHING = Where()
# the client's local mode is not made for threads
THREADED = ["embedded", "live"] if "TRANSOM_TEST_QDRANT_URL" in os.environ else ["embedded"]
WORDS = [
    "harbour",
    "crane",
    "ledger",
    "tide",
    "invoice",
    "ballast",
    "pilot",
    "quay",
    "rope",
    "anchor",
    "manifest",
    "dredger",
]


@pytest.fixture
def library(item: MakeItem) -> list[Item]:
    """Sixty chunks of twelve documents in two collections and nested folders."""
    return [
        item(
            f"{WORDS[number % 12]} {WORDS[number % 7]} {WORDS[number % 5]} number {number}",
            topic=number % 6,
            uri=f"{('reports', 'reports/2026', 'reports.old')[number % 3]}/file{number % 4}.pdf",
            collection=("main", "side")[number % 12 == 0],
            ordinal=number,
        )
        for number in range(60)
    ]


def _ids(passages: list[Passage]) -> list[str]:
    return [passage.chunk.id for passage in passages]


def test_an_empty_index_answers(index: Index, query: MakeQuery) -> None:
    assert index.count(EVERYTHING) == 0
    assert index.search(*query("anything"), limit=5, where=EVERYTHING) == []
    assert list(index.scroll(EVERYTHING)) == []
    assert index.chunks("no such document", [0, 1]) == []
    index.upsert([])
    index.delete(EVERYTHING)
    index.flush()


def test_it_finds_by_meaning(index: Index, library: list[Item], query: MakeQuery) -> None:
    index.upsert(library)
    passages = index.search(*query("zzz", topic=3), limit=5, where=EVERYTHING)
    assert [passage.chunk.ordinal % 6 for passage in passages] == [3] * 5
    assert all(passage.dense_score > 0.9 and passage.bm25_score == 0 for passage in passages)


def test_it_finds_by_a_rare_word(index: Index, library: list[Item], item: MakeItem, query: MakeQuery) -> None:
    rare = item("the Zeebrugge accident of 1987", topic=5, ordinal=99)
    index.upsert([*library, rare])
    passages = index.search(*query("zeebrugge", topic=9), limit=3, where=EVERYTHING)
    found = next(passage for passage in passages if passage.chunk == rare[0])
    assert found.bm25_score > 0
    assert found.dense_score < 0.5


def test_a_passage_tells_its_rank_and_scores(index: Index, library: list[Item], query: MakeQuery) -> None:
    index.upsert(library)
    dense, terms = query("harbour crane", topic=1)
    passages = index.search(dense, terms, limit=20, where=EVERYTHING)
    vectors = {chunk.id: vectors.dense for chunk, vectors in library}
    assert [passage.rank for passage in passages] == list(range(20))
    assert [passage.score for passage in passages] == sorted((p.score for p in passages), reverse=True)
    for passage in passages:
        assert passage.dense_score == pytest.approx(np.dot(dense, vectors[passage.chunk.id]), abs=1e-6)
        assert (passage.bm25_score > 0) == bool({"harbour", "crane"} & set(passage.chunk.text.split()))


def test_meaning_or_words_alone_can_decide(index: Index, library: list[Item], query: MakeQuery) -> None:
    index.upsert(library)
    asked = query("harbour crane", topic=1)
    by_meaning = index.search(*asked, limit=20, where=Where("main"), ranking="dense")
    by_words = index.search(*asked, limit=20, where=Where("main"), ranking="bm25")
    for passages in (by_meaning, by_words):
        assert {passage.chunk.collection for passage in passages} == {"main"}
        assert [passage.score for passage in passages] == sorted((p.score for p in passages), reverse=True)
    assert len(by_meaning) == 20
    assert [p.score for p in by_meaning] == pytest.approx([p.dense_score for p in by_meaning], abs=1e-6)
    assert [p.score for p in by_words] == pytest.approx([p.bm25_score for p in by_words], abs=1e-6)
    assert all({"harbour", "crane"} & set(passage.chunk.text.split()) for passage in by_words)


def test_the_cosine_does_not_depend_on_the_length_of_the_query(
    index: Index, library: list[Item], query: MakeQuery
) -> None:
    index.upsert(library)
    dense, terms = query("crane", topic=1)
    plain = index.search(dense, terms, limit=3, where=EVERYTHING)
    longer = index.search([7 * value for value in dense], terms, limit=3, where=EVERYTHING)
    assert [p.dense_score for p in longer] == pytest.approx([p.dense_score for p in plain], abs=1e-6)


def test_a_limit_beyond_the_size_gives_all(index: Index, library: list[Item], query: MakeQuery) -> None:
    index.upsert(library)
    passages = index.search(*query("tide"), limit=1000, where=EVERYTHING)
    assert sorted(_ids(passages)) == sorted(chunk.id for chunk, _ in library)


def test_a_query_or_a_chunk_without_any_term(index: Index, item: MakeItem, query: MakeQuery) -> None:
    wordless = item("the of and", topic=4)
    assert wordless[1].bm25.indices == ()
    index.upsert([wordless, item("anchor", topic=1, ordinal=1)])
    passages = index.search(*query("the", topic=4), limit=2, where=EVERYTHING)
    assert passages[0].chunk == wordless[0]


def test_the_same_chunk_again_replaces_it(index: Index, library: list[Item]) -> None:
    index.upsert(library)
    retitled = [(replace(chunk, title="New"), vectors) for chunk, vectors in library]
    index.upsert(retitled)
    assert index.count(EVERYTHING) == len(library)
    assert {chunk.title for chunk, _ in index.scroll(EVERYTHING)} == {"New"}


WHERES: list[tuple[Where, Callable[[Chunk], bool]]] = [
    (EVERYTHING, lambda chunk: True),
    (Where(collection="side"), lambda chunk: chunk.collection == "side"),
    (Where(collection="none"), lambda chunk: False),
    (Where(path_prefix="reports"), lambda chunk: chunk.uri.startswith("reports/")),
    (Where(path_prefix="reports/"), lambda chunk: chunk.uri.startswith("reports/")),
    (Where(path_prefix="reports/2026"), lambda chunk: chunk.uri.startswith("reports/2026/")),
    (Where(path_prefix="reports.old/file2.pdf"), lambda chunk: chunk.uri == "reports.old/file2.pdf"),
    (Where(path_prefix="file2.pdf"), lambda chunk: False),
    (
        Where("main", path_prefix="reports/2026"),
        lambda chunk: chunk.collection == "main" and "2026" in chunk.uri,
    ),
]


@pytest.mark.parametrize(("where", "meant"), WHERES)
def test_where_means_the_same_everywhere(
    index: Index, library: list[Item], query: MakeQuery, where: Where, meant: Callable[[Chunk], bool]
) -> None:
    index.upsert(library)
    expected = sorted(chunk.id for chunk, _ in library if meant(chunk))
    rest = len(library) - len(expected)
    assert index.count(where) == len(expected)
    assert [chunk.id for chunk, _ in index.scroll(where)] == expected
    assert sorted(_ids(index.search(*query("quay"), limit=100, where=where))) == expected
    index.delete(where)
    assert index.count(where) == 0
    assert index.count(EVERYTHING) == rest


@pytest.mark.parametrize(("where", "meant"), WHERES)
def test_what_is_kept_is_not_deleted(
    index: Index, library: list[Item], where: Where, meant: Callable[[Chunk], bool]
) -> None:
    index.upsert(library)
    kept = [chunk.id for chunk, _ in library][::3]
    index.delete(where, keep=[*kept, str(uuid4())])
    left = {chunk.id for chunk, _ in index.scroll(EVERYTHING)}
    assert left == {chunk.id for chunk, _ in library if chunk.id in kept or not meant(chunk)}


def test_a_great_many_can_be_kept(index: Index, library: list[Item]) -> None:
    index.upsert(library)
    kept = library[0][0]
    index.delete(EVERYTHING, keep={kept.id, *(str(uuid4()) for _ in range(80_000))})
    assert [chunk for chunk, _ in index.scroll(EVERYTHING)] == [kept]


def test_vectors_are_found_again_by_their_text(index: Index, item: MakeItem) -> None:
    copies = [item("the same text", topic=3, ordinal=n) for n in range(600)]
    others = [item(f"text {n}", topic=n % 16, ordinal=n, uri="b.md", collection="other") for n in range(300)]
    index.upsert([*copies, *others])
    keys = [text_key(chunk) for chunk, _ in (copies[0], *others)]
    found = index.dense_of([*keys, "0" * 32, *keys])
    assert found.keys() == set(keys)
    for chunk, vectors in (copies[599], *others):
        assert np.allclose(found[text_key(chunk)], vectors.dense, rtol=0, atol=2e-7)
    assert index.dense_of([]) == {}


def test_where_names_documents(index: Index, library: list[Item]) -> None:
    index.upsert(library)
    documents = sorted({chunk.document_id for chunk, _ in library})
    two = Where(document_ids=(documents[0], documents[1], "unknown"))
    expected = [chunk for chunk, _ in library if chunk.document_id in documents[:2]]
    assert sorted(chunk.id for chunk, _ in index.scroll(two)) == sorted(chunk.id for chunk in expected)


def test_scroll_gives_back_what_was_stored(index: Index, item: MakeItem) -> None:
    stored = [item(f"{WORDS[n % 12]} {n}", topic=n % 16, uri=f"d/{n}.txt", ordinal=n % 3) for n in range(700)]
    index.upsert(stored)
    given = list(index.scroll(EVERYTHING))
    assert [chunk for chunk, _ in given] == sorted((chunk for chunk, _ in stored), key=lambda chunk: chunk.id)
    before = {chunk.id: vectors for chunk, vectors in stored}
    # the client's local mode normalises once more, which may change the last bit
    tolerance = 0.0 if isinstance(index, EmbeddedIndex) else 2e-7
    for chunk, vectors in given:
        want, got = np.asarray(before[chunk.id].dense), np.asarray(vectors.dense)
        assert np.allclose(got, want, rtol=0, atol=tolerance)
        assert _by_index(vectors.bm25) == _by_index(before[chunk.id].bm25)


def _by_index(terms: SparseTerms) -> dict[int, np.float32]:
    return dict(zip(terms.indices, map(np.float32, terms.values), strict=True))


def test_any_text_comes_back(index: Index, item: MakeItem, query: MakeQuery) -> None:
    strange = item('Größe 數據 \u202eعربي\u202c 🦀 \x00 "quoted" \\ \n\t end', uri="Ordner ä/數據 🦀 (1).pdf", topic=2)
    bare = item("x", uri="a", ordinal=1, topic=9)
    bare = (replace(bare[0], headings=(), pages=(), title=""), bare[1])
    index.upsert([strange, bare])
    assert {chunk for chunk, _ in index.scroll(EVERYTHING)} == {strange[0], bare[0]}
    found = index.search(*query("數據", topic=2), limit=1, where=Where(path_prefix="Ordner ä"))
    assert [passage.chunk for passage in found] == [strange[0]]


def test_chunks_are_had_by_their_place(index: Index, item: MakeItem) -> None:
    document = [item(f"part {n}", ordinal=n) for n in range(10)]
    other = [item(f"part {n}", ordinal=n, uri="b.md") for n in range(10)]
    index.upsert([*reversed(document), *other])
    name = document[0][0].document_id
    assert index.chunks(name, [5, 3, 4, 77]) == [document[n][0] for n in (3, 4, 5)]
    assert index.chunks(name, []) == []


def test_a_vector_of_another_length_is_refused(index: Index, item: MakeItem, query: MakeQuery) -> None:
    chunk, vectors = item("rope")
    with pytest.raises(VectorIndexError):
        index.upsert([(chunk, replace(vectors, dense=[1.0, 0.0]))])
    with pytest.raises(VectorIndexError):
        index.search([1.0, 0.0], query("rope")[1], limit=1, where=EVERYTHING)
    index.upsert([(chunk, vectors)])
    assert index.count(EVERYTHING) == 1


@pytest.mark.parametrize("index", THREADED, indirect=True)
def test_searching_while_another_thread_stores(index: Index, item: MakeItem, query: MakeQuery) -> None:
    items = [item(f"pilot {n}", ordinal=n) for n in range(1000)]
    index.upsert(items[:20])

    def store() -> None:
        for start in range(0, 1000, 20):
            index.upsert(items[start : start + 20])

    with ThreadPoolExecutor(3) as pool:
        storing = pool.submit(store)
        found = [pool.submit(index.search, *query("pilot"), limit=10, where=EVERYTHING) for _ in range(200)]
        assert all(len(passages.result()) == 10 for passages in found)
        storing.result()
    assert index.count(EVERYTHING) == 1000


@pytest.mark.parametrize("ranking", get_args(Ranking))
def test_both_homes_rank_alike(
    embedded_index: EmbeddedIndex,
    memory_index: ServerIndex,
    library: list[Item],
    query: MakeQuery,
    ranking: Ranking,
) -> None:
    embedded_index.upsert(library)
    memory_index.upsert(library)
    for topic, text in enumerate(["harbour crane", "invoice", "tide pilot rope", "the", "number 17"]):
        here, there = (
            home.search(*query(text, topic), 60, Where("main"), ranking) for home in (embedded_index, memory_index)
        )
        assert [p.score for p in here] == pytest.approx([p.score for p in there], abs=1e-5)
        scores = {p.chunk: (p.score, p.dense_score, p.bm25_score) for p in there}
        for passage in here:
            mine = (passage.score, passage.dense_score, passage.bm25_score)
            assert mine == pytest.approx(scores[passage.chunk], abs=1e-5)


def test_the_hybrid_score_is_the_cosine_and_the_mean_weight_of_the_terms(
    index: Index, library: list[Item], query: MakeQuery
) -> None:
    index.upsert(library)
    for passage in index.search(*query("harbour crane", topic=1), limit=60, where=EVERYTHING, ranking="hybrid"):
        assert passage.score == pytest.approx(passage.dense_score + 0.2 * passage.bm25_score / 2, abs=1e-5)


def test_a_chunk_gains_from_one_beside_it_that_was_found(index: Index, item: MakeItem, query: MakeQuery) -> None:
    alone, beside = item("rope", topic=1, ordinal=9), item("rope", topic=1, ordinal=1)
    best = item("rope rope rope", topic=1, ordinal=0)
    index.upsert([alone, beside, best, *(item("quay", topic=n, ordinal=20 + 2 * n) for n in range(2, 16))])
    first = index.search(*query("rope", topic=1), limit=3, where=EVERYTHING)
    assert [passage.chunk.ordinal for passage in first] == [0, 1, 9]
    assert first[1].score > first[2].score + 0.01


def test_asking_for_more_does_not_change_the_first(index: Index, library: list[Item], query: MakeQuery) -> None:
    index.upsert(library)
    asked = query("harbour crane", topic=1)
    few, many = (_ids(index.search(*asked, limit=limit, where=EVERYTHING)) for limit in (5, 50))
    assert few == many[:5]


def test_copying_loses_nothing(embedded_index: EmbeddedIndex, memory_index: ServerIndex, item: MakeItem) -> None:
    side = [item(f"quay {n}", topic=n % 16, ordinal=n, collection="side") for n in range(600)]
    embedded_index.upsert([*side, item("left behind")])
    assert list(copy_index(embedded_index, memory_index, Where("side"))) == [256, 512, 600]
    copies = dict(memory_index.scroll(EVERYTHING))
    assert copies.keys() == {chunk for chunk, _ in side}
    for chunk, vectors in side:
        assert np.allclose(copies[chunk].dense, vectors.dense, rtol=0, atol=2e-7)
        assert _by_index(copies[chunk].bm25) == _by_index(vectors.bm25)
    assert [*copy_index(embedded_index, memory_index, EVERYTHING)][-1] == 601
    assert memory_index.count(EVERYTHING) == 601


def test_copying_into_another_kind_of_index_is_refused(
    embedded_index: EmbeddedIndex, memory_index: ServerIndex, fingerprint: Fingerprint
) -> None:
    memory_index._fingerprint = replace(fingerprint, embedder="other")
    with pytest.raises(FingerprintError, match="toy"):
        list(copy_index(embedded_index, memory_index, EVERYTHING))
