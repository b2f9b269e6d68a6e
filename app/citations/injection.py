"""Instructions in documents that are aimed at the assistant. Patterns only: they tell where to look, and prove nothing.

Passages are fenced as quoted material, and a sentence of an answer counts only if a passage supports it. But who
follows an instruction repeats it, and so it would support him: what is found here supports nothing, unless the question
asked for it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.citations.sentences import of_document
from ingest.documents import Span

_REPLY = r"(?:answers?|repl(?:y|ies)|responses?|messages?|outputs?|elucidation|explanation)"
_CODE = r"(?:code(?:base)?|solution|implementation|algorithm|answer|response|reply|elucidation|work)"
_ORDERS = r"(?:instructions?|prompts?|rules?|guidelines?|orders?|directions?|information|context|commands?)"
_ASSISTANT = r"(?:ai|llm|chatgpt|chatbot|language \s model|assistant)"
_SHAPE = rf"""
    \b(?:in|to|of|from|into|with|within|end|begin|start|provide|give|write|render|translate|encode|modify|enhance
    |augment|convert|format|display|use|make|alter|phrase|present)\b
    [^.\n]{{0,60}} \b(?:your|this) \s (?:\w+ \s)? {_REPLY}\b
    | \byour \s (?:\w+ \s)? {_REPLY} \s (?:must|should|has \s to|with|by|in|as)\b"""
_CODE_TO_ADD = rf"""
    \b(?:following|subsequent|below|next) \s (?:\w+ \s)? code (?:\s (?:block|snippet|section|excerpt|segment))?\b
    [^.`]{{0,120}} (?: \b(?:your|the) \s (?:\w+ \s){{0,4}} {_CODE}\b | \b(?:useful|usage|it)\b )?
    | \byour \s (?:\w+ \s)? (?:code(?:base)?|implementation|algorithm) \b [^.`]{{0,80}}
      \b(?:following|subsequent|below) \s (?:\w+ \s)? code"""
_GIVING_UP = rf"""
    \b(?:ignore|disregard|forget|forgotten|override|bypass|discard
    |(?:do \s not|don't|stop) \s (?:follow\w*|obey\w*|listen\w*))\b [^.\n]{{0,40}}
    (?: \b(?:previous(?:ly)?|prior|preceding|above|earlier|your|all|any|given|these|those|system)\b
        [^.\n]{{0,30}} \b{_ORDERS}\b
    | \b{_ORDERS} \s (?:above|before|so \s far|you \s (?:were|got|have))\b )"""
_PRYING = r"""
    \b(?:repeat|print|reveal|show|output|display|tell|list|state|return|quote|leak|summari[sz]e|translate)\b
    [^.\n]{0,40} \b(?:your|(?:the \s)?(?:system|above|previous|initial|hidden|original|other)|all) \s
    (?:\w+ \s)? (?:prompts?|instructions?|rules)\b
    | \b(?:repeat|print) \s the \s instructions\b"""
_PART = rf"""
    \b(?:from \s now \s on|henceforth)\b [^.\n]{{0,30}} \b(?:you|your)\b
    | \byou \s (?:are \s now|will \s be \s called)\b
    | \byou \s are \s (?:an? \s | special \s)? (?:agent \s)? (?:{_ASSISTANT}|dan)\b
    | \b(?:pretend|act|answer|respond|behave) \s (?:to \s be|as|like) \s (?:if|an?|the|you) [^.\n]{{0,60}}
      \b(?:{_ASSISTANT}|unrestricted|unfiltered|no \s (?:rules|limits|restrictions))\b
    | \bpretend \s to \s have \s forgotten\b | \b(?:dan|developer|god|jailbreak) \s mode\b"""
_TURN = r"""
    ^[^\S\n]*[{\[<#*]*\s*(?:system|assistant|ai)[}\]>*]*\s*:\s
    | <\|?\s*/?(?:system|im_start|im_end|start_of_turn|end_of_turn) | \[/?INST\]
    | \b(?:end|begin) \s of \s (?:the \s)? (?:context|passages?|documents?|system \s prompt)\b"""
_ADDRESS = rf"""
    \b(?:note|attention|important|instructions?|message|dear|hey|hello)\b [^.\n]{{0,20}}
    \b{_ASSISTANT}\b [^.\n]{{0,15}} [:,!-]
    | \b(?:if|when) \s you \s are \s an? \s {_ASSISTANT}\b"""
_PATTERNS = {
    "it says what the answer should be like": _SHAPE,
    "it wants code to be built into the answer": _CODE_TO_ADD,
    "it wants earlier instructions to be given up": _GIVING_UP,
    "it asks for the assistant's instructions": _PRYING,
    "it gives the assistant a part to play": _PART,
    "it looks like a part of the conversation": _TURN,
    "it is addressed to an assistant": _ADDRESS,
}
_COMPILED = {why: re.compile(pattern, re.VERBOSE | re.IGNORECASE | re.MULTILINE) for why, pattern in _PATTERNS.items()}


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A sentence of a text that seems to instruct the assistant."""

    span: Span
    """Characters of the text."""
    reason: str
    """For a person."""


def suspicions(text: str) -> Iterator[Suspicion]:
    """The sentences of a text that seem to be aimed at the assistant, in their order."""
    for start, end in of_document(text):
        sentence = text[start:end]
        reason = next((why for why, pattern in _COMPILED.items() if pattern.search(sentence)), None)
        if reason:
            yield Suspicion((start, end), reason)
