"""The sequence of one question, step by step. The only way from a question to an answer.

Every face (chat, command line, API) shows the same events: Condensed, Retrieved, Fitted, Reading, Token, Finished.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from app.answers import (
    Answer,
    Condensed,
    Event,
    Finished,
    Fitted,
    Reading,
    Retrieved,
    Step,
    Timings,
    Token,
    Turn,
    Usage,
    whole,
)
from app.citations import check
from app.errors import WindowError
from app.evidence import enough
from app.fitting import fit
from app.llm.dialogue import Dialogue
from app.llm.engine import Engine, Evaluated
from app.llm.ledger import Ledger
from app.llm.sampling import Sampling
from app.llm.visible import Piece, VisibleText
from app.prompting import prompt
from app.settings import AnsweringSettings
from ingest.documents import Passage
from ingest.index import Where

ABSTAINED = "The documents do not answer this."
"""What an answer says when there is no evidence; the prompt asks the model for the same words."""

Search = Callable[[str, int, Where], list[Passage]]
"""Query, most passages, and where to look -> the best passages; the first is the best."""

Covered = Callable[[Where], float | None]
"""Where to look -> the share of its files that has been read so far; None for all of them."""

_CONDENSED_TOKENS = 96


@dataclass(slots=True)
class Conversation:
    """Questions and answers over one collection, and the window that holds them."""

    where: Where
    ledger: Ledger
    turns: list[Turn] = field(default_factory=list)


@dataclass(slots=True)
class _Generation:
    """What the model has done for one answer so far."""

    condensing: int = 0
    """Tokens that were read to condense the question."""
    evaluated: int = 0
    reused: int = 0
    tokens: list[int] = field(default_factory=list)
    ended: bool = False
    text: str = ""
    thought: str = ""


class Orchestrator:
    """Answers questions with an index to search and a model to ask."""

    def __init__(
        self,
        search: Search,
        engine: Engine,
        settings: AnsweringSettings,
        sampling: Sampling,
        covered: Covered = lambda _: None,
    ) -> None:
        self._search = search
        self._covered = covered
        self._engine = engine
        self._settings = settings
        self._sampling = sampling
        self._dialogue = Dialogue(engine.runtime)

    def begin(self, where: Where) -> Conversation:
        """A new conversation over the part of the library that `where` means."""
        return Conversation(where, Ledger(self._dialogue, prompt("answer").text))

    def ask(self, question: str, conversation: Conversation) -> Answer:
        """The answer to a question, once it is whole."""
        return whole(self.stream(question, conversation))

    def stream(self, question: str, conversation: Conversation) -> Iterator[Event]:
        """Answers a question, telling each step; closing the iterator stops the model and keeps what it said.

        Raises :class:`~ingest.errors.UsageError` for an empty question and :class:`WindowError` for one that is
        longer than the window; the conversation is then as it was before.
        """
        timings: Timings = {}
        self._refuse_overlong(question)

        # 1 condense: a follow-up becomes a question that stands alone
        with _timed(timings, "condense"):
            standalone, condensing = self._condense(question, conversation)
        yield Condensed(standalone, timings["condense"])

        # 2 retrieve: dense + BM25 in one query, fused
        with _timed(timings, "retrieve"):
            passages = self._search(standalone, self._settings.passages, conversation.where)
            coverage = self._covered(conversation.where)
        yield Retrieved(passages, timings["retrieve"])

        # 3 judge: enough evidence? if not, say so without asking the model
        with _timed(timings, "judge"):
            supported = enough(passages, self._settings.min_similarity)
        if not supported:
            answer = replace(self._abstention(conversation, condensing, timings), coverage=coverage)
            conversation.turns.append(Turn(question, standalone, answer))
            yield Finished(answer)
            return

        # 4 fit: what is new goes into the window, within budget
        with _timed(timings, "fit"):
            fitted, draft, new = self._fit(standalone, passages, conversation.ledger)
        yield fitted

        # 5 generate: only tokens that the window has not seen are evaluated
        generation = _Generation(condensing=condensing)
        try:
            yield from self._generate(conversation.ledger.tokens + draft, generation, timings)
        finally:
            if generation.tokens:
                conversation.ledger.commit(draft, new, self._said(generation), generation.ended)
                self._engine.settle(conversation.ledger.tokens)

        # 6 cite: each [n] is checked against its passage
        with _timed(timings, "cite"):
            answer = replace(self._answer(standalone, generation, fitted, conversation, timings), coverage=coverage)
        conversation.turns.append(Turn(question, standalone, answer))
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

    def _condense(self, question: str, conversation: Conversation) -> tuple[str, int]:
        """A follow-up rewritten by the model, which has the conversation in its window already.

        Returns it with the number of tokens that were read for it.
        """
        if not any(turn.answer.finish_reason != "abstained" for turn in conversation.turns):
            return question.strip(), 0
        ledger = conversation.ledger
        window = ledger.tokens + ledger.draft(prompt("condense").render(question=question))
        if len(window) + _CONDENSED_TOKENS > self._engine.window_size:
            return question.strip(), 0
        generation = _Generation()
        for _ in self._run(window, _CONDENSED_TOKENS, Sampling(), generation):
            pass
        lines = generation.text.strip().splitlines()
        return lines[0].strip() if lines else question.strip(), generation.evaluated

    def _fit(
        self, question: str, passages: Sequence[Passage], ledger: Ledger
    ) -> tuple[Fitted, list[int], list[Passage]]:
        """Chooses what goes in; begins a new window where nothing fits behind the conversation so far."""
        taken, left_out = self._taken(question, passages, ledger)
        new_fit = any(ledger.number_of(passage) is None for passage in taken)
        restarted = bool(ledger.passages) and bool(left_out) and not new_fit
        if restarted:
            ledger.restart()
            taken, left_out = self._taken(question, passages, ledger)
        if not taken:
            raise WindowError(
                "Not even one passage fits into the window with this question.",
                "Set a larger window.tokens, or a smaller chunking.tokens, in the settings.",
            )
        new = [passage for passage in taken if ledger.number_of(passage) is None]
        numbered = _numbered(taken, ledger)
        draft = ledger.draft(_question_text(question, numbered, ledger))
        return Fitted(numbered, left_out, restarted), draft, new

    def _taken(self, question: str, passages: Sequence[Passage], ledger: Ledger) -> tuple[list[Passage], list[Passage]]:
        budget = self._engine.window_size - self._settings.answer_tokens - len(ledger.tokens)

        def cost(chosen: Sequence[Passage]) -> int:
            return len(ledger.draft(_question_text(question, _numbered(chosen, ledger), ledger)))

        return fit(passages, cost, budget)

    def _generate(self, window: Sequence[int], generation: _Generation, timings: Timings) -> Iterator[Reading | Token]:
        started = time.monotonic()
        for event in self._run(window, self._settings.answer_tokens, self._sampling, generation):
            if isinstance(event, Token) and "read" not in timings:
                timings["read"] = time.monotonic() - started
            yield event
        timings.setdefault("read", time.monotonic() - started)
        timings["generate"] = time.monotonic() - started - timings["read"]

    def _run(
        self, window: Sequence[int], limit: int, sampling: Sampling, generation: _Generation
    ) -> Iterator[Reading | Token]:
        visible = VisibleText()
        for event in self._engine.complete(window, limit, sampling):
            if isinstance(event, Evaluated):
                generation.evaluated, generation.reused = event.done, event.reused
                yield Reading(event.done, event.total)
                continue
            generation.tokens.append(event.token)
            generation.ended = event.ends
            piece = b"" if event.ends else self._engine.runtime.piece(event.token)
            yield from _shown(visible.feed(piece), generation)
        yield from _shown(visible.finish(), generation)

    def _said(self, generation: _Generation) -> list[int]:
        """What of the generated tokens stays in the window: all of them, unless there was a thought.

        A thought goes; the answer behind it, at other positions now, is evaluated again with the next question.
        """
        if not generation.thought:
            return generation.tokens
        answer = self._dialogue.text(generation.text)
        return [*answer, generation.tokens[-1]] if generation.ended else answer

    def _answer(
        self,
        question: str,
        generation: _Generation,
        fitted: Fitted,
        conversation: Conversation,
        timings: Timings,
    ) -> Answer:
        """What the model said, with its citations checked; nothing that no passage supports is an answer."""
        said = generation.text.strip()
        declined = said.lower().startswith(ABSTAINED.rstrip(".").lower())
        checked = check("" if declined else said, conversation.ledger.passages, question)
        abstained = not any(citation.verified for citation in checked.citations)
        return Answer(
            text=ABSTAINED if abstained else checked.text,
            citations=() if abstained else checked.citations,
            passages=fitted.passages,
            abstained=abstained,
            usage=_usage(conversation, generation),
            timings=timings,
            prompt_id=prompt("answer").id,
            finish_reason="ended" if generation.ended else "length",
            thought=generation.thought.strip(),
            unsupported=said if abstained and not declined else "",
        )

    def _abstention(self, conversation: Conversation, condensing: int, timings: Timings) -> Answer:
        return Answer(
            text=ABSTAINED,
            citations=(),
            passages={},
            abstained=True,
            usage=_usage(conversation, _Generation(condensing=condensing)),
            timings=timings,
            prompt_id=prompt("answer").id,
            finish_reason="abstained",
        )


def _usage(conversation: Conversation, generation: _Generation) -> Usage:
    evaluated = generation.condensing + generation.evaluated
    return Usage(len(conversation.ledger.tokens), evaluated, generation.reused)


def _numbered(passages: Sequence[Passage], ledger: Ledger) -> dict[int, Passage]:
    """Passages by their number: the one they have in the window, or the next one for a new passage."""
    numbered: dict[int, Passage] = {}
    fresh = ledger.next_number
    for passage in passages:
        number = ledger.number_of(passage)
        if number is None:
            number, fresh = fresh, fresh + 1
        numbered[number] = passage
    return numbered


def _question_text(question: str, numbered: dict[int, Passage], ledger: Ledger) -> str:
    """The user's turn: new passages in full, those in the window by their number, then the question."""
    known = [number for number in numbered if number in ledger.passages]
    blocks = [_passage_text(number, passage) for number, passage in numbered.items() if number not in ledger.passages]
    if known:
        blocks.append("See also " + ", ".join(f"[{number}]" for number in known) + " above.")
    return prompt("question").render(passages="\n\n".join(blocks), question=question)


def _passage_text(number: int, passage: Passage) -> str:
    chunk = passage.chunk
    page = chunk.page_at(0)
    place = chunk.uri if page is None else f"{chunk.uri}, page {page}"
    return f"[{number}] {' > '.join((place, *chunk.headings))}\n{chunk.text}"


def _shown(pieces: Sequence[Piece], generation: _Generation) -> Iterator[Token]:
    for piece in pieces:
        if piece.kind == "thought":
            generation.thought += piece.text
        else:
            generation.text += piece.text
        yield Token(piece.text, thought=piece.kind == "thought")


@contextmanager
def _timed(timings: Timings, step: Step) -> Iterator[None]:
    started = time.monotonic()
    yield
    timings[step] = time.monotonic() - started
