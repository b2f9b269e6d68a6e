"""Texts -> Streamlit's Markdown, so that what people and documents wrote is shown as it was written. Pure."""

import re
from collections.abc import Collection

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&])")
_MARK = re.compile(r"\[(\d+(?:\s*,\s*\d+)*)\]")


def literal(text: str) -> str:
    """Text of a document or a person: nothing in it is markup."""
    return _SPECIAL.sub(r"\\\1", text).replace("\n", "  \n")


def answer_markup(text: str, numbers: Collection[int]) -> str:
    """An answer of the model: its Markdown counts, formulas do not; [n] becomes a badge where n is cited."""

    def badge(mark: re.Match[str]) -> str:
        cited = [number for number in re.split(r"\s*,\s*", mark.group(1)) if int(number) in numbers]
        return "".join(f":blue-badge[{number}]" for number in cited) or mark.group()

    return _MARK.sub(badge, text.replace("$", r"\$"))


def marked_passage(text: str, start: int, end: int) -> str:
    """A passage with the characters from `start` to `end` marked."""
    quote = " ".join(text[start:end].split())
    marked = f":blue-background[{literal(quote)}]" if quote else ""
    return f"{literal(text[:start])}{marked}{literal(text[end:])}"
