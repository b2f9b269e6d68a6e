"""`transom read-ahead`, and what other commands tell of it and do about it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.ahead.progress import Estimate, Progress, ReadSoFar
from app.ahead.words import cost, so_far
from app.cli import cli
from app.settings import Settings
from ingest.catalogue import Catalogue, catalogue_path
from ingest.library import Library
from tests.app.ahead.conftest import write_paper
from tests.cheap_embedder import CheapEmbedder

COMMAND = (
    sys.executable,
    "-c",
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from app.cli import main; main()",
    "read-ahead",
)
"""Ctrl-C is ignored by what a shell runs in the background."""


@pytest.fixture
def ingested(home: Path, papers: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The documents' folder; the index is closed again."""
    monkeypatch.setattr("ingest.library.Embedder", lambda _: CheapEmbedder())
    ingest(papers)
    return papers


def ingest(folder: Path, collection: str = "documents") -> None:
    with Library(Settings.load()) as library:
        library.__dict__["embedder"] = CheapEmbedder()
        list(library.ingest([folder], collection))


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [*map(str, arguments)])


def chunks() -> int:
    with Catalogue(catalogue_path(Settings.load())) as catalogue:
        return sum(entry.chunks for entry in catalogue.entries("documents"))


def states(home: Path) -> list[Path]:
    return sorted(home.glob("passages/*/*/*.state"))


def test_it_tells_what_it_takes_and_what_it_has_done(ingested: Path, home: Path) -> None:
    done = run("read-ahead")
    assert done.exit_code == 0, done.output
    assert f"{chunks()} passages to read: " in done.stderr
    assert done.stdout.startswith(f"Read ahead: {chunks()} of {chunks()} passages, ")
    assert len(states(home)) == chunks()
    assert "0 passages to read" in run("read-ahead").stderr


def test_where_there_is_no_room_for_more_it_says_so(ingested: Path, home: Path) -> None:
    done = run("read-ahead", "--limit", "0.0005")
    assert done.exit_code == 0
    assert "There is no room for more" in done.stderr
    assert 0 < len(states(home)) < chunks()
    assert sum(file.stat().st_size for file in states(home)) <= 500_000


def test_killed_in_the_middle_it_goes_on_from_there(ingested: Path, home: Path) -> None:
    for number in range(10, 40):
        write_paper(ingested, number)
    ingest(ingested)
    with subprocess.Popen(COMMAND, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        while len(states(home)) < 3:
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    before = states(home)
    assert len(before) < chunks()
    inodes = [file.stat().st_ino for file in before]
    done = subprocess.run(COMMAND, capture_output=True, text=True, check=True)
    assert f"{chunks() - len(before)} passages to read" in done.stderr
    assert [file.stat().st_ino for file in before] == inodes
    assert len(states(home)) == chunks()


def test_stopped_with_ctrl_c_it_says_how_to_go_on(ingested: Path, home: Path) -> None:
    for number in range(10, 40):
        write_paper(ingested, number)
    ingest(ingested)
    with subprocess.Popen(COMMAND, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        while len(states(home)) < 3:
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command goes on from there" in told
    assert "Traceback" not in told


def test_status_tells_how_much_is_ready(ingested: Path, home: Path, dense_gemma4: Path) -> None:
    assert "read ahead" not in run("status").stdout
    assert {row["uri"]: row["read_ahead"] for row in rows("status", "--json")} == {name: {} for name in names(ingested)}
    run("read-ahead")
    told = run("status").stdout.splitlines()[-1]
    assert told.startswith(f"read ahead for {dense_gemma4.name}: {chunks()} of {chunks()} chunks, ")
    each = {row["uri"]: (row["read_ahead"], row["chunks"]) for row in rows("status", "--json")}
    assert each == {uri: ({dense_gemma4.name: count}, count) for uri, (_, count) in each.items()}


def names(folder: Path) -> list[str]:
    return [file.name for file in sorted(folder.iterdir())]


def rows(*arguments: str) -> Iterator[dict[str, object]]:
    return map(json.loads, run(*arguments).stdout.splitlines())


def test_what_is_removed_or_changed_leaves_no_state(ingested: Path, home: Path) -> None:
    run("read-ahead")
    with Catalogue(catalogue_path(Settings.load())) as catalogue:
        ids = {entry.uri: entry.document_id for entry in catalogue.entries("documents")}
    assert run("remove", ingested / "paper0.md").exit_code == 0
    assert not list(home.glob(f"passages/*/{ids['paper0.md']}"))
    write_paper(ingested, 1, "was broken")
    assert run("ingest", ingested).exit_code == 0
    assert not list(home.glob(f"passages/*/{ids['paper1.md']}"))
    assert list(home.glob(f"passages/*/{ids['paper2.md']}/*.state"))
    assert run("remove", "--all", "--yes").exit_code == 0
    assert not list(home.glob("passages/*/*/"))


def test_a_trial_that_fails_is_told_with_the_way_out(
    ingested: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("read-ahead", "--limit", "0.0005")
    (about,) = home.glob("passages/*/about.json")
    about.write_text(json.dumps({"model": "tiny", "trial": {"fresh": 0.4, "joined": 0.6}}))
    before = len(states(home))
    monkeypatch.setenv("TRANSOM_ANSWERING__READ_AHEAD", "auto")
    done = subprocess.run(COMMAND, capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 4
    assert "0.600 nats a token" in done.stderr
    assert "set answering.read_ahead to on" in done.stderr
    assert len(states(home)) == before


def test_how_it_is_put_into_words() -> None:
    estimate = Estimate(3_000, 7_200, 1_100_000_000, 100, 3_100)
    assert cost(estimate) == "2 h, 1.1 GB"
    assert cost(Estimate(3, None, 1_000, 0, 3)) == "1.0 kB"
    assert so_far(Progress("documents")) == "beginning"
    assert so_far(Progress("documents", 3)) == "trying the model out, part 3"
    read = ReadSoFar(1_200, 3_100, 400_000_000)
    assert so_far(Progress("d", 0, estimate, read, 4_500)) == "1,200 of 3,100 passages, 400.0 MB, 75 min left"
