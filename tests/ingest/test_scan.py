import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import UsageError
from ingest.scan import File, FolderGoneError, Found, Ignored, Unreadable, count, folders, hash_file, scan, uri_of


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


def refuse(monkeypatch: pytest.MonkeyPatch, name: str, error: int) -> None:
    """Lets a call on one path fail, as it does on a broken disk, or for everybody but root."""
    call = getattr(os, name)

    def refusing(path: str) -> object:
        if "closed" in Path(path).parts:
            raise OSError(error, os.strerror(error))
        return call(path)

    monkeypatch.setattr(os, name, refusing)


@pytest.mark.parametrize("error", [errno.EACCES, errno.EIO, errno.ESTALE])
@pytest.mark.parametrize("call", ["listdir", "lstat"])
def test_what_cannot_be_looked_at_is_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, error: int
) -> None:
    write(tmp_path / "a.txt")
    write(tmp_path / "closed/b.txt")
    write(tmp_path / "d.txt")
    refuse(monkeypatch, call, error)
    assert files(tmp_path) == ["a.txt", "d.txt"]
    assert Unreadable("closed", f"it cannot be opened: {os.strerror(error)}") in list(scan(tmp_path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_opened_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    assert list(scan(tmp_path)) == [Unreadable("closed", "it cannot be opened: Permission denied")]
    (tmp_path / "closed").chmod(0o700)


def test_a_folder_whose_ignore_file_cannot_be_read_is_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "sub/.gitignore", "secret.txt")
    write(tmp_path / "sub/secret.txt")

    def refusing(*_: object) -> str:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "read_text", refusing)
    assert list(scan(tmp_path)) == [Unreadable("sub", "it cannot be opened: Permission denied")]


def test_a_root_that_goes_away_during_the_walk_is_an_error(tmp_path: Path) -> None:
    root = tmp_path / "disk"
    write(root / "a.txt")
    write(root / "b/c.txt")
    walk = scan(root)
    next(walk)
    root.rename(tmp_path / "away")
    with pytest.raises(FolderGoneError, match="cannot be opened"):
        list(walk)


def test_a_disk_that_is_taken_away_during_the_walk_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a.txt")
    walk = scan(tmp_path)
    next(walk)
    monkeypatch.setattr("ingest.scan.disk_of", lambda _: -1)  # its mount point stays, as an empty folder
    with pytest.raises(FolderGoneError, match="taken away"):
        list(walk)


def test_a_root_that_cannot_be_listed_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "closed/a.txt")
    refuse(monkeypatch, "listdir", errno.EACCES)
    with pytest.raises(FolderGoneError, match="Permission denied"):
        list(scan(tmp_path / "closed"))


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


def test_names_of_any_kind_are_read_and_have_places_of_their_own(tmp_path: Path) -> None:
    names = [
        b"caf\xe9.txt",
        b"caf\\xe9.txt",
        "caf\u00e9.txt".encode(),
        "cafe\u0301.txt".encode(),
        b"README.md",
        b"readme.MD",
        b"new\nline.txt",
        b" space ",
        b"-rf",
        b"*?[].txt",
        b"x" * 251 + b".txt",
        "\U0001f98a.txt".encode(),
    ]
    for name in names:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text("x")
    found = [file for file in scan(tmp_path) if isinstance(file, File)]
    assert sorted(os.fsencode(file.path.name) for file in found) == sorted(names)
    assert len({file.uri for file in found}) == len(names)
    for file in found:
        assert file.uri.encode()
        assert file.path.read_text() == "x"
        assert uri_of(file.path, tmp_path) == file.uri
        assert list(scan(tmp_path, file.path)) == [file]


@given(st.lists(st.binary(min_size=1, max_size=20).filter(lambda name: not {0, 47} & set(name)), min_size=2))
def test_no_two_names_share_a_place(names: list[bytes]) -> None:
    root = Path("/root")
    paths = {root / os.fsdecode(name) for name in names if name not in (b".", b"..")}
    assert len({uri_of(path, root) for path in paths}) == len(paths)


def test_a_folder_may_be_called_like_a_file(tmp_path: Path) -> None:
    write(tmp_path / "report.pdf/a.txt")
    write(tmp_path / "b.txt/c.pdf")
    assert files(tmp_path) == ["b.txt/c.pdf", "report.pdf/a.txt"]


def test_a_path_longer_than_the_system_allows_is_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a.txt")
    monkeypatch.chdir(tmp_path)
    depth = 20
    for _ in range(depth):
        os.mkdir("d" * 250)
        os.chdir("d" * 250)
    found = list(scan(tmp_path))
    assert files(tmp_path) == ["a.txt"]
    assert isinstance(found[-1], Unreadable)
    assert "File name too long" in found[-1].reason
    for _ in range(depth):
        os.chdir("..")
        os.rmdir("d" * 250)


def test_a_device_is_left_out() -> None:
    assert Ignored("null", "neither a file nor a folder") in scan(Path("/dev"), Path("/dev/null"))


def test_the_count_is_that_of_the_files_and_their_bytes(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", "four")
    write(tmp_path / "sub/b.txt", "sixsix")
    write(tmp_path / ".hidden", "not counted")
    assert count(tmp_path) == (2, 10)
    assert count(tmp_path, tmp_path / "sub") == (1, 6)


def test_the_folders_are_those_that_the_scan_looks_into(tmp_path: Path) -> None:
    write(tmp_path / ".gitignore", "build/\n")
    for name in ("a/b/c.txt", "build/d.txt", ".git/config", "node_modules/x/y.js"):
        write(tmp_path / name)
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert list(folders(tmp_path)) == [tmp_path, tmp_path / "a", tmp_path / "a/b"]


def test_what_vanished_is_passed_over(tmp_path: Path) -> None:
    assert list(scan(tmp_path, tmp_path / "gone")) == []
    assert list(scan(tmp_path, tmp_path / "gone/deeper")) == []
    write(tmp_path / "file")
    assert list(scan(tmp_path, tmp_path / "file/below a file")) == []


_TREE = (
    ".gitignore",
    ".hidden/a.txt",
    "a/.transomignore",
    "a/b/keep.log",
    "a/b/c.txt",
    "build/d.txt",
    "env/pyvenv.cfg",
    "env/lib/e.txt",
    "node_modules/f.js",
    "g.txt",
)


@given(st.sampled_from(_TREE), st.integers(0, 3))
def test_a_part_is_scanned_as_in_the_whole(tmp_path_factory: pytest.TempPathFactory, name: str, upwards: int) -> None:
    root = tmp_path_factory.getbasetemp() / "tree"
    if not root.exists():
        for each in _TREE:
            write(root / each, {".gitignore": "build/\n*.log\n", "a/.transomignore": "!keep.log\n"}.get(each, "x"))
    below = [root / name, *(root / name).parents][min(upwards, len(Path(name).parts))]

    def concerns(found: Found) -> bool:
        place = root / found.uri
        return place.is_relative_to(below) or (not isinstance(found, File) and below.is_relative_to(place))

    assert list(scan(root, below)) == list(filter(concerns, scan(root)))


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
