"""What was read ahead gives the same logits as the same passages joined live, on real llama.cpp."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import llama_cpp
import numpy as np
import pytest
from numpy.typing import NDArray

from app.errors import ModelError, WindowError
from app.llm.engine import Engine, Evaluated
from app.llm.joined import ALONE, joined
from app.llm.passages import PassageStates
from app.llm.runtime import BATCH, Context, LlamaRuntime
from app.llm.sampling import Sampling
from app.llm.saved import SavedWindows
from tests.gemma4 import DENSE, SHARED, write

WIDE = {"dense": replace(DENSE, wide=2, precise=True), "shared": replace(SHARED, wide=2, precise=True)}
PREFIX = [*range(10, 50)]
PASSAGES = [[(number * 37 + place * place) % 250 + 5 for place in range(150 + 10 * number)] for number in range(4)]
"""Longer than the sliding window of the files, and than a batch."""
QUESTION = [*range(60, 90)]


def window(*entries: list[int]) -> list[int]:
    """The prefix, passages behind their labels, and a question."""
    return [*PREFIX, *(entry for number, each in enumerate(entries) for entry in (300 + number, *each)), *QUESTION]


def logits(runtime: LlamaRuntime) -> NDArray[np.float32]:
    size = llama_cpp.llama_vocab_n_tokens(runtime._vocab)
    return np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(runtime._context, -1), (size,)).copy()


def asked(engine: Engine, entries: list[int]) -> tuple[Evaluated, NDArray[np.float32]]:
    """Progress when all is in the window, and the logits behind it."""
    progress = Evaluated(0, 0, 0)
    answering = engine.complete(entries, 1, Sampling())
    for event in answering:
        if not isinstance(event, Evaluated):
            break
        progress = event
    answering.close()  # type: ignore[attr-defined]  # a generator: what was sampled is not evaluated
    assert isinstance(engine.runtime, LlamaRuntime)
    return progress, logits(engine.runtime)


def read(engine: Engine, *passages: list[int]) -> None:
    for passage in passages:
        assert sum(engine.read_ahead("document", passage)) == len(passage)


def divergence(left: NDArray[np.float32], right: NDArray[np.float32]) -> float:
    one, other = (each - each.max() - np.log(np.exp(each - each.max()).sum()) for each in (left, right))
    return float((np.exp(one) * (one - other)).sum())


@pytest.fixture(scope="module", params=["dense", "shared"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("joining") / f"{request.param}.gguf", WIDE[request.param])


@pytest.fixture
def opened(model: Path, tmp_path: Path) -> Iterator[Any]:
    """Opens engines over states in `tmp_path`."""
    runtimes = []

    def engine(
        kv_type: Literal["f16", "q8_0"] = "f16", folder: str = "states", saved: SavedWindows | None = None
    ) -> Engine:
        runtimes.append(LlamaRuntime(model, Context(2048, kv_type=kv_type, joins=True)))
        return Engine(runtimes[-1], saved, states=PassageStates(tmp_path / folder, kv_type, PREFIX, 1 << 30))

    yield engine
    for runtime in runtimes:
        runtime.close()


@pytest.mark.parametrize(("kv_type", "most"), [("q8_0", 1e-3), ("f16", 0.02)])
def test_what_was_read_ahead_is_the_same_as_joined_live(opened: Any, kv_type: str, most: float) -> None:
    entries = window(*map(joined, PASSAGES))
    live, found = asked(opened(kv_type, "nothing"), entries)
    assert (live.joined, live.done) == (0, len(entries))
    engine = opened(kv_type)
    read(engine, *PASSAGES)
    progress, restored = asked(engine, entries)
    assert progress.joined == sum(map(len, PASSAGES))
    assert (
        progress.done == progress.total == len(PREFIX) + len(PASSAGES) + len(QUESTION)
    )  # and labels for the first time
    assert abs(divergence(found, restored)) <= most  # the cells lie in another order, and so do sums


def test_another_process_joins_what_the_first_one_read(opened: Any) -> None:
    first = opened("q8_0")
    read(first, *PASSAGES)
    _, expected = asked(first, window(*map(joined, PASSAGES)))
    progress, found = asked(opened("q8_0"), window(*map(joined, PASSAGES)))
    assert progress.joined == sum(map(len, PASSAGES)) + len(PASSAGES) - 1  # labels too, but for that behind the prefix
    np.testing.assert_allclose(found, expected, atol=0.1)


def test_joined_passages_do_not_see_each_other_and_evaluated_ones_do(opened: Any) -> None:
    engine = opened()
    _, fresh = asked(engine, window(*PASSAGES))
    _, apart = asked(engine, window(*map(joined, PASSAGES)))
    assert 0.0 < divergence(fresh, apart) < 1.0


def test_fresh_and_joined_passages_stand_in_one_window(opened: Any) -> None:
    entries = window(joined(PASSAGES[0]), PASSAGES[1], joined(PASSAGES[2]))
    _, live = asked(opened("q8_0", "nothing"), entries)
    engine = opened("q8_0")
    read(engine, *PASSAGES)
    progress, found = asked(engine, entries)
    assert progress.joined == len(PASSAGES[0]) + len(PASSAGES[2])
    np.testing.assert_allclose(found, live, atol=0.05)


def test_a_follow_up_evaluates_its_own_tokens_only(opened: Any) -> None:
    engine = opened()
    read(engine, *PASSAGES)
    first = window(*map(joined, PASSAGES[:2]))
    asked(engine, first)
    progress, _ = asked(engine, [*first, *joined(PASSAGES[2]), *QUESTION])
    assert (progress.reused, progress.joined, progress.done) == (len(first), len(PASSAGES[2]), len(QUESTION))


def test_going_back_to_where_a_passage_ends(opened: Any) -> None:
    """Local layers do not keep the whole of a passage that is longer than they see: one goes back to its start."""
    engine = opened("q8_0")
    read(engine, *PASSAGES)
    asked(engine, window(joined(PASSAGES[0]), joined(PASSAGES[1])))
    shorter = window(joined(PASSAGES[0]), joined(PASSAGES[1][:80]))
    progress, found = asked(engine, shorter)
    assert progress.reused <= len(PREFIX) + 1 + len(PASSAGES[0]) + 1
    _, expected = asked(opened("q8_0", "nothing"), shorter)
    np.testing.assert_allclose(found, expected, atol=0.1)


def test_a_saved_window_holds_what_was_joined(opened: Any, tmp_path: Path) -> None:
    saved = SavedWindows(tmp_path / "windows", "key", 1 << 30)
    engine = opened("q8_0", saved=saved)
    read(engine, *PASSAGES)
    entries = window(*map(joined, PASSAGES))
    asked(engine, entries)
    engine.settle(entries)
    _, there = asked(engine, [*entries, *QUESTION])
    asked(engine, [7] * 200)  # makes room: what is settled is saved
    progress, found = asked(engine, [*entries, *QUESTION])
    assert (progress.reused, progress.joined) == (len(entries), 0)
    np.testing.assert_allclose(found, there, atol=0.1)


def test_a_state_that_is_gone_or_damaged_is_evaluated_again(opened: Any, tmp_path: Path) -> None:
    engine = opened("q8_0")
    read(engine, *PASSAGES)
    entries = window(*map(joined, PASSAGES))
    _, expected = asked(engine, entries)
    gone, damaged, *_ = sorted((tmp_path / "states").glob("*/*/*.state"))
    gone.unlink()
    damaged.write_bytes(damaged.read_bytes()[:-100] + bytes(100))
    again = opened("q8_0")
    assert again.states.count("document") == len(PASSAGES) - 1
    progress, found = asked(again, entries)
    assert progress.done == progress.total > len(PASSAGES) + len(QUESTION)
    assert progress.joined + progress.done == len(entries)
    np.testing.assert_allclose(found, expected, atol=0.1)


def test_stopped_while_it_joins_the_window_is_whole(opened: Any) -> None:
    engine = opened("q8_0", "nothing")  # all of it is evaluated, so that one can stop half-way
    entries = window(*map(joined, PASSAGES))
    events = engine.complete(entries, 1, Sampling())
    for event in events:
        if event.done > len(PREFIX) + BATCH:
            break
    events.close()
    _, found = asked(engine, entries)
    _, expected = asked(opened("q8_0", "nothing"), entries)
    np.testing.assert_allclose(found, expected, atol=0.05)


def test_stopped_while_it_reads_ahead_nothing_is_kept(opened: Any) -> None:
    engine = opened()
    asked(engine, window(PASSAGES[0]))
    reading = engine.read_ahead("document", PASSAGES[1])
    next(reading)
    reading.close()
    assert not engine.states.holds(PASSAGES[1])
    progress, _ = asked(engine, window(PASSAGES[0]))
    assert progress.reused == len(window(PASSAGES[0])) - 1


def test_there_is_room_to_read_ahead_beside_a_full_window(opened: Any) -> None:
    engine = opened("q8_0")
    full = [*PREFIX, *[9] * (2046 - len(PREFIX))]
    _, before = asked(engine, full)
    read(engine, *PASSAGES)
    progress, _after = asked(engine, [*full, 7])
    assert progress.reused == len(full) and progress.done == 1
    _, again = asked(engine, full)
    np.testing.assert_allclose(again, before, atol=0.1)


def test_what_is_too_long_to_stand_beside_the_window_is_not_read_ahead(opened: Any) -> None:
    with pytest.raises(WindowError, match="too long"):
        next(opened().read_ahead("document", [5] * ALONE))


def test_where_keys_cannot_be_moved_it_is_evaluated(model: Path, tmp_path: Path) -> None:
    states = PassageStates(tmp_path, "key", PREFIX, 1 << 30)
    with closing(LlamaRuntime(model, Context(2048, swa_full=False, joins=False))) as runtime:
        engine = Engine(runtime, states=states)
        assert engine.states is None and not engine.ready(PREFIX)(PASSAGES[0])
        with pytest.raises(ModelError, match="cannot be joined"):
            next(engine.read_ahead("document", PASSAGES[0]))
        _, fresh = asked(engine, window(*PASSAGES))
        progress, found = asked(engine, [*window(*map(joined, PASSAGES)), 5])
        assert progress.done == len(window(*PASSAGES)) + 1 - progress.reused
        _, expected = asked(engine, [*window(*PASSAGES), 5])
        np.testing.assert_allclose(found, expected, atol=0.1)
        assert not np.allclose(fresh, found, atol=0.1)


def test_only_a_window_behind_the_same_prefix_is_joined(opened: Any) -> None:
    engine = opened()
    read(engine, PASSAGES[0])
    assert engine.ready([*PREFIX, 1])(PASSAGES[0])
    assert not engine.ready([*PREFIX[:-1], 1])(PASSAGES[0])
    assert not engine.ready(PREFIX)(PASSAGES[1])


def test_a_right_answer_surprises_less_than_a_wrong_one_would(opened: Any) -> None:
    engine = opened()
    entries = window(*PASSAGES)
    _, found = asked(engine, entries)
    likely, unlikely = int(found.argmax()), int(found.argmin())
    assert engine.surprise(entries, [likely]) < engine.surprise(entries, [unlikely])
    expected = float(np.log(np.exp(found - found.max()).sum()))
    assert engine.surprise(entries, [likely]) == pytest.approx(expected, abs=0.02)
