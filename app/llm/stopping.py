"""Ends an answer at texts that somebody named, and shows nothing of them."""

from collections.abc import Sequence


class StopText:
    """Takes an answer piece by piece, gives out text as soon as it cannot be part of a text that ends it."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = [stop for stop in stops if stop]
        self._held = ""
        self.met = False
        """Whether the answer has come to its end; what is fed then is not shown."""

    def feed(self, text: str) -> str:
        """What is certain after this piece."""
        if self.met:
            return ""
        self._held += text
        end = min((place for stop in self._stops if (place := self._held.find(stop)) >= 0), default=-1)
        self.met = end >= 0
        return self._take(end if self.met else len(self._held) - self._open())

    def finish(self) -> str:
        """What was held back, once the model has ended."""
        return "" if self.met else self._take(len(self._held))

    def _take(self, end: int) -> str:
        shown, self._held = self._held[:end], self._held[end:]
        return shown

    def _open(self) -> int:
        """Length of the longest tail with which one of the texts begins."""
        longest = max(map(len, self._stops), default=1) - 1
        tails = (self._held[-length:] for length in range(min(longest, len(self._held)), 0, -1))
        return next((len(tail) for tail in tails if any(stop.startswith(tail) for stop in self._stops)), 0)
