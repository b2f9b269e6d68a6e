"""What answers are worth: against the known ones, by their citations, and by when there is said to be none."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from string import punctuation

from app.answers import Answer, Citation
from app.evaluation.judging import met
from app.evaluation.metrics import Values
from app.evaluation.questions import Question, QuestionSet

_ARTICLE = re.compile(r"\b(a|an|the)\b")
_MARK = re.compile(r"\[\d+(?:\s*,\s*\d+)*\]")
_PUNCTUATION = str.maketrans("", "", punctuation)


@dataclass(frozen=True, slots=True)
class Judged:
    """A question, its answer, and what that is worth. Sums, not shares: a mean of shares would hide what is rare."""

    question: Question
    answer: Answer
    exact: float
    """1 if the answer is one of the known ones, word for word."""
    f1: float
    """Best overlap of words with a known answer; 0 where the documents were said not to answer."""
    right_document: int
    """Citations from a document of the evidence."""
    right_place: int
    """Citations from the page or the span, where the evidence names one."""


def choose(questions: QuestionSet, count: int) -> list[Question]:
    """`count` questions, always the same; half of them unanswerable, as far as there are such."""
    drawn = sorted(questions.questions, key=lambda question: blake2b(question.id.encode()).digest())
    unanswerable = [question for question in drawn if not question.answerable][: count // 2]
    answerable = [question for question in drawn if question.answerable][: count - len(unanswerable)]
    return answerable + unanswerable


def measure_answers(
    questions: Iterable[Question], ask: Callable[[str], Answer], by: QuestionSet, asked: Callable[[], None]
) -> list[Judged]:
    """Asks the questions one after the other, and judges each answer; calls `asked` after each."""
    judged = []
    for question in questions:
        judged.append(judge(question, ask(question.text), by))
        asked()
    return judged


def judge(question: Question, answer: Answer, by: QuestionSet) -> Judged:
    """What one answer is worth."""
    said = "" if answer.abstained else _MARK.sub("", answer.text)
    known = question.answers
    return Judged(
        question,
        answer,
        exact=float(any(_words(said) == _words(right) for right in known)),
        f1=max((f1(said, right) for right in known), default=0.0),
        right_document=sum(_in_document(citation, question) for citation in answer.citations),
        right_place=sum(bool(met(question, [citation.passage], by.by)[0]) for citation in answer.citations),
    )


def summary(judged: Sequence[Judged]) -> Values:
    """The measures over all questions; a share of nothing is 0.

    `citation_precision` counts the place, `citation_precision_document` the document, both for questions whose evidence
    is known. `abstain_precision`: of the questions that were declined, the share that has no answer; `abstain_recall`:
    of those that have none, the share that was declined.
    """
    given = [each for each in judged if not each.answer.abstained]
    declined = [each for each in judged if each.answer.abstained]
    without = [each for each in judged if not each.question.answerable]
    known = [each for each in judged if each.question.answerable and each.question.answers]
    cited = [each for each in given if each.question.evidence]
    citations = sum(len(each.answer.citations) for each in cited)
    return {
        "exact": _share(sum(each.exact for each in known), len(known)),
        "f1": _share(sum(each.f1 for each in known), len(known)),
        "verified_share": _share(sum(_verified(each.answer) for each in given), len(given)),
        "citation_precision": _share(sum(each.right_place for each in cited), citations),
        "citation_precision_document": _share(sum(each.right_document for each in cited), citations),
        "abstain_precision": _share(sum(not each.question.answerable for each in declined), len(declined)),
        "abstain_recall": _share(sum(each.answer.abstained for each in without), len(without)),
        "answered": _share(len(given), len(judged)),
        "questions": len(judged),
    }


def f1(said: str, right: str) -> float:
    """Overlap of two texts in words, each word as often as it occurs; without case, articles and punctuation."""
    mine, theirs = Counter(_words(said)), Counter(_words(right))
    shared = (mine & theirs).total()
    return 2 * shared / (mine.total() + theirs.total()) if shared else 0.0


def _words(text: str) -> list[str]:
    return _ARTICLE.sub(" ", text.lower().translate(_PUNCTUATION)).split()


def _in_document(citation: Citation, question: Question) -> bool:
    return citation.passage.chunk.uri in {place.document for place in question.evidence}


def _verified(answer: Answer) -> bool:
    return any(citation.verified for citation in answer.citations)


def _share(part: float, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
