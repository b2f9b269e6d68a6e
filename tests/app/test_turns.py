import time
from collections.abc import Iterator
from contextlib import closing
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import turns as turns_module
from app.answers import Condensed, Waiting
from app.exchange import Exchange
from app.turns import Turns, place_in_line


@pytest.fixture(autouse=True, scope="module")
def impatient() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turns_module, "_PATIENCE", 0.0)
        yield


@given(leaving=st.lists(st.booleans(), min_size=1, max_size=8), data=st.data())
@settings(deadline=None)
def test_who_came_first_is_served_first_and_who_leaves_holds_up_nobody(
    leaving: list[bool], data: st.DataObject
) -> None:
    turns = Turns()
    assert list(turns.wait()) == []
    line = [turns.wait() for _ in leaving]
    for place, each in enumerate(line, 1):
        assert next(each) == place
    for gone in data.draw(st.permutations([each for each, leaves in zip(line, leaving, strict=True) if leaves])):
        gone.close()
    staying = [each for each, leaves in zip(line, leaving, strict=True) if not leaves]
    for number, each in enumerate(staying):
        assert [next(other) for other in staying[number:]] == list(range(1, len(staying) - number + 1))
        turns.end()
        assert list(each) == []
    turns.end()
    assert list(turns.wait()) == []


def test_threads_are_served_in_their_order() -> None:
    turns, served = Turns(), list[int]()

    def serve(number: int) -> None:
        with turns.turn(lambda _ahead: time.sleep(0.001)):
            served.append(number)

    threads = [Thread(target=serve, args=(number,)) for number in range(20)]
    with turns.turn(lambda _ahead: None):
        for standing, thread in enumerate(threads, 2):
            thread.start()
            while len(turns._line) < standing:
                time.sleep(0.001)
    for thread in threads:
        thread.join(10)
    assert served == list(range(20))


def test_who_is_interrupted_while_he_waits_leaves_the_line() -> None:
    turns = Turns()

    def interrupt(_ahead: int) -> None:
        raise KeyboardInterrupt

    with turns.turn(lambda _ahead: None):
        with pytest.raises(KeyboardInterrupt), turns.turn(interrupt):
            pytest.fail("it is somebody else's turn")
        with closing(turns.wait()) as waiting:
            assert next(waiting) == 1
    assert list(turns.wait()) == []


def test_an_error_in_a_turn_ends_it() -> None:
    turns = Turns()
    with pytest.raises(ValueError, match="wrong"), turns.turn(lambda _ahead: None):
        raise ValueError("wrong")
    assert list(turns.wait()) == []


def test_the_place_is_told_in_words() -> None:
    assert "yours is next" in place_in_line(1)
    assert place_in_line(2).startswith("2 questions")
    exchange = Exchange("What does the gate cost?")
    exchange.take(Waiting(2))
    assert exchange.doing == "In line: 2 questions are answered before yours"
    exchange.take(Condensed(exchange.question, 0.1))
    assert "answered before" not in exchange.doing
