import os
import subprocess
import sys
import time
import types
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ingest.errors import EncryptedError, ReadError
from ingest.readers import Extracted
from ingest.sandbox import Sandbox
from ingest.settings import ReadingSettings
from tests.ingest.bad_readers import about_the_worker, obedient

LIMITS = ReadingSettings(seconds=2, memory_mb=256, max_file_mb=1, max_text_mb=1, workers=1)


@pytest.fixture
def sandbox() -> Iterator[Sandbox[Path, Extracted]]:
    with Sandbox(LIMITS, obedient) as sandbox:
        yield sandbox


def result(sandbox: Sandbox[Path, Extracted], path: Path) -> Extracted:
    path.write_text(path.stem)
    return sandbox.submit(path).result()


def children() -> list[psutil.Process]:
    """The workers, and none of the browser and the chat that other suites keep running."""
    return [child for child in psutil.Process().children() if "ingest.worker" in child.cmdline()]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("hang", "longer than 2 seconds"),
        ("spin", "longer than 2 seconds"),
        ("crash", "crashed on this file (SIGSEGV)"),
        ("leave", "crashed on this file (exit status 3)"),
        ("abort", "more than 256 MB of memory"),
        ("eat", "more than 256 MB of memory"),
        ("fail", "ValueError: a bug in a reader"),
        ("panic", "KeyboardInterrupt"),
    ],
)
def test_a_bad_file_ends_with_its_reason_and_the_next_is_read(
    sandbox: Sandbox[Path, Extracted], tmp_path: Path, name: str, reason: str
) -> None:
    with pytest.raises(ReadError) as failure:
        result(sandbox, tmp_path / name)
    assert reason in failure.value.message
    assert result(sandbox, tmp_path / "good").pages[0].text == "good"


def test_the_time_limit_is_kept(sandbox: Sandbox[Path, Extracted], tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(ReadError):
        result(sandbox, tmp_path / "hang")
    assert 2 <= time.monotonic() - started < 4


def test_many_crashes_between_good_files_cost_only_themselves(tmp_path: Path) -> None:
    with Sandbox(LIMITS.model_copy(update={"workers": 2}), obedient) as sandbox:
        outcomes = []
        for number in range(20):
            path = tmp_path / f"{'crash' if number % 2 else 'good'}{number}"
            path.write_text(path.name)
            outcomes.append((path.name, sandbox.submit(path)))
        for name, reading in outcomes:
            if name.startswith("crash"):
                assert isinstance(reading.exception(), ReadError)
            else:
                assert reading.result().pages[0].text == name


def test_a_reader_s_own_error_comes_through_whole(sandbox: Sandbox[Path, Extracted], tmp_path: Path) -> None:
    with pytest.raises(EncryptedError) as failure:
        result(sandbox, tmp_path / "locked")
    assert (failure.value.message, failure.value.hint) == ("It has a password.", "Take it off.")


def test_what_a_reader_prints_goes_nowhere(
    sandbox: Sandbox[Path, Extracted], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert result(sandbox, tmp_path / "chatter").pages[0].text == "chatter"
    assert capfd.readouterr() == ("", "")


def test_a_worker_serves_many_files_and_holds_only_readers(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("")
    with Sandbox(LIMITS, about_the_worker) as sandbox:
        answers = {sandbox.submit(path).result().pages[0].text for _ in range(5)}
        assert answers == {f"{children()[0].pid} "}


def test_a_worker_that_died_between_two_files_is_replaced(sandbox: Sandbox[Path, Extracted], tmp_path: Path) -> None:
    result(sandbox, tmp_path / "good")
    (worker,) = children()
    worker.kill()
    worker.wait()
    assert result(sandbox, tmp_path / "good").pages[0].text == "good"


def test_workers_do_not_run_the_main_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit puts the page it runs in the place of the main module."""
    page = tmp_path / "page.py"
    page.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    main = types.ModuleType("__main__")
    main.__file__ = str(page)
    monkeypatch.setitem(sys.modules, "__main__", main)
    with Sandbox(LIMITS, obedient) as sandbox:
        result(sandbox, tmp_path / "good")
    assert not (tmp_path / "ran").exists()


def test_leaving_ends_everything_at_once(tmp_path: Path) -> None:
    started = time.monotonic()
    with Sandbox(LIMITS, obedient) as sandbox:
        for number in range(4):
            (tmp_path / f"hang{number}").touch()
            reading = sandbox.submit(tmp_path / f"hang{number}")
        while not children():
            time.sleep(0.01)
    assert time.monotonic() - started < 1.5
    assert reading.cancelled()
    assert not children()


def test_ctrl_c_in_the_terminal_does_not_reach_a_worker(sandbox: Sandbox[Path, Extracted], tmp_path: Path) -> None:
    result(sandbox, tmp_path / "good")
    (worker,) = children()
    assert os.getpgid(worker.pid) != os.getpgid(0)


def test_a_hanging_worker_ends_even_if_its_parent_was_killed(tmp_path: Path) -> None:
    (tmp_path / "hang").touch()
    code = (
        "import sys, pathlib, psutil\n"
        "from ingest.sandbox import Sandbox\n"
        "from tests.ingest.test_sandbox import LIMITS, obedient\n"
        "sandbox = Sandbox(LIMITS, obedient)\n"
        "sandbox.submit(pathlib.Path(sys.argv[1]))\n"
        "while not psutil.Process().children(): pass\n"
        "print(psutil.Process().children()[0].pid, flush=True)\n"
        "sandbox._threads.shutdown()\n"
    )
    arguments = [sys.executable, "-c", code, str(tmp_path / "hang")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout
        worker = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    worker.wait(10)
