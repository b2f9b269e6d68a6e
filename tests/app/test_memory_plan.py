from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import ModelError
from app.models.geometry import Geometry, KvType
from app.models.memory import GB, Memory
from app.models.plan import SHORTEST, Plan, Wish, plan
from tests.app.test_memory_geometry import BATCH, FAMILY

FILES = {"E2B": 2.62e9, "E4B": 4.22e9, "12B": 6.72e9, "26B-A4B": 14.2e9, "31B": 17.3e9}
LAPTOP, CARD, APPLE = Memory(16 * GB), Memory(32 * GB, 24 * GB), Memory(32 * GB, unified=True)


def model(name: str) -> Geometry:
    """One of the family, with its weights spread evenly over the layers."""
    geometry, output, size = FAMILY[name][0], 550 * 2**20, int(FILES[name])
    layers = tuple(replace(each, weights=(size - output) // len(geometry.layers)) for each in geometry.layers)
    return replace(geometry, weights=size, output_weights=output, layers=layers)


def planned(name: str, memory: Memory, **wish: object) -> Plan:
    return plan(model(name), memory, Wish(**wish), BATCH)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "memory", "window", "kv_type", "swa_full", "layers"),
    [
        ("E2B", LAPTOP, 8192, "f16", False, 0),
        ("12B", LAPTOP, 131072, "f16", False, 0),
        ("E4B", Memory(8 * GB), 131072, "q8_0", False, 0),
        ("12B", CARD, 8192, "f16", False, 49),
        ("12B", CARD, 131072, "f16", False, 49),
        ("31B", CARD, 8192, "f16", False, 61),
        ("31B", CARD, 131072, "q8_0", False, 61),
        ("12B", APPLE, 131072, "f16", False, 49),
    ],
)
def test_the_most_exact_that_fits(
    name: str, memory: Memory, window: int, kv_type: KvType, swa_full: bool, layers: int
) -> None:
    found = planned(name, memory, window=window)
    assert found.fits
    assert (found.cache.window, found.cache.kv_type, found.cache.swa_full) == (window, kv_type, swa_full)
    assert found.gpu_layers == layers


def test_what_does_not_fit_the_card_is_split() -> None:
    found = planned("26B-A4B", Memory(16 * GB, 8 * GB), window=8192)
    assert found.fits and 0 < found.gpu_layers < 30
    assert 6 * GB < found.on_card <= 7 * GB
    assert f"{found.gpu_layers} of 30 layers fit the graphics card" in " ".join(found.reasons)


def test_a_window_too_wide_is_shortened_and_told() -> None:
    found = planned("31B", APPLE)
    assert found.fits and SHORTEST < found.cache.window < 262144
    assert f"A window of 262,144 tokens does not fit, so it is {found.cache.window:,}." in found.reasons
    wider = planned("31B", APPLE, window=found.cache.window + 256)
    assert wider.cache.window == found.cache.window


def test_too_large_a_model_is_told() -> None:
    found = planned("31B", LAPTOP)
    assert not found.fits
    assert "more than this machine has to spare" in " ".join(found.reasons)


def test_a_wish_is_kept() -> None:
    found = planned("E4B", CARD, window=4096, kv_type="q8_0", swa_full=False, gpu_layers=10)
    assert (found.cache.kv_type, found.cache.swa_full, found.cache.window, found.gpu_layers) == (
        "q8_0",
        False,
        4096,
        10,
    )
    assert "as f16 it would take" in " ".join(found.reasons)
    assert planned("E4B", CARD, window=4096, swa_full=True).cache.swa_full
    assert planned("E4B", CARD, window=4096, gpu_layers=0).gpu_layers == 0
    assert planned("E4B", APPLE, window=4096, gpu_layers=0).gpu_layers == 0


def test_the_window_is_at_most_the_trained_one() -> None:
    geometry = replace(model("E2B"), trained=131072)
    assert plan(geometry, CARD, Wish(window=500_000), BATCH).cache.window == 131072


def test_heads_that_blocks_do_not_fit() -> None:
    geometry = model("E2B")
    geometry = replace(geometry, layers=tuple(replace(each, keys=48) for each in geometry.layers))
    assert plan(geometry, Memory(GB), Wish(), BATCH).cache.kv_type == "f16"
    with pytest.raises(ModelError, match="q8_0"):
        plan(geometry, LAPTOP, Wish(kv_type="q8_0"), BATCH)


@settings(deadline=None)
@given(
    st.sampled_from(sorted(FILES)),
    st.builds(Memory, st.integers(1, 200 * GB), st.integers(0, 100 * GB), st.booleans()),
    st.integers(512, 300_000),
)
def test_what_fits_is_within_the_memory(name: str, memory: Memory, window: int) -> None:
    found = planned(name, memory, window=window)
    assert found.total - found.on_card <= memory.ram or not found.fits
    assert found.on_card <= memory.vram
    assert found.cache.window <= max(window, SHORTEST)
    assert all(sentence.endswith(".") for sentence in found.reasons)
