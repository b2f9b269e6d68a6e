import io
import json
from collections.abc import Iterator

import pytest
from rich.console import Console

from ingest import display
from ingest.display import printable, progress_in_words, show, summary
from ingest.events import Event, Failed, Finished, Indexed, Progressed, Removed, Skipped, Unchanged

PROGRESS = Progressed(
    files=812,
    total_files=20_000,
    megabytes=31.24,
    total_megabytes=72.4,
    chunks=5_120,
    failed=2,
    seconds=53.0,
    chunks_per_second=96.4,
    seconds_left=192.3,
    current="2024/report.pdf",
)
UNCOUNTED = Progressed(
    files=8,
    total_files=None,
    megabytes=1.0,
    total_megabytes=None,
    chunks=9,
    failed=0,
    seconds=1.0,
    chunks_per_second=9.0,
    seconds_left=None,
    current="",
)
FINISHED = Finished(files=3, indexed=1, unchanged=1, removed=1, failed=1, read=2, chunks=70, embedded=68, seconds=2.44)
RUN = (
    Indexed("a.txt", 0, 70),
    Unchanged("b.txt"),
    Failed("c.pdf", "The PDF is damaged.", "Print it anew."),
    Skipped(".git", "hidden"),
    Skipped("closed", "it cannot be opened: Permission denied", on_purpose=False),
    Removed("d.txt"),
)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What a terminal of 100 columns is sent."""
    sent = io.StringIO()
    monkeypatch.setattr(
        display, "stderr_console", lambda: Console(file=sent, force_terminal=True, width=100, color_system=None)
    )
    return sent


def stopped(*events: Event) -> Iterator[Event]:
    yield from events
    raise KeyboardInterrupt


def test_progress_is_told_on_one_line() -> None:
    told = "812 of 20,000 files, 31.2 of 72.4 MB, 5,120 chunks, 96 chunks/s, 2 failed, 3:12 left"
    assert progress_in_words(PROGRESS) == told
    assert progress_in_words(UNCOUNTED) == "8 files, 1.0 MB, 9 chunks, 9 chunks/s"


def test_the_summary_counts_what_was_embedded_and_what_was_known() -> None:
    assert summary(FINISHED) == (
        "3 files in 2.4 s: 1 indexed (70 chunks; 68 texts embedded, 2 known before), 1 unchanged, 1 removed, 1 failed."
    )


def test_in_a_log_failures_come_as_they_happen_and_the_summary_last(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = show(iter((*RUN, PROGRESS, FINISHED)), as_json=False)
    output, errors = capsys.readouterr()
    assert errors.splitlines() == [
        "Not read: c.pdf: The PDF is damaged.",
        "Left as it was: closed: it cannot be opened: Permission denied",
        "Removed: d.txt",
    ]
    assert output == summary(FINISHED) + "\n"
    assert outcome == (FINISHED, False)


def test_a_log_gets_a_line_of_progress_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(display, "_LOG_EVERY", 0.0)
    show(iter((PROGRESS, FINISHED)), as_json=False)
    _, errors = capsys.readouterr()
    assert errors == f"{progress_in_words(PROGRESS)}: 2024/report.pdf\n"


def test_a_run_is_complete_if_all_was_read_that_is_not_left_out_on_purpose() -> None:
    assert show(iter((Indexed("a", 0, 1), Skipped(".b", "hidden"), FINISHED)), as_json=True).complete
    assert not show(iter((Skipped("b", "closed", on_purpose=False), FINISHED)), as_json=True).complete


def test_a_terminal_shows_a_picture_and_failures_above_it(
    terminal: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    show(iter((UNCOUNTED, *RUN, PROGRESS, FINISHED)), as_json=False)
    sent = terminal.getvalue()
    assert "Not read: c.pdf: The PDF is damaged." in sent
    assert progress_in_words(PROGRESS) in sent
    assert "2024/report.pdf" in sent
    assert "━" in sent
    assert capsys.readouterr().out == summary(FINISHED) + "\n"


def test_every_event_is_a_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    show(iter((*RUN, PROGRESS, FINISHED)), as_json=True)
    output, errors = capsys.readouterr()
    rows = [json.loads(line) for line in output.splitlines()]
    assert [row["event"] for row in rows] == [
        *("indexed", "unchanged", "failed", "skipped", "skipped", "removed", "progressed", "finished")
    ]
    assert rows[6]["total_files"] == 20_000
    assert not errors


@pytest.mark.parametrize("as_json", [True, False])
def test_a_run_that_is_stopped_says_how_far_it_came_and_how_to_go_on(
    as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        show(stopped(*RUN, PROGRESS), as_json)
    assert end.value.code == 130
    told = "Stopped. 3 of 20,000 files are read; the same command goes on from there."
    assert capsys.readouterr().err.splitlines()[-1] == told


def test_a_run_that_is_stopped_outside_of_its_work_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = False

    def work() -> Iterator[Event]:
        nonlocal closed
        try:
            yield PROGRESS
        finally:
            closed = True

    def interrupt(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(display, "progress_in_words", interrupt)
    monkeypatch.setattr(display, "_LOG_EVERY", 0.0)
    events = work()
    with pytest.raises(SystemExit):
        show(events, as_json=False)
    assert closed


def test_what_is_followed_is_told_one_by_one_and_a_failure_once(capsys: pytest.CaptureFixture[str]) -> None:
    failed = Failed("c.pdf", "The PDF is damaged.", "")
    with pytest.raises(SystemExit):
        show(
            stopped(failed, FINISHED, Indexed("new.txt", 0, 1), failed, FINISHED, Removed("new.txt"), FINISHED),
            as_json=False,
            following=True,
        )
    output, errors = capsys.readouterr()
    assert errors.splitlines() == [
        "Not read: c.pdf: The PDF is damaged.",
        "Following what changes; Ctrl-C ends it.",
        "Read: new.txt",
        "Removed: new.txt",
        "",
        "Stopped. What changed until now is in the index; the same command follows on.",
    ]
    assert output == summary(FINISHED) + "\n"


def test_a_long_sweep_of_what_is_followed_has_its_picture_too(
    terminal: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        show(stopped(FINISHED, PROGRESS, FINISHED), as_json=False, following=True)
    assert progress_in_words(PROGRESS) in terminal.getvalue()
    assert capsys.readouterr().out == summary(FINISHED) + "\n"


def test_a_name_cannot_command_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert printable("a\x1b[31m\nb\x9b1mä") == "a\N{REPLACEMENT CHARACTER}[31m\N{REPLACEMENT CHARACTER}b" + (
        "\N{REPLACEMENT CHARACTER}1mä"
    )
    show(iter((Failed("\x1b[2J[red].pdf", "no", ""), FINISHED)), as_json=False)
    errors = capsys.readouterr().err
    assert "\x1b" not in errors
    assert "[red].pdf" in errors
