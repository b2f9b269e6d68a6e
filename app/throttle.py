"""Who shows wrong passwords has to wait, longer each time."""

import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network

_FREE = 3
"""Wrong passwords without a wait: people mistype."""
_LONGEST = 300.0
"""Seconds."""
_REMEMBERED = 1000
"""Addresses; the one that was seen least lately is forgotten."""


class Throttle:
    """Counts wrong passwords by the address they came from."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait(self, address: str) -> float:
        """Seconds until an address may try again."""
        count, since = self._wrong.get(_origin(address), (0, 0.0))
        if count < _FREE:
            return 0.0
        return max(0.0, since + min(2.0 ** min(count - _FREE, 30), _LONGEST) - self._clock())

    def wrong(self, address: str) -> None:
        """Notes a wrong password."""
        origin = _origin(address)
        count, _ = self._wrong.pop(origin, (0, 0.0))
        self._wrong[origin] = (count + 1, self._clock())
        if len(self._wrong) > _REMEMBERED:
            self._wrong.popitem(last=False)

    def right(self, address: str) -> None:
        """Forgets the wrong passwords of an address."""
        self._wrong.pop(_origin(address), None)


def _origin(address: str) -> str:
    """An address, or of IPv6 its network, because one machine has as many addresses as it likes."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((found, 64), strict=False)) if isinstance(found, IPv6Address) else str(found)
