import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ingest.calibration import MIN_AGREEMENT, Calibration, Records, Speed, choose
from ingest.embedder import WORTH_MEASURING, Embedder
from ingest.encoder import Backend, mini_batches
from ingest.settings import EmbeddingSettings

WORDS = "The keeper trims the lamp at dusk and writes wind, tide and passing ships into the station's log. "
TEXTS = [f"Note {number}. {WORDS * (1 + number % 4)}" for number in range(WORTH_MEASURING)]
QUERY = "Who trims the lamp?"


@pytest.fixture(scope="module")
def exact() -> Embedder:
    return Embedder(EmbeddingSettings(backend="fp32"))


@pytest.fixture(scope="module")
def bare(exact: Embedder) -> NDArray[np.float32]:
    """What the library itself makes of the texts."""
    vectors: NDArray[np.float32] = exact._model.encode(TEXTS, show_progress_bar=False)
    return vectors


def cosines(left: object, right: object) -> NDArray[np.float64]:
    """Of rows, which have length 1."""
    return np.asarray(np.sum(np.array(left, np.float64) * np.array(right, np.float64), axis=1))


def test_documents_are_embedded_as_the_library_does_it(exact: Embedder, bare: NDArray[np.float32]) -> None:
    vectors = exact.embed_documents(TEXTS)
    assert cosines(vectors, bare).min() > 0.999999
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("backend", ["onednn", "bf16"])
def test_other_ways_to_compute_agree(backend: Backend, bare: NDArray[np.float32]) -> None:
    vectors = Embedder(EmbeddingSettings(backend=backend)).embed_documents(TEXTS[:12])
    assert cosines(vectors, bare[:12]).min() > MIN_AGREEMENT
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_text_has_the_same_vector_in_any_company_and_as_a_query(exact: Embedder, bare: NDArray[np.float32]) -> None:
    alone = exact.embed_documents([TEXTS[0]])
    assert cosines(alone, bare[:1]).min() > 0.999999
    assert cosines([exact.embed_query(TEXTS[0])], bare[:1]).min() > 0.999999


def test_batches_hold_every_text_once_and_the_longest_first(exact: Embedder) -> None:
    batches = [positions for positions, _ in exact.embed_in_batches(TEXTS)]
    in_order = [position for batch in batches for position in batch]
    assert sorted(in_order) == list(range(len(TEXTS)))
    lengths = exact._encoder.lengths(TEXTS)
    assert [lengths[position] for position in in_order] == sorted(lengths, reverse=True)
    assert len(batches) > 4


def test_no_texts_have_no_vectors(exact: Embedder) -> None:
    assert exact.embed_documents([]) == []


def test_a_document_prompt_is_put_before_each_text(bare: NDArray[np.float32]) -> None:
    prompted = Embedder(EmbeddingSettings(backend="fp32", document_prompt="Note 0. "))
    assert cosines(prompted.embed_documents([TEXTS[0].removeprefix("Note 0. ")]), bare[:1]).min() > 0.999999


@given(st.lists(st.integers(0, 300)), st.integers(1, 1000))
def test_mini_batches_are_a_partition_within_the_budget(lengths: list[int], tokens: int) -> None:
    batches = mini_batches(lengths, tokens)
    assert sorted(position for batch in batches for position in batch) == list(range(len(lengths)))
    for batch in batches:
        assert batch
        assert len(batch) == 1 or len(batch) * max(lengths[position] for position in batch) <= tokens


def test_closing_the_iterator_ends_the_work(exact: Embedder) -> None:
    batches = exact.embed_in_batches(TEXTS * 20)
    next(batches)
    began = time.monotonic()
    next(batches)
    one_batch = time.monotonic() - began
    began = time.monotonic()
    batches.close()  # type: ignore[attr-defined]
    assert time.monotonic() - began < 10 * one_batch + 1
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("transom-embedder")]


def test_documents_wait_while_a_query_is_computed(exact: Embedder) -> None:
    arrived = threading.Event()

    def embed() -> None:
        exact.embed_documents(TEXTS[:4])
        arrived.set()

    with exact._encoder._gate.ahead():
        thread = threading.Thread(target=embed)
        thread.start()
        assert not arrived.wait(1)
    thread.join(60)
    assert arrived.is_set()


@pytest.fixture
def busy(exact: Embedder) -> Iterator[list[float]]:
    """Documents are being embedded by another thread; the list holds when each mini-batch was done."""
    times: list[float] = []
    stop = threading.Event()

    def embed() -> None:
        for _ in exact.embed_in_batches(TEXTS * 100):
            times.append(time.monotonic())
            if stop.is_set():
                return

    thread = threading.Thread(target=embed)
    thread.start()
    while len(times) < 6:
        time.sleep(0.01)
    yield times
    stop.set()
    thread.join()


def test_a_query_does_not_wait_for_the_documents(exact: Embedder, busy: list[float]) -> None:
    one_batch = (busy[-1] - busy[0]) / (len(busy) - 1) * exact._encoder.cores
    taken = []
    for _ in range(15):
        began = time.monotonic()
        exact.embed_query(QUERY)
        taken.append(time.monotonic() - began)
        time.sleep(0.02)
    assert statistics.median(taken) < 2 * one_batch


def speeds(**measured: tuple[float, float]) -> dict[Backend, Speed]:
    return {
        name: Speed(texts_per_second=rate, agreement=agreement)  # type: ignore[misc]
        for name, (rate, agreement) in measured.items()
    }


@pytest.mark.parametrize(
    ("measured", "chosen"),
    [
        (speeds(fp32=(10, 1)), "fp32"),
        (speeds(fp32=(10, 1), onednn=(15, 1), bf16=(30, 0.9999)), "bf16"),
        (speeds(fp32=(10, 1), onednn=(15, 1), bf16=(30, 0.95)), "onednn"),
        (speeds(fp32=(10, 1), onednn=(15, 1), bf16=(2, 0.9999)), "onednn"),
        (speeds(fp32=(10, 1), onednn=(10.5, 1), bf16=(30, 0.0)), "fp32"),
    ],
    ids=["alone", "fastest", "another result", "slower", "not clearly faster"],
)
def test_the_fastest_way_with_the_same_result_is_chosen(measured: dict[Backend, Speed], chosen: Backend) -> None:
    assert choose(measured) == chosen


def test_the_machine_is_measured_once(home: Path) -> None:
    told: list[Calibration | None] = []
    for _ in range(2):
        embedder = Embedder(EmbeddingSettings())
        embedder.embed_documents(TEXTS[: WORTH_MEASURING - 1])
        embedder.embed_documents(TEXTS)
        told.append(embedder.calibration)
    first, second = told
    assert first is not None
    assert first == second  # the time it took is part of it: it was read, not measured again
    assert first.speeds[first.backend].agreement >= MIN_AGREEMENT


def test_a_few_texts_are_not_worth_a_measurement(home: Path) -> None:
    embedder = Embedder(EmbeddingSettings())
    embedder.embed_documents(TEXTS[:3])
    assert embedder.calibration is None
    assert not home.exists()


def test_a_damaged_record_is_measured_anew(home: Path) -> None:
    records = Records(home)
    measured = Calibration(backend="fp32", speeds=speeds(fp32=(10, 1)), seconds=1)
    records.put("this machine", measured)
    records.put("that machine", measured)
    assert records.get("this machine") == measured
    (home / "embedder.json").write_text('{"this machine": {"backend": "abacus"')
    assert records.get("this machine") is None
    records.put("this machine", measured)
    assert records.get("this machine") == measured
