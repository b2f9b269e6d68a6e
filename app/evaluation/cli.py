"""`transom eval`: what finding and answering are worth, on documents and questions of your own."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ingest.cli import JSON

if TYPE_CHECKING:
    from app.evaluation.retrieval import Run
    from app.settings import Settings

_FOLDER = click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
_HOME = click.option(
    "--home", type=click.Path(path_type=Path), metavar="DIR", help="Where the documents are ingested to and kept."
)
_LIMIT = click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the first N questions.")


@click.group("eval")
def evaluation() -> None:
    """Measure finding and answering on a folder of documents and questions (docs/retrieval.md)."""


@evaluation.command()
@_FOLDER
@_HOME
@_LIMIT
@click.option("--save", type=click.Path(path_type=Path), metavar="FILE", help="Keep the run, to compare with it later.")
@click.option("--compare", type=click.Path(path_type=Path), metavar="FILE", help="A run that was saved before.")
@JSON
@click.pass_obj
def retrieval(  # noqa: PLR0913 - one parameter for each option
    settings: "Settings",
    folder: Path,
    home: Path | None,
    limit: int | None,
    save: Path | None,
    compare: Path | None,
    as_json: bool,
) -> None:
    """How well passages are found for the questions in DIR: by meaning, by words, by both, and as Transom does."""
    from app.evaluation.comparing import changes
    from app.evaluation.display import print_changes, print_run

    before = _read_run(compare) if compare else None
    run = _measure(settings, folder, home, limit)
    if save:
        save.write_text(json.dumps(run.to_json()), "utf-8")
    compared = list(changes(before, run)) if before else []
    if not as_json:
        print_run(run)
        if before:
            print_changes(compared)
        return
    told: dict[str, Any] = {**run.summary, "set": run.name, "by": run.by, "questions": run.asked}
    if before:
        told["changes"] = [change.to_json() for change in compared]
    click.echo(json.dumps(told))


@evaluation.command()
@_FOLDER
@_HOME
@_LIMIT
@JSON
@click.pass_obj
def answers(settings: "Settings", folder: Path, home: Path | None, limit: int | None, as_json: bool) -> None:
    """How good the answers to the questions in DIR are: words, citations, and when there is none."""
    from app.evaluation.display import print_answers
    from app.evaluation.questions import read_questions
    from app.evaluation.running import answer_questions

    questions = read_questions(folder)
    found = answer_questions(settings, questions, home or settings.home / "evaluation", limit)
    if as_json:
        click.echo(json.dumps({**found, "set": questions.name, "by": questions.by}))
    else:
        print_answers(questions.name, found)


@evaluation.command()
@_FOLDER
@click.option("--to", "target", type=click.Path(path_type=Path), required=True, metavar="SET", help="Where to put it.")
@click.option("--count", type=click.IntRange(1), default=40, show_default=True, help="How many questions.")
@_HOME
@click.pass_obj
def make(settings: "Settings", folder: Path, target: Path, count: int, home: Path | None) -> None:
    """Make a question set about the documents in DIR, with the model; SET can then be measured with."""
    from app.evaluation.running import make_questions

    made = make_questions(settings, folder, target, home or settings.home / "evaluation", count)
    click.echo(
        f"{target} holds {made} questions. Read them, and delete those that are bad: {target / 'questions.jsonl'}"
    )
    if made < count:
        click.echo("The documents gave no more.", err=True)


def _measure(settings: "Settings", folder: Path, home: Path | None, limit: int | None) -> "Run":
    from app.evaluation.corpus import fill, open_corpus
    from app.evaluation.display import progress
    from app.evaluation.questions import read_questions
    from app.evaluation.retrieval import measure
    from ingest.display import show

    questions = read_questions(folder)
    with open_corpus(questions, settings, home or settings.home / "evaluation") as library:
        show(fill(library, questions), as_json=False)
        asked = sum(bool(question.evidence) for question in questions.questions)
        with progress(min(asked, limit or asked), "Searching") as step:
            return measure(library, questions, step, limit)


def _read_run(file: Path) -> "Run":
    from app.evaluation.retrieval import Run
    from ingest.errors import UsageError

    try:
        return Run.from_json(json.loads(file.read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{file} is no saved run: {error!r}", "Make one with --save FILE.") from error
