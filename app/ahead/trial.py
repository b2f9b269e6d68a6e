"""Does a model answer as well from passages that were read ahead? A self-check, made once for a model in its context.

Passages that are joined have not seen each other. How much that matters depends on the model: small ones lose more.
The answers are without the numbers of passages: these are less sure when their passages were joined, but code puts
them right (:mod:`app.citations`), so they are not what an answer is worth.
"""

from collections.abc import Iterator
from statistics import mean

from app.llm.dialogue import Dialogue
from app.llm.engine import Engine, Ready
from app.llm.passages import Trial
from app.llm.sampling import Sampling
from app.prompting import prompt
from app.wording import asked, nothing_ready, shown
from ingest.documents import Chunk, Passage

_PASSAGES = (
    (
        "library/rules.md",
        "The town library lends books for four weeks and films for one. A loan can be renewed twice, unless somebody "
        "else has reserved the item. Who returns a book late pays 20 cents a day, children under fourteen pay "
        "nothing. Whoever has lost a book replaces it or pays its price and three euros for the binding.",
    ),
    (
        "library/annual-report.md",
        "In 2019 the library had 4,312 readers who borrowed 61,840 items. The roof above the reading room was renewed "
        "between March and July at a cost of 187,000 euros; the room was closed for eleven weeks. Mrs. Okonkwo, who "
        "had led the house since 1998, retired in September, and Mr. Lindqvist followed her.",
    ),
    (
        "garden/handbook.md",
        "The botanical garden keeps 2,600 kinds of plants on nine hectares. The palm house is heated to 22 degrees "
        "with wood chips from the town forest. Night-flowering cacti can be seen on the second Friday of June, when "
        "the garden is open until midnight. Dogs may come along on a short lead, but not into the glass houses.",
    ),
    (
        "tram/minutes.md",
        "The council decided on 14 May to lengthen tram line 3 from Mill Square to the hospital: 2.4 kilometres with "
        "five stops. Work is to begin in 2026. Councillor Haddad asked for a shelter at each stop; this was accepted "
        "by nine votes against six. The money comes from the state for two thirds, and from the town for the rest.",
    ),
)
_QUESTIONS = (
    ("How long are films lent?", "Films are lent for one week."),
    ("What does a child of ten pay for a book that is returned late?", "Children under fourteen pay nothing."),
    ("How much did the new roof of the reading room cost?", "The new roof cost 187,000 euros."),
    ("Who followed Mrs. Okonkwo?", "Mr. Lindqvist followed her."),
    ("When can night-flowering cacti be seen?", "On the second Friday of June."),
    ("How long is the new part of tram line 3?", "It is 2.4 kilometres long, with five stops."),
)


def try_out(engine: Engine) -> Iterator[None]:
    """Makes the trial and keeps what it finds with the states; yields after every batch.

    Closing the iterator stops it, and nothing is kept.
    """
    states = engine.states
    assert states is not None
    dialogue = Dialogue(engine.runtime)
    fresh: list[float] = []
    joined: list[float] = []
    for ready, found in ((nothing_ready, fresh), (lambda _: True, joined)):
        for question, answer in _QUESTIONS:
            window = _window(question, dialogue, ready)
            for _ in engine.complete(window, 0, Sampling()):
                yield
            found.append(engine.surprise(window, dialogue.text(answer)))
    states.trial = Trial(mean(fresh), mean(joined))


def _window(question: str, dialogue: Dialogue, ready: Ready) -> list[int]:
    opening = dialogue.opening(prompt("answer").text)
    passages = {number: _passage(*each) for number, each in enumerate(_PASSAGES, 1)}
    return [
        *opening,
        *shown(passages, dialogue, ready),
        *asked(question, (), dialogue),
        *dialogue.before_answer(),
    ]


def _passage(uri: str, text: str) -> Passage:
    chunk = Chunk(
        id=uri,
        collection="",
        document_id=uri,
        uri=uri,
        title="",
        ordinal=0,
        text=text,
        headings=(),
        pages=(),
        span=(0, len(text)),
        tokens=0,
    )
    return Passage(chunk, score=0.0, rank=0, dense_score=0.0, bm25_score=0.0)
