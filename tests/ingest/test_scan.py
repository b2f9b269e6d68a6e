import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import UsageError
from ingest.scan import File, Ignored, Unreadable, hash_file, scan


def write(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def files(root: Path, below: Path | None = None) -> list[str]:
    return [found.uri for found in scan(root, below) if isinstance(found, File)]


def ignored(root: Path) -> dict[str, str]:
    return {found.uri: found.reason for found in scan(root) if isinstance(found, Ignored)}


def test_a_file_is_found_with_what_identifies_it(tmp_path: Path) -> None:
    path = write(tmp_path / "deep/er/ä b.txt", "four")
    (found,) = scan(tmp_path)
    status = path.stat()
    assert found == File(str(path), "deep/er/ä b.txt", 4, status.st_mtime_ns)


def test_files_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.txt", "c.txt", "a.txt", "B.txt"):
        write(tmp_path / name)
    assert files(tmp_path) == ["B.txt", "a/z.txt", "a.txt", "b.txt", "c.txt"]


def test_the_walk_is_lazy(tmp_path: Path) -> None:
    write(tmp_path / "a.txt")
    walk = scan(tmp_path)
    assert isinstance(walk, Iterator)
    next(walk)
    with pytest.raises(StopIteration):
        next(walk)


def test_hidden_and_junk_are_left_out_with_a_reason(tmp_path: Path) -> None:
    for name in (
        ".secret",
        ".git/config",
        "Thumbs.db",
        "~$report.docx",
        "a.TMP",
        "node_modules/x.js",
        "env/pyvenv.cfg",
    ):
        write(tmp_path / name)
    write(tmp_path / "report.docx")
    assert files(tmp_path) == ["report.docx"]
    assert ignored(tmp_path) == {
        ".secret": "hidden",
        ".git": "hidden",
        "Thumbs.db": "junk",
        "~$report.docx": "junk",
        "a.TMP": "junk",
        "node_modules": "junk",
        "env": "a Python environment",
    }


def test_ignore_files_hold_below_their_folder_and_the_inner_has_the_last_word(tmp_path: Path) -> None:
    write(tmp_path / ".gitignore", "*.log\nbuild/\n/only-here.txt\n[z-a]\n!\n")
    write(tmp_path / "sub/.gitignore", "!kept.log\nsecret.txt\n")
    for name in ("a.log", "build/a.txt", "only-here.txt", "sub/a.log", "sub/kept.log", "sub/secret.txt"):
        write(tmp_path / name)
    for name in ("secret.txt", "sub/only-here.txt", "sub/build.txt"):
        write(tmp_path / name)
    assert files(tmp_path) == ["secret.txt", "sub/build.txt", "sub/kept.log", "sub/only-here.txt"]
    assert ignored(tmp_path)["build"] == "left out by .gitignore"


def test_transom_s_own_ignore_file_has_the_last_word(tmp_path: Path) -> None:
    write(tmp_path / ".gitignore", "*.csv\n")
    write(tmp_path / ".transomignore", "!data.csv\n*.txt\n")
    for name in ("data.csv", "other.csv", "a.txt"):
        write(tmp_path / name)
    assert files(tmp_path) == ["data.csv"]
    assert ignored(tmp_path)["a.txt"] == "left out by .transomignore"


def test_links_are_never_followed(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside/a.txt").parent
    root = tmp_path / "root"
    write(root / "real/a.txt")
    (root / "circle").symlink_to(root)
    (root / "file").symlink_to(root / "real/a.txt")
    (root / "out").symlink_to(outside)
    (root / "broken").symlink_to(root / "nothing")
    (root / "self").symlink_to(root / "self")
    assert files(root) == ["real/a.txt"]
    assert ignored(root) == {
        "circle": "a link into the folder, where what it points to is read anyway",
        "file": "a link into the folder, where what it points to is read anyway",
        "out": "a link that leads out of the folder",
        "broken": "a link that leads nowhere",
        "self": "a link that leads nowhere",
    }


def test_special_files_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    os.mkfifo("pipe")
    os.mkfifo(".gitignore")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        reasons = ignored(tmp_path)
    assert reasons == {
        ".gitignore": "hidden",
        "pipe": "neither a file nor a folder",
        "socket": "neither a file nor a folder",
    }


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_cannot_be_opened_is_reported(tmp_path: Path) -> None:
    write(tmp_path / "a.txt")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    assert files(tmp_path) == ["a.txt"]
    assert Unreadable("closed", "it cannot be opened: Permission denied") in scan(tmp_path)
    closed.chmod(0o700)


def test_a_folder_that_vanishes_during_the_walk_is_gone(tmp_path: Path) -> None:
    write(tmp_path / "a.txt")
    (tmp_path / "b").mkdir()
    walk = scan(tmp_path)
    next(walk)
    (tmp_path / "b").rmdir()
    assert list(walk) == []


def test_a_name_that_is_no_unicode_is_printable(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.txt")
    (tmp_path / name).write_text("x")
    (found,) = scan(tmp_path)
    assert isinstance(found, File)
    assert found.uri == "caf\\xe9.txt"
    assert found.path.read_text() == "x"


def test_below_limits_the_walk_and_keeps_names_and_rules(tmp_path: Path) -> None:
    write(tmp_path / ".gitignore", "*.log\n")
    for name in ("a.txt", "sub/b.txt", "sub/c.log", "sub/deep/d.txt", "subway/e.txt"):
        write(tmp_path / name)
    assert files(tmp_path, tmp_path / "sub") == ["sub/b.txt", "sub/deep/d.txt"]
    assert files(tmp_path, tmp_path / "sub/b.txt") == ["sub/b.txt"]
    assert files(tmp_path, tmp_path) == files(tmp_path)


def test_folders_may_be_nested_deeper_than_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    depth = 1200
    for _ in range(depth):
        os.mkdir("d")
        os.chdir("d")
    Path("a.txt").touch()
    assert files(tmp_path) == ["d/" * depth + "a.txt"]
    for _ in range(depth):  # pytest's own clean-up would meet its limit
        os.chdir("..")
        for entry in os.scandir():
            if entry.is_dir() and not any(inner.is_dir() for inner in os.scandir(entry)):
                for inner in os.scandir(entry):
                    os.unlink(inner)
                os.rmdir(entry)


def test_a_missing_folder_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as failure:
        list(scan(tmp_path / "nothing"))
    assert "No such file" in failure.value.message
    assert failure.value.hint


@given(st.binary(max_size=300))
def test_the_hash_is_that_of_the_content(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    import hashlib

    path = tmp_path_factory.getbasetemp() / "hashed"
    path.write_bytes(content)
    assert hash_file(path) == hashlib.sha256(content).hexdigest()
