import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ingest.catalogue import Entry
from ingest.embedder import Embedder
from ingest.errors import TransomError, UsageError
from ingest.events import Event, Finished, Indexed, Removed, Skipped
from ingest.index import Where
from ingest.library import Library
from ingest.settings import IngestSettings
from ingest.watch import parts_of, watch
from ingest.watcher import Watcher

SOON = 2.0
"""Seconds within which a change is followed."""
SLACK = 60.0
"""Seconds that a busy machine gets."""


class Watched:
    """A folder that is followed in a thread of its own, as long as the block lasts."""

    def __init__(self, library: Library, *paths: Path) -> None:
        self.library = library
        self.events: list[Event] = []
        self._paths = paths
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._follow)

    def _follow(self) -> None:
        try:
            for event in watch(self.library, self._paths, "documents", self._stop):
                self.events.append(event)
        except BaseException as error:
            self._failure = error

    def __enter__(self) -> "Watched":
        self._thread.start()
        self.wait(lambda: any(isinstance(event, Finished) for event in self.events))
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        if self._failure:
            raise self._failure

    def wait(self, condition: Callable[[], bool]) -> float:
        """Seconds until something is so."""
        started = time.monotonic()
        while not condition():
            assert self._thread.is_alive()
            assert time.monotonic() - started < SLACK, self.events
            time.sleep(0.02)
        return time.monotonic() - started

    def names(self) -> list[str]:
        return sorted(entry.uri for entry in self.library.catalogue.entries() if entry.state == "indexed")

    def becomes(self, *names: str) -> float:
        return self.wait(lambda: self.names() == sorted(names))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "a.txt").write_text("The lamp was lit.")
    return folder


def indexed(watched: Watched) -> list[str]:
    return [event.document for event in watched.events if isinstance(event, Indexed)]


def test_what_changes_is_followed(library: Library, folder: Path) -> None:
    with Watched(library, folder) as watched:
        (folder / "b.txt").write_text("The boat sails on Tuesdays.")
        seconds = [watched.becomes("a.txt", "b.txt")]
        (folder / "deep/er").mkdir(parents=True)
        (folder / "deep/er/c.txt").write_text("The fog signal sounds.")
        seconds.append(watched.becomes("a.txt", "b.txt", "deep/er/c.txt"))
        (folder / "deep/er/d.txt").write_text("In a folder that is new.")
        seconds.append(watched.becomes("a.txt", "b.txt", "deep/er/c.txt", "deep/er/d.txt"))
        (folder / "b.txt").unlink()
        seconds.append(watched.becomes("a.txt", "deep/er/c.txt", "deep/er/d.txt"))
        watched.wait(lambda: isinstance(watched.events[-1], Finished))
    if os.getloadavg()[0] < 2 * (os.cpu_count() or 1):  # else the machine is at work for others
        assert min(seconds) < SOON


def test_an_edit_is_followed(library: Library, folder: Path) -> None:
    with Watched(library, folder) as watched:
        (folder / "a.txt").write_text("The lamp was put out.")
        watched.wait(lambda: indexed(watched) == ["a.txt", "a.txt"])
    assert [chunk.text for chunk, _ in library.index.scroll(Where())] == ["The lamp was put out."]


def test_a_renamed_folder_costs_no_embedding_and_is_followed_under_its_new_name(library: Library, folder: Path) -> None:
    (folder / "old").mkdir()
    (folder / "old/b.txt").write_text("The boat sails on Tuesdays.")
    with Watched(library, folder) as watched:
        (folder / "old").rename(folder / "new")
        watched.becomes("a.txt", "new/b.txt")
        watched.wait(lambda: isinstance(watched.events[-1], Finished))
        moved = watched.events[-1]
        (folder / "new/c.txt").write_text("The fog signal sounds.")
        watched.becomes("a.txt", "new/b.txt", "new/c.txt")
    assert isinstance(moved, Finished)
    assert (moved.indexed, moved.removed, moved.embedded) == (1, 1, 0)


