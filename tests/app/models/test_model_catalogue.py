import re

import pytest

from app.models.catalogue import STARTER, CatalogueEntry, HubFile, PackageParts, by_name, catalogue, suitable
from app.models.memory import GB, Memory


def test_names_and_files_are_unique() -> None:
    assert len({entry.name for entry in catalogue()}) == len(catalogue())
    assert len({entry.file_name for entry in catalogue()}) == len(catalogue())


@pytest.mark.parametrize("entry", catalogue(), ids=lambda entry: entry.name)
def test_an_entry_is_sound(entry: CatalogueEntry) -> None:
    assert re.fullmatch(r"[a-z0-9-]+", entry.name)
    assert entry.file_name.endswith(".gguf") and "/" not in entry.file_name
    assert "://" not in repr(entry)
    assert entry.source.size and entry.source.size > 1e9
    assert entry.window % 1024 == 0
    assert entry.licence and entry.title and entry.parameters
    assert entry.sampling.temperature >= 0 and 0 < entry.sampling.top_p <= 1 and entry.sampling.top_k >= 0
    assert entry.source.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", entry.source.sha256)
    assert entry.source.size_exact or isinstance(entry.source, HubFile)


def test_the_gemma_family_is_sampled_as_its_makers_advise() -> None:
    family = [entry for entry in catalogue() if entry.name.startswith("gemma-4-")]
    assert len(family) == 5
    for entry in family:
        assert (entry.sampling.temperature, entry.sampling.top_k, entry.sampling.top_p) == (1.0, 64, 0.95)
        assert isinstance(entry.source, HubFile)
        size = entry.source.repo.removeprefix("unsloth/gemma-4-").removesuffix("-it-qat-GGUF")
        assert entry.source.file == f"gemma-4-{size}-it-qat-UD-Q4_K_XL.gguf"
        assert entry.name == f"gemma-4-{size.lower()}"


def test_the_starter_comes_as_packages_and_its_parts_add_up() -> None:
    starter = by_name(STARTER)
    assert starter is not None and isinstance(starter.source, PackageParts)
    source = starter.source
    assert 0 < source.size - (source.parts - 1) * source.part_size <= source.part_size
    assert starter.sampling.temperature == 0
    assert not any(starter.fits(Memory(gb * GB, gb * GB)) for gb in (1, 8, 1000))


def test_an_unknown_name() -> None:
    assert by_name("gemma-4-9b") is None


@pytest.mark.parametrize(
    ("memory", "name"),
    [
        (Memory(8 * GB), "gemma-4-e2b"),
        (Memory(int(15.4 * GB)), "gemma-4-e4b"),
        (Memory(64 * GB), "gemma-4-e4b"),
        (Memory(8 * GB, int(7.9 * GB)), "gemma-4-e4b"),
        (Memory(32 * GB, 4 * GB), "gemma-4-e4b"),
        (Memory(16 * GB, 16 * GB), "gemma-4-12b"),
        (Memory(64 * GB, 24564 * 2**20), "gemma-4-26b-a4b"),
        (Memory(64 * GB, 48 * GB), "gemma-4-26b-a4b"),
        (Memory(8 * GB, unified=True), "gemma-4-e4b"),
        (Memory(16 * GB, unified=True), "gemma-4-e4b"),
        (Memory(32 * GB, unified=True), "gemma-4-26b-a4b"),
        (Memory(128 * GB, unified=True), "gemma-4-26b-a4b"),
    ],
)
def test_which_model_suits_which_machine(memory: Memory, name: str) -> None:
    assert suitable(catalogue(), memory).name == name


def test_where_nothing_suits_the_least_is_taken() -> None:
    tiny = Memory(2 * GB)
    assert not any(entry.fits(tiny) for entry in catalogue())
    assert suitable(catalogue(), tiny).name == "gemma-4-e2b"
