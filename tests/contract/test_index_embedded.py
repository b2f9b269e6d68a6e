"""What only the embedded home must do: survive, refuse a second process, and never show a traceback."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ingest.documents import Chunk
from ingest.errors import FingerprintError, IndexLockedError, VectorIndexError
from ingest.index import Fingerprint, SparseTerms, Vectors, Where, drop_index, embedded, open_index, shard
from ingest.index.embedded import EmbeddedIndex
from ingest.settings import IngestSettings

MakeItem = Callable[..., tuple[Chunk, Vectors]]
MakeQuery = Callable[..., tuple[list[float], SparseTerms]]

EVERYTHING = Where()

HOLD = """
import os, signal, sys
from pathlib import Path
from ingest.documents import Chunk
from ingest.index import Fingerprint, SparseTerms, Vectors
from ingest.index.embedded import EmbeddedIndex

index = EmbeddedIndex.open(Path(sys.argv[1]), Fingerprint("toy", 16, 200, 0, 1))
for number in range(300):
    chunk = Chunk(f"00000000-0000-5000-8000-{number:012}", "c", "d", "u", "t", number, "x", (), (), (0, 1), 1)
    index.upsert([(chunk, Vectors([1.0] + 15 * [0.0], SparseTerms((1,), (1.0,))))])
print("ready", flush=True)
sys.stdin.read()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def settings(tmp_path: Path) -> IngestSettings:
    return IngestSettings(home=tmp_path)


def test_it_is_there_after_closing(
    settings: IngestSettings, fingerprint: Fingerprint, item: MakeItem, query: MakeQuery
) -> None:
    items = [item(f"anchor {n}", topic=n % 16, ordinal=n) for n in range(50)]
    with open_index(settings, fingerprint) as index:
        index.upsert(items)
        before = index.search(*query("anchor 7"), limit=50, where=EVERYTHING)
        index.close()
    with open_index(settings, fingerprint) as index:
        assert index.fingerprint() == fingerprint
        assert {chunk for chunk, _ in index.scroll(EVERYTHING)} == {chunk for chunk, _ in items}
        assert index.search(*query("anchor 7"), limit=50, where=EVERYTHING) == before


def test_a_second_process_is_told_and_a_killed_one_loses_nothing(tmp_path: Path, fingerprint: Fingerprint) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "ready\n"
        with pytest.raises(IndexLockedError, match="another process") as caught:
            EmbeddedIndex.open(tmp_path, fingerprint)
        with pytest.raises(IndexLockedError):
            embedded.drop(tmp_path)
        holder.communicate("")
    assert "Wait until it is done" in caught.value.hint
    assert holder.returncode == -9
    with EmbeddedIndex.open(tmp_path, fingerprint) as index:
        assert index.count(EVERYTHING) == 300


def test_another_fingerprint_is_an_error_that_names_both(settings: IngestSettings, fingerprint: Fingerprint) -> None:
    open_index(settings, fingerprint).close()
    other = replace(fingerprint, embedder="BAAI/bge-m3", dimension=1024)
    with pytest.raises(FingerprintError) as caught:
        open_index(settings, other)
    assert "embedding.model was 'toy' and is now 'BAAI/bge-m3'" in caught.value.message
    assert "16 and is now 1024" in caught.value.message
    assert "transom ingest --rebuild" in caught.value.hint
    drop_index(settings)
    with open_index(settings, other) as index:
        assert index.fingerprint() == other


def test_without_a_fingerprint_it_opens_what_is_there(settings: IngestSettings, fingerprint: Fingerprint) -> None:
    with pytest.raises(VectorIndexError, match="no index"):
        open_index(settings, None)
    open_index(settings, fingerprint).close()
    with open_index(settings, None) as index:
        assert index.fingerprint() == fingerprint
    drop_index(settings)
    drop_index(settings)
    assert not any((settings.home / "index" / "embedded").iterdir())


