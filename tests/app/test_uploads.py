"""What comes through the browser is checked, named safely, and never stands in place of something else."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.uploads import Uploads, collection_name, safe_name
from ingest.errors import EmptyError, ReadError, TransomError, UnsupportedError, UsageError
from ingest.scan import File, scan


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("über die Straße 日本.md", "über die Straße 日本.md"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\system.ini", "system.ini"),
        ("/etc/shadow", "shadow"),
        (".bashrc", "bashrc"),
        ("CON.txt", "CON_.txt"),
        ("a\0b\n:?.txt", "ab.txt"),
        ("gnp.\u202efdp.txt", "gnp.fdp.txt"),
    ],
)
def test_a_name_becomes_one_that_every_system_takes(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@pytest.mark.parametrize("name", ["", "..", "///", "\0", "~$report.docx", "half.part"])
def test_a_name_that_cannot_be_kept_is_told(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be kept"):
        safe_name(name)


@given(st.text(max_size=300))
def test_whatever_it_is_called_it_lies_in_its_folder(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    try:
        safe = safe_name(name)
    except UsageError:
        return
    assert Path(safe).name == safe
    assert not safe.startswith(".")
    assert len(safe.encode()) <= 200


@pytest.mark.parametrize("name", ["", " ", "..", "a/b", ".hidden", "a\\b", "CON"])
def test_a_collection_that_could_be_no_folder_is_told(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be called"):
        collection_name(name)


def test_a_file_lies_where_an_ingest_finds_it(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path, 1)
    kept = uploads.store("my papers", "gate.txt", b"The gate costs 7 pounds.")
    assert kept == tmp_path / "uploads/my papers/gate.txt"
    assert kept.read_bytes() == b"The gate costs 7 pounds."
    assert [found.uri for found in scan(kept.parent) if isinstance(found, File)] == ["gate.txt"]


def test_another_file_of_the_same_name_is_kept_beside_it_and_the_same_one_is_not(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path, 1)
    first = uploads.store("documents", "gate.txt", b"The gate costs 7 pounds.")
    second = uploads.store("documents", "gate.txt", b"The gate costs 8 pounds.")
    again = uploads.store("documents", "gate.txt", b"The gate costs 8 pounds.")
    assert (first.name, second.name, again) == ("gate.txt", "gate (2).txt", second)
    assert first.read_bytes() == b"The gate costs 7 pounds."
    assert sorted(path.name for path in first.parent.iterdir()) == ["gate (2).txt", "gate.txt"]


def test_a_link_that_lies_there_is_not_written_through(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path, 1)
    target = tmp_path / "secret.txt"
    target.write_text("mine")
    uploads.folder("documents").mkdir(parents=True)
    (uploads.folder("documents") / "gate.txt").symlink_to(target)
    kept = uploads.store("documents", "gate.txt", b"yours")
    assert (kept.name, target.read_text()) == ("gate (2).txt", "mine")


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("big.txt", b"x" * (1 << 20) + b"x", UsageError),
        ("empty.txt", b"", EmptyError),
        ("tool.pdf", b"\x7fELF\0\0\0", UnsupportedError),
        ("all.zip", b"PK\x03\x04 broken", ReadError),
        ("photo.png", b"\x89PNG\r\n\x1a\n\0", ReadError),
    ],
)
def test_what_cannot_be_read_is_not_kept(tmp_path: Path, name: str, content: bytes, kind: type[TransomError]) -> None:
    uploads = Uploads(tmp_path, 1)
    with pytest.raises(kind):
        uploads.store("documents", name, content)
    folder = uploads.folder("documents")
    assert not folder.exists() or not list(folder.iterdir())


def test_a_disk_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "uploads").write_text("in the way")
    with pytest.raises(TransomError, match="cannot be written"):
        Uploads(tmp_path, 1).store("documents", "gate.txt", b"text")
