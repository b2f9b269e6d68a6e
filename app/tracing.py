"""`transom trace`: how an answer came about."""

import json
from typing import TYPE_CHECKING

import click

from ingest.cli.options import JSON

if TYPE_CHECKING:
    from app.settings import Settings
    from app.trace import Trace
    from ingest.documents import Passage


@click.command()
@click.argument("identity", required=False, metavar="[ID]")
@JSON
@click.pass_obj
def trace(settings: "Settings", identity: str | None, as_json: bool) -> None:
    """Show how an answer came about: what was found, shown and left out, the prompt, the check and the times.

    ID stands in the answer's JSON (`trace`); without it, the last answer is shown.
    """
    from app.trace import Trace, kept_traces
    from ingest.errors import UsageError

    traces = kept_traces(settings.home)
    found = traces.get(identity) if identity else traces.newest()
    if found is None:
        raise UsageError(
            f"There is no trace {identity}." if identity else "Nothing was asked yet.",
            "Traces are kept of the last thousand answers: `transom trace` shows the last.",
        )
    if as_json:
        from pydantic import TypeAdapter

        click.echo(json.dumps(TypeAdapter(Trace).dump_python(found, mode="json"), ensure_ascii=False))
    else:
        show(found)


def show(trace: "Trace") -> None:
    """Prints a trace for a person."""
    answer = trace.answer
    _part(f"Trace {answer.trace}", trace.question)
    if trace.standalone != trace.question.strip():
        _part("Searched for", trace.standalone)
    if trace.narrowed:
        _part("Narrowed", trace.narrowed)
    _part("Found", "\n".join(_candidate(trace, each) for each in trace.found) or "nothing")
    if trace.scope:
        _part("Shown", f"{trace.scope}: {len(trace.shown)} passages. {trace.reason}".strip())
    if trace.compacted:
        _part("Window", "It was full, and was begun anew with the last turns.")
    if trace.prompt:
        _part("Prompt", trace.prompt)
    _part("Answer", f"{trace.abstained}\n{answer.text}".strip())
    for citation in answer.citations:
        told = "verified" if citation.verified else "not verified"
        click.echo(f"  [{citation.number}] {told}: {' '.join(citation.quote.split())}")
    _part("Seconds", ", ".join(f"{step} {seconds:.2f}" for step, seconds in answer.timings.items()))
    _part("Tokens", f"{answer.usage}, {answer.usage.window_tokens:,} in all")


def _candidate(trace: "Trace", passage: "Passage") -> str:
    from ingest.display import place

    numbers = {each.chunk.id: number for number, each in trace.shown.items()}
    number = numbers.get(passage.chunk.id)
    shown = f"[{number}]" if number else "left out"
    scores = f"score {passage.score:.3f}  cosine {passage.dense_score:.3f}  BM25 {passage.bm25_score:.2f}"
    return f"{shown:>8}  {scores}  {place(passage)}"


def _part(name: str, text: str) -> None:
    click.secho(name, bold=True)
    click.echo("\n".join(f"  {line}" for line in text.splitlines()))
