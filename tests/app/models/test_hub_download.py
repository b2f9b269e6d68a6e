import errno
import hashlib
import os
import random
import socket
from pathlib import Path

import pytest
from huggingface_hub import close_session, constants

from app.errors import ModelError
from app.models.catalogue import HubFile
from app.models.hub import CONNECT_TIMEOUT, HubUnreachableError, download
from tests.app.models.stand_ins import COMMIT, Hub

SOURCE = HubFile("owner/name", "model.gguf")
CONTENT = random.Random(4).randbytes(3_000_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Seen(list[tuple[int, int]]):
    """Remembers what progress was reported."""

    def __call__(self, done: int, total: int) -> None:
        self.append((done, total))


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A piece that has not wholly arrived is lost when a connection breaks; by default it is 10 MB."""
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 100_000)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "models" / "model.gguf"


def leftovers(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.glob("*") if not path.name.startswith("."))


def test_a_file_comes_whole(model_hub: Hub, target: Path) -> None:
    model_hub.files["owner/name/model.gguf"] = CONTENT
    seen = Seen()
    download(SOURCE, target, seen)
    assert target.read_bytes() == CONTENT
    assert leftovers(target) == ["model.gguf"]
    assert seen[0] == (0, len(CONTENT)) and seen[-1] == (len(CONTENT), len(CONTENT))
    assert model_hub.asked == [
        ("HEAD", "/owner/name/resolve/main/model.gguf", None),
        ("GET", f"/owner/name/resolve/{COMMIT}/model.gguf", None),
    ]


def test_another_endpoint_and_a_file_in_a_folder(model_hub: Hub, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:1")
    model_hub.files["owner/name/Q4/model.gguf"] = CONTENT
    download(HubFile("owner/name", "Q4/model.gguf"), target, Seen(), model_hub.endpoint)
    assert target.read_bytes() == CONTENT


@pytest.mark.usefixtures("small_pieces")
def test_a_stopped_download_goes_on_where_it_stopped(model_hub: Hub, target: Path) -> None:
    model_hub.files["owner/name/model.gguf"] = CONTENT

    def stop(done: int, total: int) -> None:
        if done > 1_000_000:  # a piece is reported just before it is written
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(SOURCE, target, stop)
    (part,) = target.parent.glob("*.part")
    assert part.stat().st_size == 1_000_000
    model_hub.asked.clear()
    model_hub.sent = 0
    seen = Seen()
    download(SOURCE, target, seen)
    assert target.read_bytes() == CONTENT
    assert model_hub.sent == 2_000_000
    assert model_hub.asked[-1][2] == "bytes=1000000-"
    assert seen[0] == (1_000_000, len(CONTENT)) and seen[-1] == (len(CONTENT), len(CONTENT))


@pytest.mark.usefixtures("small_pieces")
def test_large_files_come_from_a_storage_elsewhere(model_hub: Hub, target: Path) -> None:
    model_hub.files["owner/name/model.gguf"] = CONTENT
    model_hub.storage = model_hub.endpoint.replace("127.0.0.1", "localhost")
    target.parent.mkdir()
    target.with_name(f"model.gguf.{DIGEST[:12]}.part").write_bytes(CONTENT[:1_000_000])
    download(SOURCE, target, Seen())
    assert target.read_bytes() == CONTENT
    assert model_hub.sent == 2_000_000
    assert model_hub.asked == [
        ("HEAD", "/owner/name/resolve/main/model.gguf", None),
        ("GET", f"/owner/name/resolve/{COMMIT}/model.gguf", "bytes=1000000-"),
        ("GET", f"/storage/owner/name/resolve/{COMMIT}/model.gguf", "bytes=1000000-"),
    ]


@pytest.mark.usefixtures("small_pieces")
def test_a_broken_connection_is_mended(model_hub: Hub, target: Path) -> None:
    model_hub.files["owner/name/model.gguf"] = CONTENT
    model_hub.break_after = 1_500_000
    download(SOURCE, target, Seen())
    assert target.read_bytes() == CONTENT
    assert model_hub.sent == len(CONTENT)


def test_all_bytes_were_here_already(model_hub: Hub, target: Path) -> None:
    model_hub.files["owner/name/model.gguf"] = CONTENT
    download(SOURCE, target, Seen())
    part = target.rename(target.with_name(f"model.gguf.{DIGEST[:12]}.part"))
    model_hub.sent = 0
    download(SOURCE, target, Seen())
    assert target.exists() and not part.exists() and model_hub.sent == 0


def test_wrong_bytes_are_not_kept(model_hub: Hub, target: Path) -> None:
    model_hub.files["owner/name/model.gguf"] = CONTENT
    model_hub.etag = "0" * 64
    with pytest.raises(ModelError, match="arrived damaged"):
        download(SOURCE, target, Seen())
    assert leftovers(target) == []


def test_another_file_than_the_catalogue_knows_is_not_fetched(model_hub: Hub, target: Path) -> None:
    model_hub.files["owner/name/model.gguf"] = CONTENT
    with pytest.raises(ModelError, match="not the one Transom knows"):
        download(HubFile("owner/name", "model.gguf", sha256="0" * 64), target, Seen())
    assert model_hub.sent == 0


def test_a_file_that_cannot_be_checked_is_not_fetched(model_hub: Hub, target: Path) -> None:
    model_hub.files["owner/name/model.gguf"] = CONTENT
    model_hub.etag = "a" * 40
    with pytest.raises(ModelError, match="no sha256"):
        download(SOURCE, target, Seen())
    assert model_hub.sent == 0


@pytest.mark.parametrize("off", [-1, 1])
def test_a_wrong_size(model_hub: Hub, target: Path, off: int) -> None:
    model_hub.files["owner/name/model.gguf"] = CONTENT
    model_hub.size = len(CONTENT) + off
    with pytest.raises(ModelError, match="did not send") as caught:
        download(SOURCE, target, Seen())
    assert not isinstance(caught.value, HubUnreachableError)
    assert not target.exists()


def test_a_missing_file_tells_what_there_is(model_hub: Hub, target: Path) -> None:
    model_hub.files = {"owner/name/other-Q4.gguf": CONTENT, "owner/name/README.md": b""}
    with pytest.raises(ModelError, match=r"no file model\.gguf") as caught:
        download(SOURCE, target, Seen())
    assert not isinstance(caught.value, HubUnreachableError)
    assert caught.value.hint.endswith(": other-Q4.gguf.")


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (401, "RepoNotFound", "no repository owner/name"),
        (403, "GatedRepo", "is gated"),
        (403, "Other", "refuses"),
        (404, "", "refuses"),
        (429, "", "refuses"),
    ],
)
def test_what_the_hub_refuses(model_hub: Hub, target: Path, status: int, code: str, words: str) -> None:
    model_hub.refusal = (status, {"X-Error-Code": code} if code else {})
    with pytest.raises(ModelError, match=words) as caught:
        download(SOURCE, target, Seen())
    assert not isinstance(caught.value, HubUnreachableError)
    assert caught.value.hint


@pytest.mark.parametrize("status", [403, 500, 502, 503])
def test_a_hub_that_is_down_or_blocked_is_unreachable(model_hub: Hub, target: Path, status: int) -> None:
    model_hub.refusal = (status, {})
    with pytest.raises(HubUnreachableError, match=str(status)):
        download(SOURCE, target, Seen())


def test_a_page_in_place_of_the_hub(model_hub: Hub, target: Path) -> None:
    model_hub.files["owner/name/model.gguf"] = CONTENT
    model_hub.commit = None
    with pytest.raises(HubUnreachableError, match="other than the model hub"):
        download(SOURCE, target, Seen())


@pytest.mark.usefixtures("no_hub")
def test_nobody_listens(target: Path) -> None:
    with pytest.raises(HubUnreachableError) as caught:
        download(SOURCE, target, Seen())
    assert caught.value.hint and caught.value.__cause__
    assert not target.parent.exists()


def test_a_hub_that_stays_silent_is_asked_twice(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("app.models.hub.TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        close_session()
        with pytest.raises(HubUnreachableError, match="timed out"):
            download(SOURCE, target, Seen(), f"http://127.0.0.1:{silent.getsockname()[1]}")
        close_session()
        silent.settimeout(1)
        for _ in range(2):
            silent.accept()[0].close()
        silent.settimeout(0)
        with pytest.raises(BlockingIOError):
            silent.accept()


def test_a_firewall_that_swallows_all_is_tried_once(
    model_hub: Hub, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    def swallow(_address: tuple[str, int], timeout: float, **_options: object) -> None:
        waited.append(timeout)
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket, "create_connection", swallow)
    with pytest.raises(HubUnreachableError, match="timed out"):
        download(SOURCE, target, Seen())
    assert waited == [CONNECT_TIMEOUT]
    assert model_hub.asked == []


def test_offline_mode(model_hub: Hub, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(HubUnreachableError, match="HF_HUB_OFFLINE is set"):
        download(SOURCE, target, Seen())
    assert model_hub.asked == []


@pytest.mark.usefixtures("small_pieces")
def test_a_hub_that_goes_away_in_the_middle(model_hub: Hub, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda _seconds: None)
    model_hub.files["owner/name/model.gguf"] = CONTENT

    def vanish(done: int, _total: int) -> None:
        if done:
            model_hub.refusal = (503, {})

    model_hub.break_after = 1_000_000
    with pytest.raises(ModelError, match="broke") as caught:
        download(SOURCE, target, vanish)
    assert not isinstance(caught.value, HubUnreachableError)
    (part,) = target.parent.glob("*.part")
    assert part.stat().st_size == 1_000_000


def test_a_full_disk(model_hub: Hub, target: Path) -> None:
    model_hub.files["owner/name/model.gguf"] = CONTENT

    def full(done: int, total: int) -> None:
        if done:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(ModelError, match="No space left") as caught:
        download(SOURCE, target, full)
    assert not isinstance(caught.value, HubUnreachableError)


def test_a_name_that_cannot_be(target: Path) -> None:
    with pytest.raises(ModelError, match="cannot be the name"):
        download(HubFile("a//b", "model.gguf"), target, Seen())


def test_a_process_that_keeps_quiet_fetches_what_it_is_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    from app.models import hub

    monkeypatch.setattr(hub, "_quiet", False)
    monkeypatch.setenv(hub.OFFLINE, "0")
    monkeypatch.delenv(hub.OFFLINE)
    hub.keep_quiet()
    assert os.environ[hub.OFFLINE] == "1"
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with hub._speaking():
        assert not constants.HF_HUB_OFFLINE
    assert constants.HF_HUB_OFFLINE
    monkeypatch.setattr(hub, "_quiet", False)
    hub.keep_quiet()  # set by the person: that stands
    with hub._speaking():
        assert constants.HF_HUB_OFFLINE
