"""Puts a question set, its documents and the model together, and asks."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.answers import Answer, whole
from app.assistant import Assistant
from app.evaluation.answers import choose, measure_answers, summary
from app.evaluation.corpus import fill, open_corpus
from app.evaluation.display import progress
from app.evaluation.making import Maker, drawn
from app.evaluation.metrics import Values
from app.evaluation.questions import QuestionSet
from app.models.resolve import resolve
from app.settings import Settings
from ingest.display import show
from ingest.errors import UsageError
from ingest.index import Where
from ingest.library import DEFAULT_COLLECTION

_EVERYTHING = Where(collection=DEFAULT_COLLECTION)


def answer_questions(settings: Settings, questions: QuestionSet, base: Path, limit: int | None = None) -> Values:
    """What the answers to a set's questions are worth, or to `limit` of them; each is asked by itself.

    What answering keeps (windows, traces) goes into the set's own home. Raises :class:`UsageError` where there is
    nothing to ask, and :class:`~app.errors.ModelError` where there is no model.
    """
    wanted = choose(questions, min(limit or len(questions.questions), len(questions.questions)))
    if not wanted:
        raise UsageError("There is no question to ask.", "See docs/retrieval.md for what a set holds.")
    with _opened(settings, questions, base) as assistant, progress(len(wanted), "Asking") as step:

        def ask(question: str) -> Answer:
            return whole(assistant.stream(question, _EVERYTHING))

        return summary(measure_answers(wanted, ask, questions, step))


def make_questions(settings: Settings, folder: Path, target: Path, base: Path, count: int) -> int:
    """Makes `count` questions about the documents of a folder, and a set of both at `target`; gives how many there are.

    Stopped, it goes on the next time. Raises :class:`UsageError` where `target` is a set of other documents.
    """
    _link(folder, target)
    file = target / "questions.jsonl"
    known = {row["_id"] for row in map(json.loads, file.read_text("utf-8").splitlines())} if file.exists() else set()
    questions = QuestionSet(target, ())
    with (
        _opened(settings, questions, base) as assistant,
        file.open("a", encoding="utf-8") as lines,
        progress(max(0, count - len(known)), "Making") as step,
    ):
        maker = Maker(assistant.engine)
        for chunk in drawn(assistant.library, _EVERYTHING):
            if len(known) >= count:
                break
            if chunk.id not in known and (made := maker.make(chunk)):
                known.add(made.id)
                lines.write(json.dumps(made.to_json(), ensure_ascii=False) + "\n")
                lines.flush()
                step()
    return len(known)


@contextmanager
def _opened(settings: Settings, questions: QuestionSet, base: Path) -> Iterator[Assistant]:
    """The model of the settings over the documents of a set, in the set's own home."""
    model = str(resolve(settings.model.name, settings.models_folder, fetch=False).path)
    with open_corpus(questions, settings, base) as library:
        show(fill(library, questions), as_json=False)
        named = settings.model.model_copy(update={"name": model})
        own = settings.model_copy(update={"home": library.settings.home, "model": named})
        with Assistant.open(own, library) as assistant:
            yield assistant


def _link(folder: Path, target: Path) -> None:
    """Makes `target` a set of the documents in `folder`, without copying them."""
    documents = target / "docs"
    if documents.exists() and documents.resolve() != folder.resolve():
        raise UsageError(f"{target} is a set of other documents: {documents.resolve()}.", "Name another folder.")
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder.", "Name the folder of your documents.")
    target.mkdir(parents=True, exist_ok=True)
    if not documents.exists():
        documents.symlink_to(folder.resolve(), target_is_directory=True)
