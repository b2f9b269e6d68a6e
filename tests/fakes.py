"""Small real stand-ins: a model that speaks a script, with a tokenizer of bytes and a true cache."""

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.llm.sampling import Sampling
from app.llm.spare import Spare

END = 256
CONTROL = {"<start>": 257, "<end>": END}
TEMPLATE = (
    "{% for message in messages %}<start>{{ message.role }}\n{{ message.content }}<end>\n{% endfor %}"
    "{% if add_generation_prompt %}<start>assistant\n{% endif %}"
)


class ScriptedRuntime:
    """Answers with the next line of its script, whatever it is asked; every byte is a token."""

    def __init__(self, script: Sequence[str] = (), window_size: int = 4096, template: str | None = TEMPLATE):
        self.window_size = window_size
        self.chat_template = template
        self.special_texts = ("", "<end>")
        self.wants_bos = False
        self.cache: list[int] = []
        self.decoded: list[int] = []
        """How many tokens each call of decode evaluated."""
        self.closed = False
        self.script = list(script)
        self.spare: Spare | None = None

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        if not special:
            return list(text.encode())
        tokens: list[int] = []
        while text:
            control = next((name for name in CONTROL if text.startswith(name)), None)
            tokens += [CONTROL[control]] if control else list(text[0].encode())
            text = text[len(control or text[0]) :]
        return tokens

    def piece(self, token: int) -> bytes:
        return bytes([token]) if token < END else b"<control>"

    def is_end(self, token: int) -> bool:
        return token == END

    def can_keep(self, count: int) -> bool:
        return True

    def keep(self, count: int) -> None:
        del self.cache[count:]

    def state(self) -> bytearray:
        return bytearray(json.dumps(self.cache).encode())

    def restore(self, state: bytearray) -> bool:
        self.cache = json.loads(state)
        return True

    def mark(self) -> bytearray | None:
        return None

    def go_back(self, mark: bytearray, count: int) -> bool:
        raise AssertionError("nothing is marked")

    def decode(self, tokens: Sequence[int]) -> None:
        self.cache += tokens
        self.decoded.append(len(tokens))
        assert len(self.cache) <= self.window_size

    def logits(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        """Everything is as likely as anything else."""
        self.decode(tokens)
        return np.zeros((len(tokens), END + len(CONTROL)), np.float32)

    def next_logits(self, tokens: Sequence[int]) -> list[float]:
        """The script says a word: its first letter is wanted, in whatever case."""
        said = self.script.pop(0).lower()
        return [1.0 if chr(token).lower() == said[0] else 0.0 for token in tokens]

    def sampler(self, sampling: Sampling) -> "ScriptedSampler":
        return ScriptedSampler(self.script.pop(0) if self.script else "")

    def close(self) -> None:
        self.closed = True

    def text(self) -> str:
        """What the cache holds, as text."""
        return b"".join(self.piece(token) for token in self.cache).decode()


class ScriptedSampler:
    def __init__(self, line: str) -> None:
        self._tokens: list[int] = [*line.encode(), END]

    def sample(self) -> int:
        return self._tokens.pop(0)

    def close(self) -> None:
        self._tokens.clear()


class ScriptedSpare:
    """What stands beside the window of a :class:`ScriptedRuntime`."""

    def __init__(self, runtime: ScriptedRuntime) -> None:
        self._runtime = runtime
        self._behind: list[int] = []
        self._collected: list[int] = []
        self.decoded: list[int] = []
        """How many tokens each call of decode evaluated."""

    def begin(self, prefix: Sequence[int]) -> None:
        self._behind = []

    def decode(self, tokens: Sequence[int]) -> None:
        self._behind += tokens
        self.decoded.append(len(tokens))

    def state(self, prefix: int) -> bytearray:
        return bytearray(json.dumps(self._behind).encode())

    def restore(self, state: bytearray) -> bool:
        self._behind = json.loads(state)
        return True

    def collect(self, start: int, end: int, place: int) -> None:
        assert end - start == len(self._behind)
        assert len(self._runtime.cache) + len(self._collected) == place
        self._collected += self._behind

    def join(self) -> None:
        self._runtime.cache += self._collected
        self.clear()

    def clear(self) -> None:
        self._behind, self._collected = [], []
