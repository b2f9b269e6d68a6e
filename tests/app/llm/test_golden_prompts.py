"""The windows of whole conversations, written out: what the model sees is what its makers' template renders."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from llama_cpp.llama_chat_format import Jinja2ChatFormatter

from app.llm.dialogue import Dialogue
from app.llm.ledger import Draft, Ledger
from app.llm.runtime import Context, LlamaRuntime, Runtime
from tests import gemma4
from tests.fakes import END, ScriptedRuntime

SYSTEM = "Answer from the passages."
TURNS = [("When was the tower lit?", "In 1861 [1]."), ("And the lamp?", "Later [2]."), ("By whom?", "A keeper [1].")]
LAST = "Thank you."

GEMMA_3 = """\
{{ bos_token }}{% set first = '' %}
{%- if messages[0].role == 'system' %}{% set first = messages[0].content | trim ~ '\\n\\n' %}
{%- set messages = messages[1:] %}{% endif %}
{%- for message in messages %}
{%- if (message.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}
{{- '<start_of_turn>' ~ ('model' if message.role == 'assistant' else message.role) ~ '\\n' }}
{{- (first if loop.first else '') ~ message.content | trim ~ '<end_of_turn>\\n' }}
{%- endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}"""
CHATML = """\
{%- for message in messages %}
{{- '<|im_start|>' ~ message.role ~ '\\n' ~ message.content ~ '<|im_end|>\\n' }}{% endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"""
CHATML_THINKING = CHATML.replace(
    "assistant\\n' }}{% endif %}",
    "assistant\\n' }}{% if not enable_thinking %}{{ '<think>\\n\\n</think>\\n\\n' }}{% endif %}{% endif %}",
)
"""As Qwen 3 has it: an empty thought opens an answer that is to come without."""


@dataclass(frozen=True)
class Format:
    """How a family of models wants its conversations."""

    template: str
    controls: tuple[str, ...]
    """Texts of control tokens; the first one ends a turn."""
    opening: str
    """System text included."""
    before_question: str
    before_answer: str
    after_answer: str
    bos: str = ""
    primer: str = ""
    """Opens an answer that is to come without a thought."""
    thinking: str = ""
    """What of the opening is there for thoughts only."""

    def golden(self, think: bool, primer_everywhere: bool = True) -> str:
        """The whole conversation, up to where the model begins its fourth answer."""
        primer = "" if think else self.primer
        said = (self.opening if think else self.opening.replace(self.thinking, "")) + TURNS[0][0] + self.before_answer
        for (_, answer), (question, _) in zip(TURNS, [*TURNS[1:], (LAST, "")], strict=True):
            said += (primer if primer_everywhere else "") + answer + self.after_answer
            said += self.before_question + question + self.before_answer
        return said + primer


FORMATS = {
    "Gemma 4": Format(
        template=gemma4.TEMPLATE.replace("PRIMER", repr(gemma4.DENSE.primer)),
        controls=("<turn|>", "<|turn>", "<|think|>", "<|channel>", "<channel|>", "<bos>"),
        opening=f"<bos><|turn>system\n<|think|>\n{SYSTEM}<turn|>\n<|turn>user\n",
        before_question="<|turn>user\n",
        before_answer="<turn|>\n<|turn>model\n",
        after_answer="<turn|>\n",
        bos="<bos>",
        primer="<|channel>thought\n<channel|>",
        thinking="<|think|>\n",
    ),
    "Gemma 3": Format(
        template=GEMMA_3,
        controls=("<end_of_turn>", "<start_of_turn>", "<bos>"),
        opening=f"<bos><start_of_turn>user\n{SYSTEM}\n\n",
        before_question="<start_of_turn>user\n",
        before_answer="<end_of_turn>\n<start_of_turn>model\n",
        after_answer="<end_of_turn>\n",
        bos="<bos>",
    ),
    "ChatML": Format(
        template=CHATML,
        controls=("<|im_end|>", "<|im_start|>"),
        opening=f"<|im_start|>system\n{SYSTEM}<|im_end|>\n<|im_start|>user\n",
        before_question="<|im_start|>user\n",
        before_answer="<|im_end|>\n<|im_start|>assistant\n",
        after_answer="<|im_end|>\n",
    ),
    "ChatML, thinking": Format(
        template=CHATML_THINKING,
        controls=("<|im_end|>", "<|im_start|>", "<think>", "</think>"),
        opening=f"<|im_start|>system\n{SYSTEM}<|im_end|>\n<|im_start|>user\n",
        before_question="<|im_start|>user\n",
        before_answer="<|im_end|>\n<|im_start|>assistant\n",
        after_answer="<|im_end|>\n",
        primer="<think>\n\n</think>\n\n",
    ),
}


class FormattedRuntime(ScriptedRuntime):
    """Has the control tokens of a format; every other byte is a token."""

    def __init__(self, form: Format) -> None:
        super().__init__(template=form.template)
        self.special_texts = (form.bos, form.controls[0])
        self.wants_bos = bool(form.bos)
        self._controls = {text: END + number for number, text in enumerate(form.controls)}

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        tokens: list[int] = []
        while text:
            control = next((name for name in self._controls if special and text.startswith(name)), None)
            tokens += [self._controls[control]] if control else list(text[0].encode())
            text = text[len(control or text[0]) :]
        return tokens


def grown(runtime: Runtime, think: bool) -> list[int]:
    """The window, as a conversation grows it turn by turn."""
    dialogue = Dialogue(runtime)
    ledger = Ledger(dialogue, SYSTEM, thinking=think)
    for question, answer in TURNS:
        draft = Draft(ledger.question(dialogue.text(question), think), {})
        ledger.commit(draft, [*dialogue.text(answer), end_token(runtime)], ended=True)
    return ledger.tokens + ledger.question(dialogue.text(LAST), think)


def end_token(runtime: Runtime) -> int:
    """With which the model ends its turn."""
    glue = Dialogue(runtime).next_turn(ended=False)
    assert runtime.is_end(glue[0])
    return glue[0]


def rendered(runtime: Runtime, think: bool) -> str:
    """The conversation as the template renders it in one go."""
    bos, eos = runtime.special_texts
    formatter = Jinja2ChatFormatter(runtime.chat_template or "", eos_token=eos, bos_token=bos)
    said = [("system", SYSTEM), *chain(*((("user", q), ("assistant", a)) for q, a in TURNS)), ("user", LAST)]
    messages: Any = [{"role": role, "content": content} for role, content in said]
    return str(formatter(messages=messages, enable_thinking=think).prompt)


@pytest.mark.parametrize("think", [False, True])
@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_the_window_is_the_rendered_conversation(form: Format, think: bool) -> None:
    runtime = FormattedRuntime(form)
    assert grown(runtime, think) == runtime.tokenize(form.golden(think), special=True)
    # A template opens the last answer only with the primer; in the window it stays where it was evaluated.
    assert rendered(runtime, think) == form.golden(think, primer_everywhere=False)


@pytest.mark.parametrize("think", [False, True])
@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_without_a_system_text_the_window_opens_as_the_template_does(form: Format, think: bool) -> None:
    runtime = FormattedRuntime(form)
    formatter = Jinja2ChatFormatter(form.template, eos_token=form.controls[0], bos_token=form.bos)
    messages: Any = [{"role": "user", "content": LAST}]
    golden = str(formatter(messages=messages, enable_thinking=think).prompt)
    dialogue = Dialogue(runtime)
    grown = dialogue.opening("", think) + dialogue.question(LAST, think, think)
    assert grown == runtime.tokenize(golden, special=True)


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_whether_a_model_can_think_is_read_off_its_template(form: Format) -> None:
    assert Dialogue(FormattedRuntime(form)).can_think == bool(form.thinking or form.primer)


@pytest.fixture(params=["dense", "shared"])
def tiny(request: pytest.FixtureRequest) -> Iterator[tuple[LlamaRuntime, str]]:
    """A tiny Gemma 4, and what its template opens an answer without a thought with."""
    path: Path = request.getfixturevalue(f"{request.param}_gemma4")
    runtime = LlamaRuntime(path, Context(1024))
    yield runtime, {"dense": gemma4.DENSE, "shared": gemma4.SHARED}[request.param].primer
    runtime.close()


@pytest.mark.parametrize("think", [False, True])
def test_the_tokens_of_gemma_4_are_those_of_its_template(tiny: tuple[LlamaRuntime, str], think: bool) -> None:
    runtime, primer = tiny
    golden = rendered(runtime, think).removesuffix("" if think else primer)
    if not think:
        golden = golden.replace("<|turn>model\n", f"<|turn>model\n{primer}")
    assert golden.startswith(f"<bos><|turn>system\n{'<|think|>' if think else SYSTEM}")
    assert grown(runtime, think) == runtime.tokenize(golden, special=True)


@pytest.mark.model
@pytest.mark.parametrize("think", [False, True])
def test_the_tokens_of_the_starter_are_those_of_its_template(starter_model: Path, think: bool) -> None:
    runtime = LlamaRuntime(starter_model, Context(512))
    try:
        golden = FORMATS["ChatML"].golden(think)
        assert rendered(runtime, think) == golden
        assert grown(runtime, think) == runtime.tokenize(golden, special=True)
    finally:
        runtime.close()
