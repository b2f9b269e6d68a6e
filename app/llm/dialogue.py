"""The model's own turn format, taken from the chat template in its GGUF, as glue between append-only texts.

The template is rendered once with marker texts; what stands between the markers is the glue. A conversation is
then grown turn by turn without rendering its history again: a history rendered again can differ from what was
evaluated (thinking is dropped, white space trimmed), and then the whole KV cache behind the difference is lost.

Thinking is switched by the template too, in one of two places. Gemma 4 says in the system turn that the model may
think, and so fixes it for a window; others say it, turn by turn, in the glue that opens an answer. Where a window
allows thoughts and a question wants none, an empty thought opens the answer.
"""

from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateError
from llama_cpp.llama_chat_format import Jinja2ChatFormatter

from app.errors import ModelError
from app.llm.runtime import Runtime
from app.llm.visible import THOUGHTS

_SYSTEM, _FIRST, _ANSWER, _NEXT = "Ssystemtext", "Qfirstquestion", "Afirstanswer", "Qnextquestion"


@dataclass(frozen=True, slots=True)
class TurnFormat:
    """The glue of a chat template, as text."""

    before_system: str
    before_first_question: str
    before_answer: str
    before_next_question: str

    @classmethod
    def of(cls, runtime: Runtime, thinking: bool = False) -> "TurnFormat":
        """The format of a model; raises :class:`ModelError` where it has no template that can be used."""
        template = runtime.chat_template
        if template is None:
            raise ModelError(
                "This model has no chat template: it was not made for conversation.",
                "Use an instruction-tuned GGUF (the names usually end in -it or -Instruct).",
            )
        later = [("assistant", _ANSWER), ("user", _NEXT)]
        turns = [("system", _SYSTEM), ("user", _FIRST), *later]
        try:
            return cls._from_rendered(_render(runtime, template, turns, thinking))
        except (TemplateError, ValueError):
            pass  # Some templates know no system role: then its text opens the first question.
        try:
            folded = [("user", f"{_SYSTEM}\n\n{_FIRST}"), *later]
            return cls._from_rendered(_render(runtime, template, folded, thinking))
        except (TemplateError, ValueError) as error:
            raise ModelError(f"The chat template of this model cannot be used: {error}") from error

    @classmethod
    def _from_rendered(cls, text: str) -> "TurnFormat":
        before_system, rest = _cut(text, _SYSTEM)
        before_first, rest = _cut(rest, _FIRST)
        _, rest = _cut(rest, _ANSWER)
        before_next, before_answer = _cut(rest, _NEXT)
        return cls(before_system, before_first, before_answer, before_next)


class Dialogue:
    """Texts of a conversation -> tokens. What people and documents wrote can never become a control token.

    `thinking` says of a window whether it was opened for thoughts, `think` of a question whether it wants one.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._quick = TurnFormat.of(runtime)
        self._thinking = TurnFormat.of(runtime, thinking=True)

    @property
    def can_think(self) -> bool:
        """Whether the model's template knows thinking."""
        return self._quick != self._thinking

    @property
    def per_window(self) -> bool:
        """Whether a window has to be opened for thoughts, so that a question in it may want one."""
        return self._quick.before_system != self._thinking.before_system

    def opening(self, system: str, thinking: bool = False) -> list[int]:
        """The start of every window, up to the first question; without a system text there is no turn for one."""
        form = self._thinking if thinking else self._quick
        before = form.before_system if system else _before_question(self._runtime, thinking)
        glue = self._glue(before)
        bos, _ = self._runtime.special_texts
        if self._runtime.wants_bos and bos and not before.startswith(bos):
            glue = self._glue(bos) + glue
        return glue + self.text(system) + self._glue(form.before_first_question if system else "")

    def question(self, text: str, think: bool = False, thinking: bool = False) -> list[int]:
        """A question, up to where the model begins to answer."""
        return self.text(text) + self.before_answer(think, thinking)

    def before_answer(self, think: bool = False, thinking: bool = False) -> list[int]:
        """What stands between a question and its answer."""
        return self._glue(self._before_answer(think, thinking))

    def opens_thought(self, think: bool = False, thinking: bool = False) -> bool:
        """Whether what the model generates begins within a thought."""
        return self._before_answer(think, thinking).rstrip().endswith(tuple(opening for opening, _ in THOUGHTS))

    def closing_thought(self, think: bool = False, thinking: bool = False) -> list[int]:
        """What closes the thought that the glue before an answer opened; nothing where it opens none."""
        glue = self._before_answer(think, thinking).rstrip()
        closing = [f"{closing}\n\n" for opening, closing in THOUGHTS if glue.endswith(opening)]
        return self._glue("".join(closing))

    def next_turn(self, ended: bool) -> list[int]:
        """What stands between an answer and the next question; `ended`: the answer's end token is there already."""
        glue = self._glue(self._quick.before_next_question)
        return glue[1:] if ended and glue and self._runtime.is_end(glue[0]) else glue

    def text(self, text: str) -> list[int]:
        """Tokens of plain text."""
        return self._runtime.tokenize(text, special=False)

    def _before_answer(self, think: bool, thinking: bool) -> str:
        if think:
            return self._thinking.before_answer
        glue = self._quick.before_answer
        if thinking and self.per_window and glue == self._thinking.before_answer:
            return glue + "\n".join(THOUGHTS[0])  # an empty thought, as Gemma 4's larger templates open an answer
        return glue

    def _glue(self, text: str) -> list[int]:
        return self._runtime.tokenize(text, special=True)


def _before_question(runtime: Runtime, thinking: bool) -> str:
    """What stands before the first question of a conversation without a system text."""
    return _cut(_render(runtime, runtime.chat_template or "", [("user", _FIRST)], thinking), _FIRST)[0]


def _render(runtime: Runtime, template: str, messages: list[tuple[str, str]], thinking: bool) -> str:
    bos, eos = runtime.special_texts
    formatter = Jinja2ChatFormatter(template, eos_token=eos, bos_token=bos)
    turns: list[Any] = [{"role": role, "content": content} for role, content in messages]
    return str(formatter(messages=turns, enable_thinking=thinking).prompt)


def _cut(text: str, marker: str) -> tuple[str, str]:
    before, found, after = text.partition(marker)
    if not found:
        raise ValueError("it leaves out part of the conversation")
    return before, after
