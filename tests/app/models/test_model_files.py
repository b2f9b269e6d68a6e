import hashlib
from pathlib import Path

import pytest
from filelock import FileLock

from app.errors import ModelError
from app.models.files import arriving, check_gguf, check_language_model, faults_in, in_folder, metadata
from tests.app.models.conftest import MakeGguf

CONTENT = b"the whole file"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def test_a_whole_file_passes(tmp_path: Path, make_gguf: MakeGguf) -> None:
    path = make_gguf(tmp_path / "m.gguf")
    check_gguf(path)
    check_language_model(path)
    assert metadata(path)["llama.context_length"] == 2048


def test_a_truncated_file_is_named_so(tmp_path: Path, make_gguf: MakeGguf) -> None:
    path = make_gguf(tmp_path / "m.gguf")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - 100])
    with pytest.raises(ModelError, match="incomplete") as caught:
        check_gguf(path)
    assert "transom models pull" in caught.value.hint


@pytest.mark.parametrize(
    ("architecture", "said", "word"),
    [
        ("clip", {}, "companion"),
        ("llama", {"general__type": "adapter"}, "companion"),
        ("bert", {"bert__pooling_type": 1}, "embedding"),
        ("gemma-embedding", {"gemma-embedding__attention__causal": False}, "embedding"),
        ("llama", {"split__count": 3}, "one of 3 parts"),
    ],
)
def test_what_cannot_answer(
    tmp_path: Path, make_gguf: MakeGguf, architecture: str, said: dict[str, object], word: str
) -> None:
    path = make_gguf(tmp_path / "m.gguf", architecture, **said)
    check_gguf(path)
    with pytest.raises(ModelError, match=word):
        check_language_model(path)


def test_a_file_without_a_vocabulary(tmp_path: Path, make_gguf: MakeGguf) -> None:
    with pytest.raises(ModelError, match="vocabulary"):
        check_language_model(make_gguf(tmp_path / "m.gguf", vocabulary=False))


def test_only_whole_files_are_found(tmp_path: Path, make_gguf: MakeGguf) -> None:
    good = make_gguf(tmp_path / "b.gguf")
    (tmp_path / "a.gguf").write_bytes(good.read_bytes()[:100])
    (tmp_path / "c.gguf.0123.part").write_bytes(good.read_bytes())
    (tmp_path / "d.gguf").mkdir()
    assert in_folder(tmp_path) == [good]
    (fault,) = faults_in(tmp_path)
    assert fault.startswith("a.gguf is damaged")
    assert in_folder(tmp_path / "none") == []
    assert faults_in(tmp_path / "none") == []


def test_what_arrives_is_checked_and_moved(tmp_path: Path) -> None:
    target = tmp_path / "new" / "m.gguf"
    with arriving(target, DIGEST, len(CONTENT)) as part:
        part.write_bytes(CONTENT)
        assert not target.exists()
    assert target.read_bytes() == CONTENT
    assert not part.exists()


def test_wrong_bytes_go(tmp_path: Path) -> None:
    target = tmp_path / "m.gguf"
    with pytest.raises(ModelError, match="damaged"), arriving(target, DIGEST, len(CONTENT)) as part:
        part.write_bytes(b"something else")
    assert not part.exists() and not target.exists()


def test_a_failed_try_is_kept_and_one_for_other_bytes_is_not(tmp_path: Path) -> None:
    target, other = tmp_path / "m.gguf", tmp_path / "another.gguf.abc.part"
    other.touch()
    with pytest.raises(KeyboardInterrupt), arriving(target, "f" * 64, 5) as stale:
        stale.write_bytes(b"half")
        raise KeyboardInterrupt
    assert stale.exists()
    with arriving(target, DIGEST, len(CONTENT)) as part:
        assert not stale.exists() and other.exists()
        part.write_bytes(CONTENT)


def test_a_try_that_is_too_long_is_not_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / f"m.gguf.{DIGEST[:12]}.part").write_bytes(CONTENT + b"more")
    with arriving(tmp_path / "m.gguf", DIGEST, len(CONTENT)) as part:
        assert not part.exists()
        part.write_bytes(CONTENT)


def test_two_at_once(tmp_path: Path) -> None:
    with (
        FileLock(tmp_path / ".fetching.lock"),
        pytest.raises(ModelError, match="Another Transom"),
        arriving(tmp_path / "m.gguf", DIGEST, 1),
    ):
        pytest.fail("the other one has the lock")


def test_no_room(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="are free") as caught, arriving(tmp_path / "m.gguf", DIGEST, 10**18):
        pytest.fail("an exabyte does not fit")
    assert "Make room" in caught.value.hint


def test_a_disk_that_fails(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No space left"), arriving(tmp_path / "m.gguf", DIGEST, 1):
        raise OSError(28, "No space left on device")
