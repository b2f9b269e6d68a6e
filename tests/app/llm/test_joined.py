from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.llm.joined import common, counted, is_joined, joined, parts, runs, tokens

BATCH = 32
texts = st.lists(st.integers(0, 300), min_size=1, max_size=90)
windows = st.lists(st.tuples(texts, st.booleans()), min_size=1, max_size=12).map(
    lambda pieces: [entry for text, joins in pieces for entry in (joined(text) if joins else text)]
)


@given(texts)
def test_a_joined_token_is_still_the_same_token(text: list[int]) -> None:
    assert tokens(joined(text)) == tokens(text) == text
    assert counted(joined(text)) == len(text)
    assert not counted(text)


@given(windows, st.data())
def test_the_parts_are_the_window_in_pieces_that_can_be_taken_in(window: list[int], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(window)))
    found = list(parts(window, start, 0, BATCH))
    assert [entry for part in found for entry in part] == window[start:]
    for part in found:
        if counted(part):
            labels = [run for run in runs(part) if not is_joined(run[0])]
            assert is_joined(part[-1]) and all(len(label) <= 4 for label in labels)
        else:
            assert len(part) <= BATCH


@given(windows, st.integers(0, 400))
def test_a_part_ends_where_what_is_pinned_ends(window: list[int], pinned: int) -> None:
    ends, end = [], 0
    for part in parts(window, 0, pinned, BATCH):
        end += len(part)
        ends.append(end)
        begins = end - len(part)
        assert counted(part) or not begins < pinned < end


@given(windows)
def test_runs_alternate(window: list[int]) -> None:
    kinds = [is_joined(run[0]) for run in runs(window)]
    assert all(one != other for one, other in pairwise(kinds))


@given(windows, windows, st.data())
def test_what_two_windows_have_in_common_never_ends_within_a_passage(
    window: list[int], end: list[int], data: st.DataObject
) -> None:
    other = window[: data.draw(st.integers(0, len(window)))] + end
    same = common(window, other)
    assert window[:same] == other[:same]
    for each in (window, other):
        assert not (0 < same < len(each) and is_joined(each[same - 1]) and is_joined(each[same]))


def test_a_token_that_was_evaluated_is_not_the_same_as_one_that_was_joined() -> None:
    assert common([1, 2, 3], [1, 2, *joined([3])]) == 2


def test_labels_come_in_with_their_passages() -> None:
    window = [*range(100), *joined([7] * 9), 1, *joined([5] * 50), 2, 3, *joined([6] * 50), *range(30)]
    assert [len(part) for part in parts(window, 100, 0, BATCH)] == [9 + 51 + 52, 30]
    assert [len(part) for part in parts(window, 109, 0, BATCH)] == [51 + 52, 30]


def test_a_fresh_passage_is_no_label() -> None:
    window = [*joined([5] * 50), *range(20), *joined([6] * 50)]
    assert [len(part) for part in parts(window, 0, 0, BATCH)] == [50, 20, 50]
