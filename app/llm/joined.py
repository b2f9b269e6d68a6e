"""How a window is written down: as its tokens, in their order, with a sign on those that were joined.

A token that was evaluated where it stands is written as itself; one whose state was made beforehand and joined, as its
complement `~token`, which is negative. What the cache holds depends on the difference, and so do all who compare
windows: two are the same where the same tokens came in the same way.
"""

from collections.abc import Iterable, Iterator, Sequence

ALONE = 768
"""Tokens that a passage may have that is read ahead, with the prefix before it."""
BESIDE = 2048
"""Tokens there is room for beside the window, where something is to be joined: for a passage with its prefix, and for
those that are on their way into the window."""
TOGETHER = 30
"""Runs (:func:`runs`) that get into the window together, at most."""
_LABEL = 4
"""Most tokens of a label: the number of a passage. It hardly matters what it sees; whatever is longer is no label."""


def joined(tokens: Iterable[int]) -> list[int]:
    """Tokens, written as ones that are joined. They have to stand between tokens that are not."""
    return [~token for token in tokens]


def is_joined(entry: int) -> bool:
    """Whether an entry of a window was joined."""
    return entry < 0


def tokens(entries: Iterable[int]) -> list[int]:
    """The tokens of entries, however they came in."""
    return [~entry if is_joined(entry) else entry for entry in entries]


def counted(entries: Iterable[int]) -> int:
    """How many of the entries are joined."""
    return sum(map(is_joined, entries))


def parts(window: Sequence[int], start: int, pinned: int, batch: int) -> Iterator[Sequence[int]]:
    """A window from `start` on, in the parts in which it gets into the cache.

    Each is a stretch of passages that were read ahead, with their labels; or at most `batch` entries that are to be
    evaluated, none of which goes beyond the first `pinned`.
    """
    while start < len(window):
        end = _end_of_stretch(window, start)
        if end == start:
            end = min(_end_of_run(window, start), start + batch, pinned if start < pinned else len(window))
        yield window[start:end]
        start = end


def runs(window: Sequence[int]) -> Iterator[Sequence[int]]:
    """Entries that came in the same way and stand together."""
    start = 0
    while start < len(window):
        end = _end_of_run(window, start)
        yield window[start:end]
        start = end


def common(left: Sequence[int], right: Sequence[int]) -> int:
    """How many entries two windows have in common, from the first; a joined run counts as a whole or not at all."""
    same = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        same += 1
    while any(_within_run(window, same) for window in (left, right)):
        same -= 1
    return same


def _end_of_run(window: Sequence[int], start: int) -> int:
    end = start
    while end < len(window) and is_joined(window[end]) == is_joined(window[start]):
        end += 1
    return end


def _end_of_stretch(window: Sequence[int], start: int) -> int:
    """`start` where there is none."""
    end = start
    while end < len(window):
        label = end if is_joined(window[end]) else _end_of_run(window, end)
        if label == len(window) or label - end > _LABEL:
            break
        end = _end_of_run(window, label)
    return end


def _within_run(window: Sequence[int], place: int) -> bool:
    return 0 < place < len(window) and is_joined(window[place - 1]) and is_joined(window[place])