def test_making_it_may_be_interrupted(
    tmp_path: Path, fingerprint: Fingerprint, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_shard = shard._create_shard

    def interrupted(path: Path, dimension: int) -> None:
        make_shard(path, dimension)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(shard, "_create_shard", interrupted)
        EmbeddedIndex.open(tmp_path, fingerprint)
    shutil.copytree(Path(__file__).parent, tmp_path / "index" / "embedded" / "new-left-by-a-killed-process")
    with EmbeddedIndex.open(tmp_path, fingerprint) as index:
        assert index.count(EVERYTHING) == 0


def test_another_process_may_be_faster_at_making_it(
    tmp_path: Path, fingerprint: Fingerprint, item: MakeItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_shard = shard._create_shard

    def overtaken(path: Path, dimension: int) -> None:
        monkeypatch.setattr(shard, "_create_shard", make_shard)
        with EmbeddedIndex.open(tmp_path, fingerprint) as winner:
            winner.upsert([item("first")])
        make_shard(path, dimension)

    monkeypatch.setattr(shard, "_create_shard", overtaken)
    with EmbeddedIndex.open(tmp_path, fingerprint) as index:
        assert index.count(EVERYTHING) == 1


DAMAGES = {
    "no shard": "shard",
    "no segments": "shard/segments",
    "no fingerprint": "fingerprint.json",
    "junk fingerprint": ("fingerprint.json", "null"),
    "half a fingerprint": ("fingerprint.json", '{"embedder": "toy"}'),
    "junk config": ("shard/edge_config.json", "{"),
    "empty log": ("shard/wal/*", ""),
    "empty segment": ("shard/segments/*/segment.json", ""),
    "empty vectors, at which Edge panics": ("shard/segments/*/vector_storage-dense/**/*", ""),
}
"""What is removed, or which files get which contents."""


def _damage(directory: Path, what: str | tuple[str, str]) -> None:
    if isinstance(what, tuple):
        files = [path for path in directory.glob(what[0]) if path.is_file()]
        assert files
        for path in files:
            path.write_text(what[1])
    elif (directory / what).is_dir():
        shutil.rmtree(directory / what)
    else:
        (directory / what).unlink()


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damage_is_told_with_the_way_out(
    damage: str | tuple[str, str], settings: IngestSettings, fingerprint: Fingerprint, item: MakeItem
) -> None:
    with open_index(settings, fingerprint) as index:
        index.upsert([item("rope")])
    _damage(settings.home / "index" / "embedded" / "vectors", damage)
    with pytest.raises(VectorIndexError) as caught:
        open_index(settings, fingerprint)
    assert "transom ingest --rebuild" in caught.value.hint
    drop_index(settings)
    with open_index(settings, fingerprint) as index:
        assert index.count(EVERYTHING) == 0


def test_sealed_segments_answer_as_one(sealed_index: EmbeddedIndex, item: MakeItem, query: MakeQuery) -> None:
    items = [item(f"rope {n}", topic=n % 16, ordinal=n) for n in range(600)]
    sealed_index.upsert(items)
    sealed_index.delete(EVERYTHING, keep=[chunk.id for chunk, _ in items[100:]])
    sealed_index.upsert(items[400:])
    assert {chunk for chunk, _ in sealed_index.scroll(EVERYTHING)} == {chunk for chunk, _ in items[100:]}
    dense, terms = query("rope 123", topic=11)
    passages = sealed_index.search(dense, terms, limit=500, where=EVERYTHING)
    assert len(passages) == 500
    nearest = max(items[100:], key=lambda pair: float(np.dot(dense, pair[1].dense)))
    assert max(passages, key=lambda passage: passage.dense_score).chunk == nearest[0]


def test_no_file_can_be_cut_short_or_lost_unnoticed(
    sealed_index: EmbeddedIndex, item: MakeItem, tmp_path: Path
) -> None:
    sealed_index.upsert([item(f"rope {n}", topic=n % 16, ordinal=n) for n in range(300)])
    sealed_index.close()
    folder = tmp_path / "index" / "embedded" / "vectors" / "shard"
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)[::5]
    assert len(list(folder.glob("segments/*"))) > 2
    for path in files:
        size = path.stat().st_size
        with path.open("rb+") as file:
            tail = file.seek(size // 2) and file.read()
            file.truncate(size // 2)
            with pytest.raises(VectorIndexError, match="damaged") as caught:
                EmbeddedIndex.open(tmp_path, None)
            file.seek(size // 2)
            file.write(tail or b"")
        assert "transom ingest --rebuild" in caught.value.hint
        path.rename(tmp_path / "aside")
        with pytest.raises(VectorIndexError, match="damaged"):
            EmbeddedIndex.open(tmp_path, None)
        (tmp_path / "aside").rename(path)
    with EmbeddedIndex.open(tmp_path, None) as index:
        assert index.count(EVERYTHING) == 300


def test_a_disk_that_fills_up_stops_the_writing_and_keeps_what_is_there(
    embedded_index: EmbeddedIndex, item: MakeItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded_index.upsert([item("kept")])
    with monkeypatch.context() as patched:
        patched.setattr(shard, "disk_usage", lambda path: SimpleNamespace(free=100 * 2**20))
        with pytest.raises(VectorIndexError, match="Only 100 MB are free") as caught:
            embedded_index.upsert([item("refused", ordinal=1)])
    assert "Make room" in caught.value.hint
    assert embedded_index.count(EVERYTHING) == 1
    embedded_index.upsert([item("refused", ordinal=1)])
    assert embedded_index.count(EVERYTHING) == 2


FILL = """
import os, sys
from pathlib import Path
from ingest.documents import Chunk
from ingest.errors import VectorIndexError
from ingest.index import Fingerprint, SparseTerms, Vectors, Where, embedded, shard

shard._ROOM_MB = 128
index = embedded.EmbeddedIndex.open(Path(sys.argv[1]), Fingerprint("toy", 1024, 200, 0, 1))
stored, terms = 0, SparseTerms(tuple(range(1, 200)), 199 * (1.0,))
try:
    for start in range(0, 100_000, 256):
        chunks = [
            Chunk(f"00000000-0000-5000-8000-{n:012}", "c", "d", "u", "t", n, "x" * 2000, (), (), (0, 1), 1)
            for n in range(start, start + 256)
        ]
        index.upsert([(chunk, Vectors([1.0] + 1023 * [0.0], terms)) for chunk in chunks])
        stored += 256
except VectorIndexError as error:
    print(error.message)
index.delete(Where(), keep=[f"00000000-0000-5000-8000-{n:012}" for n in range(1, stored)])
index.close()
with embedded.EmbeddedIndex.open(Path(sys.argv[1]), None) as index:
    print(stored > 1000, index.count(Where()) == stored - 1)
"""


@pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("unshare") or os.geteuid() != 0, reason="mounts a small disk"
)
def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    mounted = f'mount -t tmpfs -o size=256m none {tmp_path} || exit 77; exec {sys.executable} -c "$0" {tmp_path}'
    run = subprocess.run(["unshare", "-m", "sh", "-c", mounted, FILL], capture_output=True, text=True, check=False)
    if run.returncode in {1, 77} and not run.stdout:
        pytest.skip(f"nothing can be mounted here: {run.stderr}")
    assert "MB are free" in run.stdout, run.stderr
    assert run.stdout.endswith("True True\n"), run.stdout + run.stderr


def test_a_home_that_cannot_be_written_is_told(tmp_path: Path, fingerprint: Fingerprint) -> None:
    (tmp_path / "index").write_text("a file where a folder should be")
    with pytest.raises(VectorIndexError, match="cannot be used") as caught:
        EmbeddedIndex.open(tmp_path, fingerprint)
    assert "permissions" in caught.value.hint


def test_a_closed_index_says_so(embedded_index: EmbeddedIndex) -> None:
    embedded_index.close()
    embedded_index.close()
    with pytest.raises(VectorIndexError):
        embedded_index.count(EVERYTHING)
