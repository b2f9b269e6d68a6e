"""`transom`: every command, and what a person sees when one goes wrong."""

import atexit
import gc
import json
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

import click

from app.ahead.cli import read_ahead
from app.answers import Scope
from app.doctor import doctor
from app.evaluation.cli import evaluation
from app.models.cli import LORA, models
from app.passwords import password
from app.pinning import pin, unpin
from app.tracing import trace
from ingest.cli import BESIDE, COLLECTION, COMMANDS, JSON, asked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.ahead.ready import ReadyStates
    from app.answers import Answer, Event
    from app.settings import Settings


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="transom")
@click.pass_context
def cli(context: click.Context) -> None:
    """Ask your own documents a question, on your own machine."""
    from app.settings import Settings

    settings = context.obj = Settings.load()
    context.meta[BESIDE] = partial(_ready_states, settings)
    if context.invoked_subcommand in ("ingest", "remove"):
        context.call_on_close(partial(_tidy_up, settings))


@cli.command()
@click.argument("question", required=False)
@click.option("--in", "path_prefix", default="", metavar="PATH", help="Only from this folder or file.")
@click.option("--scope", type=click.Choice(get_args(Scope)), help="How much to read (default: what fits).")
@click.option("--think/--no-think", default=None, help="Whether the model thinks before it answers.")
@click.option(
    "--conversation", "named", default="", metavar="NAME", help="Go on with the one of this name, or begin it."
)
@click.option("--questions", type=click.File(encoding="utf-8"), metavar="FILE", help="JSON lines: _id, question.")
@LORA
@COLLECTION
@click.option("--trace", "traced", is_flag=True, help="Show under it how the answer came about.")
@JSON
@click.pass_obj
def ask(  # noqa: PLR0913 - one parameter for each option
    settings: "Settings",
    question: str | None,
    path_prefix: str,
    scope: Any,
    think: bool | None,
    named: str,
    questions: Any,
    collection: str,
    traced: bool,
    as_json: bool,
) -> None:
    """Answer QUESTION from the documents, with the sources under it."""
    from app.answers import Wish, whole
    from app.remote import open_assistant
    from app.wire import answer_json
    from ingest.index import Where

    where = Where(collection=collection, path_prefix=path_prefix)
    wish = Wish(scope, None if think is None else "on" if think else "off")
    wanted = list(asked(question, questions))
    with open_assistant(settings) as assistant:
        _notice(assistant.notice)
        assistant.require(collection)
        for identity, text in wanted:
            events = assistant.stream(text, where, wish, named)
            if as_json or questions:
                told = answer_json(whole(events))
                row = {"_id": identity, **told} if identity else told
                click.echo(json.dumps(row, ensure_ascii=False))
            else:
                answer = _stream(events)
                _print_answer(answer)
                if traced:
                    _print_trace(settings, answer)


@cli.command()
@click.option("--host", default=None, help="The address to listen on (default: this machine only).")
@click.option("--port", default=None, type=click.IntRange(1, 65535), help="The port to listen on.")
@click.option("--open/--no-open", "open_browser", default=True, help="Open a browser window.")
@LORA
@click.pass_obj
def chat(settings: "Settings", host: str | None, port: int | None, open_browser: bool) -> None:
    """Chat with the documents in the browser."""
    from app.server import serve

    serve(settings, host or settings.chat.host, port or settings.chat.port, open_browser)


for command in (*COMMANDS, read_ahead, pin, unpin, trace, models, password, doctor, evaluation):
    cli.add_command(command)


def main() -> None:
    """The `transom` command. Errors are told in words, with what to do; the exit status is that of the error."""
    _utf8_output()
    atexit.register(gc.freeze)  # else the end waits for a last collection among all that torch has made: for seconds
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("\nStopped. What was done is kept; the same command goes on from there.", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(141)
    except Exception as error:
        sys.exit(_tell(error))


def _tell(error: Exception) -> int:
    """Prints an error; what nobody foresaw goes with its traceback into a file."""
    from app.errors import unforeseen
    from ingest.errors import TransomError

    told = error if isinstance(error, TransomError) else unforeseen(error)
    click.secho(f"Error: {told.message}", fg="red", err=True)
    if told.hint:
        click.echo(told.hint, err=True)
    return told.exit_status


def _utf8_output() -> None:
    """JSON and documents are UTF-8, whatever the terminal's locale says."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")


def _ready_states(settings: "Settings") -> "ReadyStates":
    from app.ahead.ready import ReadyStates

    return ReadyStates(settings.home)


def _tidy_up(settings: "Settings") -> None:
    from app.ahead.tidying import tidy_up

    tidy_up(settings)


def _notice(text: str) -> None:
    if text:
        click.secho(text, fg="yellow", err=True)


def _stream(events: "Iterator[Event]") -> "Answer":
    """Prints the answer as it comes, and the steps before it on stderr."""
    from app.answers import Condensed, Finished, Fitted, Reading, Retrieved, Surveying, Token, Waiting
    from app.turns import place_in_line

    for event in events:
        match event:
            case Waiting():
                click.secho(place_in_line(event.ahead), dim=True, err=True)
            case Condensed():
                click.secho("searching ...", dim=True, err=True)
            case Surveying() if sys.stderr.isatty():
                click.secho(f"\rlooking at {event.noun}: {event.done}/{event.total} ", dim=True, nl=False, err=True)
            case Retrieved():
                where = f" {event.narrowed}" if event.narrowed else ""
                click.secho(f"{len(event.passages)} passages{where} in {event.seconds:.2f} s", dim=True, err=True)
            case Fitted() if event.reason and not event.compacted:
                click.secho(event.reason, dim=True, err=True)
            case Fitted() if event.compacted:
                click.secho(
                    "the window was full: it was begun anew with the last turns and what they cite", dim=True, err=True
                )
            case Reading() if sys.stderr.isatty():
                click.secho(f"\rreading {event.done}/{event.total} tokens", dim=True, nl=False, err=True)
            case Token() if not event.thought:
                click.echo(event.text, nl=False)
                sys.stdout.flush()
            case Finished():
                return event.answer
    raise AssertionError("an answer ends with Finished")


def _print_trace(settings: "Settings", answer: "Answer") -> None:
    from app.trace import kept_traces
    from app.tracing import show

    if trace := kept_traces(settings.home).get(answer.trace):
        click.echo()
        show(trace)


def _print_answer(answer: "Answer") -> None:
    from ingest.display import place

    if answer.finish_reason == "abstained":
        click.echo(answer.text, nl=False)
    click.echo("\n")
    if answer.coverage is not None:
        click.secho(f"Read so far: {answer.coverage:.0%} of the files.", dim=True, err=True)
    for sentence in answer.unproved:
        click.secho(f"No passage supports: {sentence}", fg="yellow", err=True)
    cited = {citation.number: citation for citation in answer.citations}
    for number, citation in sorted(cited.items()):
        click.secho(f"[{number}] {place(citation.passage)}", bold=True, nl=False)
        click.echo("" if citation.verified else "  (not verified)")
        click.echo(f"    {' '.join(citation.quote.split())}")