def test_ignore_files_are_followed_and_what_they_leave_out_is_not(library: Library, folder: Path) -> None:
    (folder / "build").mkdir()
    (folder / "build/b.txt").write_text("The boat sails on Tuesdays.")
    with Watched(library, folder) as watched:
        (folder / ".transomignore").write_text("build/\n*.log\n")
        watched.becomes("a.txt")
        told = len(watched.events)
        (folder / "build/b.txt").write_text("The boat sails on Fridays.")
        (folder / "a.log").write_text("nobody reads this")
        (folder / ".hidden").write_text("nor this")
        time.sleep(1.5)
        assert watched.events[told:] in ([], watched.events[told : told + 1])
        (folder / ".transomignore").unlink()
        watched.becomes("a.log", "a.txt", "build/b.txt")


def test_links_are_not_followed(library: Library, folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("Nobody asked for this.")
    with Watched(library, folder) as watched:
        (folder / "out").symlink_to(outside)
        (folder / "circle").symlink_to(folder)
        (folder / "a.txt").unlink()
        (folder / "a.txt").symlink_to(outside / "secret.txt")
        watched.becomes()
        (outside / "more.txt").write_text("Nor for this.")
        (folder / "b.txt").write_text("The boat sails on Tuesdays.")
        watched.becomes("b.txt")
    assert indexed(watched) == ["a.txt", "b.txt"]


def test_a_name_that_is_no_utf8_is_followed(library: Library, folder: Path) -> None:
    with Watched(library, folder) as watched:
        Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.txt")).write_text("The café is open.")
        watched.becomes("a.txt", "caf\\xe9.txt")
        (folder / "b.txt").write_text("And what comes later is followed too.")
        watched.becomes("a.txt", "b.txt", "caf\\xe9.txt")


def test_a_single_file_is_followed_through_a_save_that_replaces_it(library: Library, folder: Path) -> None:
    with Watched(library, folder / "a.txt") as watched:
        (folder / "b.txt").write_text("Its neighbours are not.")
        (folder / "a.new").write_text("The lamp was put out.")
        (folder / "a.new").rename(folder / "a.txt")
        watched.wait(lambda: len(indexed(watched)) == 2)
        (folder / "a.txt").unlink()
        watched.becomes()
    assert indexed(watched) == ["a.txt", "a.txt"]


def test_a_folder_that_goes_away_keeps_its_documents_and_is_followed_when_it_is_back(
    library: Library, folder: Path
) -> None:
    with Watched(library, folder) as watched:
        away = folder.rename(folder.with_name("away"))
        watched.wait(lambda: isinstance(watched.events[-1], Skipped))
        assert watched.names() == ["a.txt"]
        (away / "b.txt").write_text("The boat sails on Tuesdays.")
        away.rename(folder)
        watched.becomes("a.txt", "b.txt")
        (folder / "c.txt").write_text("The fog signal sounds.")
        watched.becomes("a.txt", "b.txt", "c.txt")
    assert not any(isinstance(event, Removed) for event in watched.events)


def test_a_disk_that_is_taken_away_leaves_an_empty_folder_and_nothing_is_removed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = Watcher([folder], threading.Event())
    watcher.check(folder)
    (folder / "a.txt").unlink()
    watcher.check(folder)  # emptied by somebody: that is a change like any other
    monkeypatch.setitem(watcher.__dict__["_disks"], folder, -1)
    with pytest.raises(UsageError, match="its disk was taken away"):
        watcher.check(folder)
    (folder / "a.txt").touch()
    watcher.check(folder)  # another disk in its place
    watcher.close()


def test_a_missing_folder_is_a_usage_error(library: Library, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file or folder"):
        list(watch(library, [tmp_path / "nothing"], "documents", threading.Event()))


@pytest.mark.parametrize(
    "error",
    [
        OSError("OS file watch limit reached."),
        RuntimeError("Error creating recommended watcher: Too many open files (os error 24)"),
    ],
)
def test_the_limits_of_the_system_are_told_in_words(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(*_: object, **__: object) -> Iterator[object]:
        raise error
        yield

    monkeypatch.setattr("watchfiles.watch", refuse)
    with pytest.raises(TransomError, match="cannot be watched") as failure:
        Watcher([folder], threading.Event())
    assert "max_user_watches" in failure.value.hint


@pytest.mark.parametrize(
    ("changed", "parts"),
    [
        (["a.txt"], ["a.txt"]),
        (["sub/.gitignore", "sub/a.txt"], ["sub"]),
        ([".transomignore"], [""]),
        (["env/pyvenv.cfg"], ["env"]),
        ([".git/.gitignore", ".hidden", "~$a.docx", "node_modules/x.js"], []),
        (["sub/a", "sub/a/b", "sub/ab"], ["sub/a", "sub/ab"]),
        ([f"sub/{number}/x.txt" for number in range(300)], ["sub"]),
        ([f"{number}.txt" for number in range(300)], [""]),
    ],
)
def test_the_fewest_parts_are_swept(tmp_path: Path, changed: Sequence[str], parts: Sequence[str]) -> None:
    found = parts_of([tmp_path / path for path in changed], [tmp_path])
    assert found == [tmp_path / part for part in parts]


def test_what_is_gone_is_swept_last(tmp_path: Path) -> None:
    (tmp_path / "z").touch()
    assert parts_of([tmp_path / "a", tmp_path / "z"], [tmp_path]) == [tmp_path / "z", tmp_path / "a"]


class Chaos:
    """Does something at random to a folder."""

    def __init__(self, root: Path, random: Random) -> None:
        self._root = root
        self._random = random
        self._count = 0

    def act(self) -> None:
        actions = (self.write, self.append, self.rename, self.delete, self.make_folder, self.rule, self.link)
        self._random.choices(actions, weights=(4, 2, 3, 2, 2, 1, 1))[0]()

    def write(self) -> None:
        self._text(self._somewhere(), "w")

    def append(self) -> None:
        if files := [path for path in self._all() if path.is_file()]:
            self._text(self._random.choice(files), "a")

    def rename(self) -> None:
        if paths := self._all():
            target = self._somewhere()
            source = self._random.choice(paths)
            if not target.exists() and not target.is_relative_to(source):
                source.rename(target)

    def delete(self) -> None:
        if paths := self._all():
            path = self._random.choice(paths)
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

    def make_folder(self) -> None:
        path = self._somewhere()
        if not path.exists() and not path.is_symlink():
            path.mkdir()

    def rule(self) -> None:
        path = self._random.choice(self._folders()) / self._random.choice((".gitignore", ".transomignore"))
        if path.exists():
            path.unlink()
        else:
            path.write_text(self._random.choice(("a*\n", "b/\n", "*.txt\n!c.txt\n", "c\n")))

    def link(self) -> None:
        path = self._somewhere()
        if not path.exists() and not path.is_symlink():
            path.symlink_to(self._random.choice([self._root, self._root.parent, *self._all()]))

    def _text(self, path: Path, mode: str) -> None:
        if path.is_dir() or path.is_symlink():
            return
        self._count += 1
        with path.open(mode) as file:
            file.write(f"Entry {self._count}: {self._random.choice(('lamp', 'boat', 'fog'))}.\n\n")

    def _somewhere(self) -> Path:
        name = self._random.choice("abcd") + self._random.choice(("", ".txt", ".txt"))
        return self._random.choice(self._folders()) / name

    def _folders(self) -> list[Path]:
        return [self._root, *(path for path in self._all() if path.is_dir() and not path.is_symlink())]

    def _all(self) -> list[Path]:
        return sorted(path for path in self._root.rglob("*") if not path.name.startswith("."))


def contents(library: Library) -> tuple[dict[str, object], set[Entry]]:
    return {chunk.id: chunk for chunk, _ in library.index.scroll(Where())}, set(library.catalogue.entries())


@settings(
    max_examples=int(os.environ.get("TRANSOM_TEST_WATCH_EXAMPLES", "2")),
    deadline=None,
    phases=[Phase.generate],
    derandomize="TRANSOM_TEST_WATCH_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 10**9))
def test_whatever_happens_the_index_becomes_that_of_the_final_folder(
    tmp_path_factory: pytest.TempPathFactory, embedder: Embedder, seed: int
) -> None:
    base, random = tmp_path_factory.mktemp("watch"), Random(seed)
    folder = base / "papers"
    folder.mkdir()
    with library_in(base / "followed", embedder) as library:
        chaos = Chaos(folder, random)
        with Watched(library, folder) as watched:
            for _ in range(100):
                chaos.act()
                time.sleep(random.choice((0, 0, 0, 0, 0, 0.01, 0.3)))
            with library_in(base / "fresh", embedder) as fresh:
                list(fresh.ingest([folder], "documents"))
                expected = contents(fresh)
            watched.wait(lambda: contents(library) == expected)


def library_in(home: Path, embedder: Embedder) -> Library:
    library = Library(IngestSettings.load(home=home))
    library.__dict__["embedder"] = embedder
    return library
