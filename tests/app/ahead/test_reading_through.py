"""A collection is read from the beginning to the end, and states go with their documents."""

from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from app.ahead.ready import ReadyStates
from app.ahead.tidying import remove_outdated, tidy_up
from app.ahead.walking import read_everything
from app.assistant import Assistant
from app.errors import ModelError
from app.llm.engine import Engine
from app.llm.passages import LABELS, Trial
from app.settings import Settings
from ingest.errors import UsageError
from ingest.library import Library
from tests.app.ahead.conftest import write_paper


def states(home: Path) -> set[Path]:
    return set(home.glob("passages/*/*/*.state"))


def chunks(library: Library, collection: str = "documents") -> int:
    return sum(entry.chunks for entry in library.catalogue.entries(collection))


def with_settings(assistant: Assistant, **answering: Any) -> Assistant:
    settings = assistant.settings
    changed = settings.model_copy(update={"answering": settings.answering.model_copy(update=answering)})
    return Assistant(changed, assistant.model, assistant.library, assistant.engine, assistant.orchestrator)


def test_the_estimate_comes_first_and_every_passage_is_read_once(assistant: Assistant, home: Path) -> None:
    total = chunks(assistant.library)
    first, *others = assistant.read_ahead("documents")
    assert first.read is None
    assert first.estimate
    assert (first.estimate.passages, first.estimate.total) == (total, total)
    assert others[-1].read
    assert (others[-1].read.passages, others[-1].read.total, others[-1].read.full) == (total, total, False)
    assert others[-1].read.bytes == sum(file.stat().st_size for file in states(home))
    assert len(states(home)) == total
    again = list(assistant.read_ahead("documents"))
    assert again[0].estimate
    assert again[0].estimate.passages == 0
    assert {event.read.passages for event in again if event.read} == {total}


def test_stopped_it_goes_on_from_there(assistant: Assistant, home: Path) -> None:
    with closing(assistant.read_ahead("documents")) as going:  # type: ignore[type-var]
        list(islice(going, 12))
    before = {file: file.stat().st_ino for file in states(home)}
    assert 0 < len(before) < chunks(assistant.library)
    first = next(iter(assistant.read_ahead("documents")))
    assert first.estimate
    assert first.estimate.ready == len(before)
    list(assistant.read_ahead("documents"))
    assert len(states(home)) == chunks(assistant.library)
    assert all(file.stat().st_ino == inode for file, inode in before.items())


def test_the_limit_is_kept_and_told(assistant: Assistant, home: Path) -> None:
    limit = 300_000
    *_, last = assistant.read_ahead("documents", limit)
    assert last.read
    assert last.read.full
    assert 0 < last.read.passages < last.read.total
    assert sum(file.stat().st_size for file in states(home)) <= limit


def test_an_empty_collection_and_reading_that_is_off_are_told(assistant: Assistant) -> None:
    with pytest.raises(UsageError, match="holds no documents"):
        list(assistant.read_ahead("nothing"))
    with pytest.raises(ModelError, match="switched off"):
        list(with_settings(assistant, read_ahead="off").read_ahead("documents"))


def test_where_the_trial_fails_nothing_is_read_unless_it_is_wished(assistant: Assistant, home: Path) -> None:
    assert assistant.engine.states
    assistant.engine.states.trial = Trial(fresh=0.4, joined=0.6)
    careful = with_settings(assistant, read_ahead="auto")
    with pytest.raises(ModelError, match=r"0\.600 nats .*, by 0\.400 else") as told:
        list(careful.read_ahead("documents"))
    assert "answering.read_ahead to on" in told.value.hint
    assert list(read_everything(careful.reader)) == []
    assert not states(home)
    list(assistant.read_ahead("documents"))
    assert states(home)


def test_a_model_without_a_trial_has_one_made_first(assistant: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    def trial(engine: Engine) -> Iterator[None]:
        yield from (None, None)
        assert engine.states
        engine.states.trial = Trial(0.4, 0.4)

    monkeypatch.setattr("app.ahead.reader.try_out", trial)
    progress = list(with_settings(assistant, read_ahead="auto").read_ahead("documents"))
    assert [event.tried for event in progress[:3]] == [1, 2, 0]
    assert progress[2].estimate


def test_by_itself_it_reads_only_where_that_pays(assistant: Assistant) -> None:
    assert assistant.engine.states
    assistant.engine.states.trial = Trial(0.4, 0.4)
    reader = with_settings(assistant, read_ahead="auto").reader
    assistant.engine.speed.prefill = 5 * 1.5 * 48 / 15 + 1
    assert list(read_everything(reader)) == []
    assistant.engine.speed.prefill -= 2
    assert next(iter(read_everything(reader))).collection == "documents"


def test_all_collections_share_one_limit_and_the_most_used_comes_first(
    assistant: Assistant, papers: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_paper(papers, 7)
    list(assistant.library.ingest([papers / "paper7.md"], "others"))
    (other,) = assistant.library.catalogue.entries("others")
    monkeypatch.setattr("app.ahead.reader.uses", lambda _: {other.document_id: 2})
    assert assistant.engine.states
    assistant.engine.states.limit = 800_000
    told = [event.collection for event in read_everything(assistant.reader)]
    assert list(dict.fromkeys(told)) == ["others", "documents"]
    held = ReadyStates(home).of_document(other)["read_ahead"]
    assert list(held.values()) == [other.chunks]
    assert sum(file.stat().st_size for file in states(home)) <= 800_000


def test_what_is_forgotten_leaves_no_state_without_a_model(assistant: Assistant, papers: Path, home: Path) -> None:
    list(assistant.read_ahead("documents"))
    assert assistant.engine.states
    assistant.engine.states.save(LABELS, [7], bytearray(b"the number of a passage"))
    gone, kept = list(assistant.library.catalogue.entries("documents"))[:2]
    list(assistant.library.forget([gone.document_id]))
    remove_outdated(home, assistant.library.catalogue, changed=True)
    assert not list(home.glob(f"passages/*/{gone.document_id}"))
    assert list(home.glob(f"passages/*/{kept.document_id}/*.state"))
    list(assistant.library.ingest([papers], "documents"))
    list(assistant.read_ahead("documents"))  # the states that the engine knew of are made once more
    assert len(states(home)) == chunks(assistant.library) + 1


def test_a_changed_document_keeps_the_states_of_what_it_still_says(
    assistant: Assistant, papers: Path, home: Path
) -> None:
    list(assistant.read_ahead("documents"))
    before = states(home)
    paper = papers / "paper1.md"
    paper.write_text(paper.read_text().replace("lit 8 times", "lit for ever"))
    list(assistant.library.ingest([papers], "documents"))
    (entry,) = [each for each in assistant.library.catalogue.entries("documents") if each.uri == "paper1.md"]
    assistant.reader.tidy()
    after = states(home)
    assert after < before
    assert {file.parent.name for file in before - after} == {entry.document_id}
    assert any(file.parent.name == entry.document_id for file in after)


def test_without_a_reader_the_states_of_a_changed_document_go(assistant: Assistant, papers: Path, home: Path) -> None:
    list(assistant.read_ahead("documents"))
    paper = write_paper(papers, 1, "was broken")
    list(assistant.library.ingest([paper], "documents"))
    tidy_up(Settings.load())
    (entry,) = [each for each in assistant.library.catalogue.entries("documents") if each.uri == "paper1.md"]
    assert not list(home.glob(f"passages/*/{entry.document_id}"))
    assert states(home)
