"""The sequence of one question, step by step. The only way from a question to an answer.

Every face (chat, command line, API) shows the same events: Condensed, Retrieved, Fitted, Reading, Token, Finished;
between Condensed and Finished there is Surveying and Token where a question is about all documents.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from app.answers import (
    AS_SET,
    Answer,
    Condensed,
    Event,
    Finished,
    Reading,
    Retrieved,
    Step,
    Timings,
    Token,
    Turn,
    Wish,
    whole,
)
from app.conversation import Conversation
from app.errors import WindowError
from app.evidence import confidence, evidence
from app.fitting import Fitter
from app.followups import completed, stands_alone
from app.generation import Generation, Task, generate
from app.llm.dialogue import Dialogue
from app.llm.engine import Engine
from app.llm.joined import tokens
from app.llm.ledger import Draft, Ledger
from app.llm.sampling import Sampling
from app.outcome import Asked, answered, declined, surveyed
from app.prompting import prompt
from app.retriever import narrowed
from app.settings import AnsweringSettings
from app.survey.kinds import Kind, kind_of
from app.survey.listing import Documents, Lister
from app.survey.surveyor import Surveyor
from ingest.documents import Passage
from ingest.index import Where

Search = Callable[[str, int, Where], list[Passage]]
"""Query, most passages, and where to look -> the best passages; the first is the best."""

Covered = Callable[[Where], float | None]
"""Where to look -> the share of its files that has been read so far; None for all of them."""

_CONDENSED_TOKENS = 96
_USUAL_TOKENS = 24
"""Of a rewritten question."""
_CONDENSING_PART = 1 / 3
"""Of the patience, for rewriting a question."""
_THOUGHT_TOKENS = 512
"""Longest thought before an answer."""
_CHANCE = 0.7
"""The least temperature of an answer that is to be another than before."""


class Orchestrator:
    """Answers questions with an index to search and a model to ask."""

    def __init__(  # noqa: PLR0913 - the parts it is put together from
        self,
        search: Search,
        engine: Engine,
        settings: AnsweringSettings,
        sampling: Sampling,
        covered: Covered = lambda _: None,
        shelf: Documents | None = None,
    ) -> None:
        """Without a `shelf` a question brings its passages, and never what lies around them."""
        self._search = search
        self._covered = covered
        self._engine = engine
        self._settings = settings
        self._sampling = sampling
        self._dialogue = Dialogue(engine.runtime)
        self._fitter = Fitter(engine, settings, shelf)
        lister = Lister(shelf, engine, self._dialogue, settings.min_confidence) if shelf else None
        self._surveyor = Surveyor(shelf, lister) if shelf and lister else None

    def begin(self, where: Where, pinned: Sequence[Passage] = ()) -> Conversation:
        """A new conversation over the part of the library that `where` means, with passages shown beforehand.

        Raises :class:`WindowError` if these leave too little room for questions.
        """
        ledger = Ledger(self._dialogue, prompt("answer").text, self._thinks(AS_SET))
        conversation = Conversation(where, ledger, list(pinned))
        self._fitter.require_room(conversation)
        return conversation

    def ask(self, question: str, conversation: Conversation, wish: Wish = AS_SET) -> Answer:
        """The answer to a question, once it is whole."""
        return whole(self.stream(question, conversation, wish))

    def stream(self, question: str, conversation: Conversation, wish: Wish = AS_SET) -> Iterator[Event]:
        """Answers a question, telling each step; closing the iterator stops the model and keeps what it said.

        Raises :class:`~ingest.errors.UsageError` for an empty question and :class:`WindowError` for one that is
        longer than the window; the conversation is then as it was before.
        """
        self._refuse_overlong(question)
        asked = Asked(question, conversation, wish, timings={}, think=self._thinks(wish))
        timings, rebuilt = asked.timings, conversation.rebuilt

        # 1 condense: a follow-up becomes a question that stands alone
        with _timed(timings, "condense"):
            self._condense(asked)
        yield Condensed(asked.standalone, timings["condense"])

        # a question about all documents is answered by looking at all of them
        if self._surveyor and (kind := kind_of(asked.standalone)):
            yield from self._survey(asked, kind, self._surveyor)
            return

        # 2 retrieve: dense + BM25 in one query, fused; nothing where all there is stands in the window
        with _timed(timings, "retrieve"):
            passages = self._retrieve(asked)
            asked.coverage = self._covered(conversation.where)
        yield Retrieved(passages, timings["retrieve"], narrowed(passages))

        # 3 judge: enough evidence? if not, say so without asking the model
        with _timed(timings, "judge"):
            supported = conversation.whole or self._enough(asked.wording, passages)
        if not supported:
            answer = declined(asked)
            conversation.turns.append(Turn(question, asked.standalone, answer))
            yield Finished(answer)
            return

        # 4 fit: what is new goes into the window, within the budgets of room and time
        with _timed(timings, "fit"):
            scope = wish.scope or self._settings.scope
            fitted, draft = self._fitter.fit(asked.wording, conversation, passages, scope, asked.think)
        prompted = self._prompted(conversation, draft)
        yield replace(fitted, compacted=conversation.rebuilt > rebuilt, prompt=prompted)

        # 5 generate: only tokens that the window has not seen are evaluated
        generation = Generation()
        try:
            yield from self._generate(asked, draft, generation)
        finally:
            if generation.tokens:
                closing = self._dialogue.closing_thought(asked.think, conversation.ledger.thinking)
                conversation.ledger.commit(draft, generation.left(self._dialogue, closing), generation.ended)
                self._engine.settle(conversation.ledger.tokens)

        # 6 cite: each [n] is checked against its passage
        with _timed(timings, "cite"):
            answer = answered(asked, generation, fitted.passages)
        conversation.turns.append(Turn(question, asked.standalone, answer))
        yield Finished(answer)

    def _refuse_overlong(self, question: str) -> None:
        tokens = len(self._dialogue.text(question))
        room = self._engine.window_size - self._settings.answer_tokens
        if tokens > room // 2:
            raise WindowError(
                f"The question has {tokens} tokens; with a window of {self._engine.window_size} it may have "
                f"{room // 2}, so that passages and an answer find room.",
                "Ask a shorter question, or set a larger window.tokens in the settings.",
            )

    def _thinks(self, wish: Wish) -> bool:
        """Whether the model is to think; left to us, it does where a thought takes no longer than the patience."""
        wanted = wish.thinking or self._settings.thinking
        fast = self._engine.speed.decode * self._settings.patience >= _THOUGHT_TOKENS
        return self._dialogue.can_think and (wanted == "on" or (wanted == "auto" and fast))

    def _condense(self, asked: Asked) -> None:
        """A follow-up rewritten by the model, which has the conversation in its window; by rule if it is slow."""
        conversation = asked.conversation
        asked.standalone = asked.wording = asked.question.strip()
        if self._fitter.is_whole(conversation) or not conversation.answered:
            return
        said = self._dialogue.text(prompt("condense").render(question=asked.question))
        if self._slow(len(said)):
            if not stands_alone(asked.question):
                asked.standalone = completed(asked.question, conversation.turns[-1].standalone)
            return
        ledger = conversation.ledger
        if len(ledger.tokens) + len(ledger.question(said)) + _CONDENSED_TOKENS > self._engine.window_size:
            self._fitter.compact(conversation)
        within = self._dialogue.opens_thought(thinking=ledger.thinking)
        task = Task(ledger.tokens + ledger.question(said), _CONDENSED_TOKENS, within_thought=within)
        generation = Generation()
        for _ in generate(self._engine, task, generation):
            pass
        lines = generation.text.strip().splitlines()
        asked.condensing = generation.evaluated
        asked.standalone = asked.wording = lines[0].strip() if lines else asked.standalone

    def _slow(self, reading: int) -> bool:
        """Whether the model would take too much of the patience to rewrite a question; not before it was measured."""
        speed = self._engine.speed
        if not speed.prefill or not speed.decode:
            return False
        seconds = reading / speed.prefill + _USUAL_TOKENS / speed.decode
        return seconds > self._settings.patience * _CONDENSING_PART

    def _survey(self, asked: Asked, kind: Kind, surveyor: Surveyor) -> Iterator[Event]:
        conversation, ledger = asked.conversation, asked.conversation.ledger
        asked.coverage = self._covered(conversation.where)
        with _timed(asked.timings, "retrieve"):
            survey = yield from surveyor.run(kind, conversation.where, ledger)
        answer = surveyed(asked, survey)
        if self._fitter.free(conversation) > self._settings.answer_tokens:  # so that follow-ups know of it
            ledger.commit(conversation.draft(asked.question, []), self._dialogue.text(survey.headline), ended=False)
        conversation.turns.append(Turn(asked.question, asked.standalone, answer))
        yield Finished(answer)

    def _retrieve(self, asked: Asked) -> list[Passage]:
        if asked.conversation.whole:
            return []
        return self._search(asked.standalone, self._settings.passages, asked.conversation.where)

    def _enough(self, question: str, passages: Sequence[Passage]) -> bool:
        return bool(passages) and confidence(evidence(question, passages)) >= self._settings.min_confidence

    def _prompted(self, conversation: Conversation, draft: Draft) -> str:
        before = [] if conversation.answered else conversation.ledger.tokens
        pieces = map(self._engine.runtime.piece, tokens([*before, *draft.tokens]))
        return b"".join(pieces).decode("utf-8", "replace")

    def _generate(self, asked: Asked, draft: Draft, generation: Generation) -> Iterator[Reading | Token]:
        ledger, timings = asked.conversation.ledger, asked.timings
        window = ledger.tokens + draft.tokens
        limit = self._settings.answer_tokens
        if asked.think:
            limit = min(limit + _THOUGHT_TOKENS, self._engine.window_size - len(window))
        within = self._dialogue.opens_thought(asked.think, ledger.thinking)
        started = time.monotonic()
        sampling = self._varied(asked.wish.attempt)
        for event in generate(self._engine, Task(window, limit, sampling, ledger.pinned, within), generation):
            if isinstance(event, Token) and "read" not in timings:
                timings["read"] = time.monotonic() - started
            yield event
        timings.setdefault("read", time.monotonic() - started)
        timings["generate"] = time.monotonic() - started - timings["read"]

    def _varied(self, attempt: int) -> Sampling:
        """Another seed for each attempt, and so much chance that it matters."""
        if not attempt:
            return self._sampling
        chance = max(self._sampling.temperature, _CHANCE)
        return replace(self._sampling, temperature=chance, seed=self._sampling.seed + attempt)


@contextmanager
def _timed(timings: Timings, step: Step) -> Iterator[None]:
    started = time.monotonic()
    yield
    timings[step] = time.monotonic() - started
