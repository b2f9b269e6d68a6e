"""The model's own turn format, taken from the chat template in its GGUF, as glue between append-only texts.

The template is rendered once with marker texts; what stands between the markers is the glue. A conversation is
then grown turn by turn without rendering its history again: a history rendered again can differ from what was
evaluated (thinking is dropped, white space trimmed), and then the whole KV cache behind the difference is lost.
"""

from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateError
from llama_cpp.llama_chat_format import Jinja2ChatFormatter

from app.errors import ModelError
from app.llm.runtime import Runtime

_SYSTEM, _FIRST, _ANSWER, _NEXT = "Ssystemtext", "Qfirstquestion", "Afirstanswer", "Qnextquestion"


@dataclass(frozen=True, slots=True)
class TurnFormat:
    """The glue of a chat template, as text."""

    before_system: str
    before_first_question: str
    before_answer: str
    before_next_question: str

    @classmethod
    def of(cls, runtime: Runtime) -> "TurnFormat":
        """The format of a model; raises :class:`ModelError` where it has no template that can be used."""
        template = runtime.chat_template
        if template is None:
            raise ModelError(
                "This model has no chat template: it was not made for conversation.",
                "Use an instruction-tuned GGUF (the names usually end in -it or -Instruct).",
            )
        later = [("assistant", _ANSWER), ("user", _NEXT)]
        try:
            return cls._from_rendered(_render(runtime, template, [("system", _SYSTEM), ("user", _FIRST), *later]))
        except (TemplateError, ValueError):
            pass  # Some templates know no system role: then its text opens the first question.
        try:
            folded = [("user", f"{_SYSTEM}\n\n{_FIRST}"), *later]
            return cls._from_rendered(_render(runtime, template, folded))
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
    """Texts of a conversation -> tokens. What people and documents wrote can never become a control token."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._format = TurnFormat.of(runtime)

    def opening(self, system: str) -> list[int]:
        """The start of every window, up to the first question."""
        glue = self._glue(self._format.before_system)
        bos, _ = self._runtime.special_texts
        if self._runtime.wants_bos and bos and not self._format.before_system.startswith(bos):
            glue = self._glue(bos) + glue
        return glue + self.text(system) + self._glue(self._format.before_first_question)

    def question(self, text: str) -> list[int]:
        """A question, up to where the model begins to answer."""
        return self.text(text) + self._glue(self._format.before_answer)

    def next_turn(self, ended: bool) -> list[int]:
        """What stands between an answer and the next question; `ended`: the answer's end token is there already."""
        glue = self._glue(self._format.before_next_question)
        return glue[1:] if ended and glue and self._runtime.is_end(glue[0]) else glue

    def text(self, text: str) -> list[int]:
        """Tokens of plain text."""
        return self._runtime.tokenize(text, special=False)

    def _glue(self, text: str) -> list[int]:
        return self._runtime.tokenize(text, special=True)


def _render(runtime: Runtime, template: str, messages: list[tuple[str, str]]) -> str:
    bos, eos = runtime.special_texts
    formatter = Jinja2ChatFormatter(template, eos_token=eos, bos_token=bos)
    turns: list[Any] = [{"role": role, "content": content} for role, content in messages]
    return str(formatter(messages=turns, enable_thinking=False).prompt)


def _cut(text: str, marker: str) -> tuple[str, str]:
    before, found, after = text.partition(marker)
    if not found:
        raise ValueError("it leaves out part of the conversation")
    return before, after
