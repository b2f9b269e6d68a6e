"""Transom's engine as a LangChain chat model.

Messages become tokens by the model's own turn format, as in Transom's conversations, and an answer that comes back
in the history stands there as it was generated: so a conversation that goes on is evaluated once, as the engine
keeps what it has evaluated.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ChatMessage, HumanMessage, SystemMessage
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import Field, PrivateAttr

from app.answers import Token
from app.generation import Generation, Task, generate
from app.llm.dialogue import Dialogue
from app.llm.engine import Engine
from app.llm.sampling import Sampling
from app.llm.stopping import StopText
from ingest.errors import UsageError

_REMEMBERED = 64
"""Answers whose tokens are kept, so that they need not be evaluated again where they come back as history."""
_ROLES = {"system": "system", "user": "human", "human": "human", "assistant": "ai", "ai": "ai", "model": "ai"}


class ChatTransom(BaseChatModel):
    """A model that runs in an engine. It takes text only, and no tools; a thought is no part of its answer.

    The thought stands in `additional_kwargs["reasoning_content"]`, which LangChain shows as a reasoning block.
    `temperature`, `seed`, `max_tokens`, `thinking` and `stop` may also be given with a call. Raises
    :class:`~ingest.errors.UsageError` for messages that cannot be shown to the model, and
    :class:`~app.errors.WindowError` where they do not fit its window.
    """

    engine: Engine = Field(exclude=True, repr=False)
    model_name: str = "transom"
    """What the model is called in what LangChain records."""
    temperature: float = 0.0
    """0 takes the likeliest token."""
    top_k: int = 0
    """0 considers every token."""
    top_p: float = 1.0
    seed: int = 0
    max_tokens: int | None = None
    """Longest answer with its thought; None: whatever finds room in the window."""
    stop: list[str] | None = None
    """Texts that end an answer, and are no part of it."""
    thinking: bool = False
    """Whether a model that can think does so before it answers."""

    _dialogue: Dialogue = PrivateAttr()
    _answers: "OrderedDict[str, list[int]]" = PrivateAttr(default_factory=OrderedDict)
    """Tokens of whole answers as they were generated, by their text."""

    def model_post_init(self, _: Any, /) -> None:
        """Finds the turn format; raises :class:`~app.errors.ModelError` where there is none."""
        self._dialogue = Dialogue(self.engine.runtime)

    @property
    def _llm_type(self) -> str:
        return "transom"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        names = ("model_name", "temperature", "top_k", "top_p", "seed", "max_tokens", "stop", "thinking")
        return {name: getattr(self, name) for name in names}

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        task, generation = self._task(messages, kwargs), Generation()
        stops = StopText(stop or self.stop or ())
        for event in generate(self.engine, task, generation):
            if not isinstance(event, Token):
                continue
            if event.thought:
                yield _chunk(AIMessageChunk(content="", additional_kwargs={"reasoning_content": event.text}))
            elif text := stops.feed(event.text):
                yield _chunk(AIMessageChunk(content=text))
            if stops.met:
                break
        if text := stops.finish():
            yield _chunk(AIMessageChunk(content=text))
        if not stops.met:
            self._keep(task.window, generation)
        yield _chunk(self._last(task, generation, stops.met))

    def _task(self, messages: Sequence[BaseMessage], kwargs: dict[str, Any]) -> Task:
        thinking = bool(kwargs.get("thinking", self.thinking)) and self._dialogue.can_think
        window = self._window(messages, thinking)
        room = max(1, self.engine.window_size - len(window))
        limit = min(kwargs.get("max_tokens", self.max_tokens) or room, room)
        sampling = Sampling(
            temperature=kwargs.get("temperature", self.temperature),
            top_k=kwargs.get("top_k", self.top_k),
            top_p=kwargs.get("top_p", self.top_p),
            seed=kwargs.get("seed", self.seed),
        )
        return Task(window, limit, sampling, within_thought=self._dialogue.opens_thought(thinking, thinking))

    def _window(self, messages: Sequence[BaseMessage], thinking: bool) -> list[int]:
        """The tokens of a conversation, up to where the model begins to answer."""
        system = "\n\n".join(_text(message) for message in messages if _role(message) == "system")
        turns = _turns([message for message in messages if _role(message) != "system"])
        window = self._dialogue.opening(system, thinking)
        # Thoughts are no part of the history: where the turn format opens one, the earlier answers do without.
        thought = thinking and not self._dialogue.opens_thought(think=True, thinking=True)
        for question, answer in turns[:-1]:
            window += self._dialogue.question(question, thought, thinking) + self._said(answer)
        return window + self._dialogue.question(turns[-1][0], thinking, thinking)

    def _said(self, answer: str) -> list[int]:
        """An answer in the history, up to the next question."""
        tokens = self._answers.get(answer)
        if tokens is None:
            return self._dialogue.text(answer) + self._dialogue.next_turn(ended=False)
        return tokens + self._dialogue.next_turn(self.engine.runtime.is_end(tokens[-1]))

    def _keep(self, window: Sequence[int], generation: Generation) -> None:
        tokens = generation.left(self._dialogue)
        if tokens and not generation.thought:
            self._answers[generation.text] = tokens
            if len(self._answers) > _REMEMBERED:
                self._answers.popitem(last=False)
        self.engine.settle([*window, *tokens])

    def _last(self, task: Task, generation: Generation, stopped: bool) -> AIMessageChunk:
        """What is known once the model has ended."""
        read, written = len(task.window), len(generation.tokens)
        reason = "stop" if stopped or generation.ended else "length"
        usage = UsageMetadata(
            input_tokens=read,
            output_tokens=written,
            total_tokens=read + written,
            input_token_details=InputTokenDetails(cache_read=generation.reused),
            output_token_details=OutputTokenDetails(reasoning=len(self._dialogue.text(generation.thought))),
        )
        return AIMessageChunk(
            content="",
            usage_metadata=usage,
            response_metadata={"model_name": self.model_name, "finish_reason": reason},
            chunk_position="last",
        )


def _chunk(message: AIMessageChunk) -> ChatGenerationChunk:
    return ChatGenerationChunk(message=message)


def _turns(messages: Sequence[BaseMessage]) -> list[tuple[str, str]]:
    """Questions and answers, the last question without one; what one side says in a row is one text."""
    said = [(role, "\n\n".join(map(_text, group))) for role, group in groupby(messages, _role)]
    if not said or said[-1][0] != "human":
        raise UsageError("There is no question to answer.", "Let the last message be one of the person's.")
    if said[0][0] == "ai":
        said.insert(0, ("human", ""))
    texts = [text for _, text in said]
    return list(zip(texts[::2], [*texts[1::2], ""], strict=True))


def _role(message: BaseMessage) -> str:
    if isinstance(message, ChatMessage) and message.role in _ROLES:
        return _ROLES[message.role]
    if isinstance(message, SystemMessage | HumanMessage | AIMessage):
        return _ROLES[message.type.removesuffix("MessageChunk").lower()]
    raise UsageError(f"A message of type {message.type!r} cannot be shown to the model.", "It takes no tools.")


def _text(message: BaseMessage) -> str:
    """The text of a message; raises :class:`UsageError` where it holds anything else, but for a thought."""
    strange = {block["type"] for block in message.content_blocks} - {"text", "reasoning"}
    if strange:
        raise UsageError(f"The model takes text only, and no {', '.join(sorted(strange))}.", "Leave it out.")
    return str(message.text)
