"""What the benchmark of the window counts and compares, on tiny models."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.llm.engine import Engine
from app.llm.runtime import Context
from app.llm.sampling import Sampling
from app.llm.saved import SavedWindows
from benchmarks.windows import decoding, followups, planned, restoring
from benchmarks.windows.runtimes import BareRuntime, TrackingRuntime
from tests.gemma4 import DENSE, write


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("benchmark") / "dense.gguf", DENSE)


@pytest.fixture
def tracking(tiny: Path) -> Iterator[TrackingRuntime]:
    runtime = TrackingRuntime(tiny, Context(1024))
    yield runtime
    runtime.close()


def asked(engine: Engine, window: list[int]) -> None:
    next(event for event in engine.complete(window, 1, Sampling()) if not hasattr(event, "done"))
    engine.settle(window)


def test_what_is_evaluated_twice_is_counted(tracking: TrackingRuntime) -> None:
    engine, window = Engine(tracking), list(range(5, 205))
    asked(engine, window)
    asked(engine, [*window, 7, 8])
    assert tracking.twice == 0
    asked(engine, [9, 9])  # nothing is saved, so the conversation is lost
    asked(engine, window)
    assert tracking.twice == len(window)


def test_what_is_read_back_is_not(tracking: TrackingRuntime, tmp_path: Path) -> None:
    engine, window = Engine(tracking, SavedWindows(tmp_path, "key", 1 << 30)), list(range(5, 205))
    asked(engine, window)
    asked(engine, [9, 9])
    asked(engine, [*window, 7])
    assert (tracking.cache[:-1], tracking.twice) == (window, 0)


def test_what_two_conversations_have_in_common_counts_behind_the_opening_only(tracking: TrackingRuntime) -> None:
    tracking.opening = 3
    tracking.decode([5, 6, 7, 8])
    tracking.keep(0)
    tracking.conversation = 1
    tracking.decode([5, 6, 7, 8])
    assert tracking.twice == 3


def test_a_bare_cache_reaches_any_window(tiny: Path) -> None:
    bare = BareRuntime(tiny, Context(1024))
    assert [bare.reach(window) for window in ([5, 6, 7, 8], [5, 6, 9], [5, 6, 9])] == [4, 1, 0]
    logits = bare.last_logits()
    bare.reach([])
    bare.prefill([5, 6, 9])
    np.testing.assert_allclose(logits, bare.last_logits(), atol=1e-2)
    bare.close()


def test_a_window_that_is_read_back_predicts_the_same(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restoring, "SIZES", (320, 384))
    restored = list(restoring.measure(tiny, "the tower was lit " * 400))
    assert len(restored) == 2 * len(restoring.SETTINGS)
    summary = restoring.summary(restored)
    assert 0 <= summary["restore_max_logit_diff_384"] < 1e-2
    assert summary["restore_max_kl_elsewhere"] < 0.05


def test_divergence_is_that_of_the_distributions() -> None:
    one, other = np.log(np.array([[0.5, 0.5], [0.25, 0.75]], np.float32))
    assert restoring.divergence(one, other + 3) == pytest.approx(0.5 * np.log(2) + 0.5 * np.log(2 / 3))
    assert restoring.divergence(one, one) == 0


def test_engine_and_bare_loop_write_the_same(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "TOKENS", 40)
    (decoded,) = decoding.measure(tiny, "the tower was lit " * 100, repeats=1)
    assert decoded.engine > 0
    assert decoded.bare > 0


def test_planned_memory_is_held_against_the_log(tiny: Path) -> None:
    assert planned.kv_bytes("x KV buffer size =  1.50 MiB\ny KV buffer size =   0.25 MiB\n") == 1.75 * 2**20
    assert max(held.error for held in planned.measure({"tiny": tiny})) < 0.05


def test_the_first_turn_is_no_follow_up() -> None:
    turns = [followups.Turn(100, 100, 9.0, 1.0, 100, 9.0), followups.Turn(10, 12, 1.1, 1.0, 50, 5.5)]
    assert followups.summary(turns) == {"followup_ratio": 1.1, "usual_way_ratio": 5.0, "reevaluated_tokens": 2}
