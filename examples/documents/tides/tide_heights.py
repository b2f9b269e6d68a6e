"""Height of the tide at Harrow Point between two turns, by the rule of twelfths.

    python tide_heights.py 5.42 0.61 2.5

prints the height 2.5 hours after a high water of 5.42 m that falls to a low water of 0.61 m.
The sea does not know this rule. It is good to about 20 centimetres in settled weather, and it
knows nothing of wind or pressure: add 1 centimetre for each hectopascal below 1013.
"""

import sys

GAUGE_ZERO_BELOW_DATUM = 0.14
"""Metres to subtract from a reading of the boathouse gauge."""

HARBOUR_LAG_MINUTES = 25
"""High water is this much later at the point than in Quillhaven harbour."""

HOURS_BETWEEN_TURNS = 6.2
"""A little over six hours, because the moon does not stand still."""

TWELFTHS = (1, 2, 3, 3, 2, 1)
"""How much of the range runs in each sixth of the time."""


def height(first: float, second: float, hours: float) -> float:
    """Metres above chart datum, `hours` after the first turn of the tide."""
    if not 0 <= hours <= HOURS_BETWEEN_TURNS:
        raise ValueError(f"hours must lie between 0 and {HOURS_BETWEEN_TURNS}")
    sixths = hours / HOURS_BETWEEN_TURNS * 6
    whole = min(int(sixths), 5)
    run = sum(TWELFTHS[:whole]) + TWELFTHS[whole] * (sixths - whole)
    return first + (second - first) * run / 12


def from_gauge(reading: float) -> float:
    """A reading of the boathouse gauge as metres above chart datum."""
    return reading - GAUGE_ZERO_BELOW_DATUM


if __name__ == "__main__":
    sys.stdout.write(f"{height(*map(float, sys.argv[1:4])):.2f} m\n")
