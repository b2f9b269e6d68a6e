"""Loads the texts in `prompts/`. What was asked can be told afterwards: every prompt has an id with a hash."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from string import Template


@dataclass(frozen=True, slots=True)
class Prompt:
    """A text with $variables."""

    id: str
    """`name@version+hash`; the hash changes with every character of the text."""
    text: str

    def render(self, **variables: str) -> str:
        """The text with its variables filled in; raises KeyError for one that is missing."""
        return Template(self.text).substitute(variables)


@cache
def prompt(name: str) -> Prompt:
    """The prompt in `prompts/<name>.md`."""
    source = files("prompts").joinpath(f"{name}.md").read_text("utf-8")
    _, front, text = source.split("---\n", 2)
    head = dict(line.split(": ", 1) for line in front.strip().splitlines())
    text = text.strip()
    return Prompt(f"{head['id']}@{head['version']}+{sha256(text.encode()).hexdigest()[:8]}", text)
