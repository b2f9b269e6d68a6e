"""What a person sees of the tokens a model generates: its answer without its thoughts and control texts."""

import codecs
import re
from dataclasses import dataclass
from typing import Literal

THOUGHTS = (("<|channel>thought", "<channel|>"), ("<think>", "</think>"))
"""Opening and closing of a thought: Gemma 4's channel; the tags of Qwen 3 and others."""
_TURNS = ("<|turn>", "<turn|>", "<|think|>", "<start_of_turn>", "<end_of_turn>", "<|im_start|>", "<|im_end|>")
_TOOLS = ("<|tool_call>", "<tool_call|>", "<|tool_response>", "<tool_response|>")
_MARKERS = (*(marker for pair in THOUGHTS for marker in pair), "<|channel>", *_TURNS, *_TOOLS)
_LONGEST = max(map(len, _MARKERS))
_MARKER = re.compile("|".join(map(re.escape, _MARKERS)))


@dataclass(frozen=True, slots=True)
class Piece:
    """Some generated text."""

    kind: Literal["answer", "thought"]
    text: str


class VisibleText:
    """Takes the bytes of tokens one by one, gives out text as soon as it cannot be part of a marker.

    Markers may come as one token or split over many; characters may be split over tokens too.
    """

    def __init__(self, within_thought: bool = False) -> None:
        """`within_thought`: the opening of a thought stands before the first token already."""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        self._kind: Literal["answer", "thought"] = "thought" if within_thought else "answer"

    def feed(self, data: bytes) -> list[Piece]:
        """The text that is certain after these bytes."""
        self._held += self._decoder.decode(data)
        return self._take(_certain(self._held))

    def finish(self) -> list[Piece]:
        """What was held back, once the model has ended."""
        self._held += self._decoder.decode(b"", final=True)
        return self._take(len(self._held))

    def _take(self, end: int) -> list[Piece]:
        pieces, position = [], 0
        for marker in _MARKER.finditer(self._held):
            if marker.end() > end:
                break
            pieces.append(Piece(self._kind, self._held[position : marker.start()]))
            self._kind = _kind_after(marker.group(), self._kind)
            position = marker.end()
        pieces.append(Piece(self._kind, self._held[position:end]))
        self._held = self._held[end:]
        return [piece for piece in pieces if piece.text]


def _certain(text: str) -> int:
    """How much of `text` cannot become part of a marker when more text follows."""
    for start in range(max(0, len(text) - _LONGEST), len(text)):
        tail = text[start:]
        if any(marker.startswith(tail) and marker != tail for marker in _MARKERS):
            return start
    return len(text)


def _kind_after(marker: str, kind: Literal["answer", "thought"]) -> Literal["answer", "thought"]:
    for opening, closing in THOUGHTS:
        if marker == opening:
            return "thought"
        if marker == closing:
            return "answer"
    return kind
