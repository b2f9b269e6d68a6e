"""How measurements look in a terminal."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from app.evaluation.comparing import Change
from app.evaluation.metrics import MEASURES, Values
from app.evaluation.retrieval import Run
from ingest.display import stderr_console

_MILLISECONDS = ("search_p50_ms", "search_p95_ms", "p50_ms", "p95_ms")
_LIKELY_CHANCE = 0.05


@contextmanager
def progress(total: int, doing: str) -> Iterator[Callable[[], None]]:
    """A bar on standard error; what it gives is to be called after each of `total` steps."""
    console = stderr_console()
    if not console.is_terminal:
        console.print(f"{doing}: {total} questions")
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(doing, total=total)
        yield lambda: bar.advance(task)


def print_run(run: Run) -> None:
    """A table of a run's measures, one ranking a line."""
    table = Table(title=f"{run.name}: {run.asked} questions, by {run.by}; milliseconds alone and with embedding")
    table.add_column("")
    columns = (*MEASURES, "characters@5", *_MILLISECONDS)
    for column in columns:
        table.add_column(column.removesuffix("_ms").replace("_", " "), justify="right")
    for ranking, values in run.summary.items():
        table.add_row(ranking, *(_number(name, values[name]) for name in columns))
    _print(table)


def print_answers(name: str, values: Values) -> None:
    """A table of what answers are worth, one measure a line."""
    table = Table(title=name, show_header=False)
    for measure, value in values.items():
        table.add_row(measure.replace("_", " "), f"{value:,.0f}" if measure == "questions" else f"{value:.3f}")
    _print(table)


def print_changes(changes: Iterable[Change]) -> None:
    """A table of what changed; what may well be chance is said to be."""
    table = Table(title="Against the run before (paired randomisation test)")
    for column in ("", "measure", "before", "after", "change", "better", "worse", "p"):
        table.add_column(column, justify="left" if column in {"", "measure"} else "right")
    for change in changes:
        chance = "  (may be chance)" if change.p > _LIKELY_CHANCE else ""
        difference = f"{change.after - change.before:+.3f}"
        counts = (str(change.better), str(change.worse), f"{change.p:.3f}{chance}")
        table.add_row(
            change.ranking, change.measure, f"{change.before:.3f}", f"{change.after:.3f}", difference, *counts
        )
    _print(table)


def _number(name: str, value: float) -> str:
    if name.endswith("_ms"):
        return f"{value:.1f}"
    return f"{value:,.0f}" if name.startswith("characters") else f"{value:.3f}"


def _print(table: Table) -> None:
    Console(file=sys.stdout, width=None if sys.stdout.isatty() else 160).print(table)
