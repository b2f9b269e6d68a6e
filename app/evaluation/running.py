"""Puts a question set, its documents and the model together, and asks."""

from pathlib import Path

from app.answers import Answer, whole
from app.assistant import Assistant
from app.evaluation.answers import choose, measure_answers, summary
from app.evaluation.corpus import fill, open_corpus
from app.evaluation.display import progress
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
    model = str(resolve(settings.model.name, settings.models_folder, fetch=False).path)
    with open_corpus(questions, settings, base) as library:
        show(fill(library, questions), as_json=False)
        named = settings.model.model_copy(update={"name": model})
        own = settings.model_copy(update={"home": library.settings.home, "model": named})
        with Assistant.open(own, library) as assistant, progress(len(wanted), "Asking") as step:

            def ask(question: str) -> Answer:
                return whole(assistant.stream(question, _EVERYTHING))

            return summary(measure_answers(wanted, ask, questions, step))
