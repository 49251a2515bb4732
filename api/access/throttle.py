"""Slows down those who try keys at the login: each address for itself, and all together. In this process alone.

A key has 190 random bits, so nobody finds one by trying. This keeps the database and the log from those who try.
"""

from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from shared.clock import Clock

# So many wrong tries in a row cost an address nothing; then the pause doubles.
FREE_TRIES = 5
LONGEST_PAUSE_S = 60.0
# An address is forgotten this long after its last try.
FORGET_S = 900.0
MAX_ADDRESSES = 10_000
# All addresses together: so many wrong tries at once, and one more each second.
TRIES_OF_ALL, TRIES_OF_ALL_PER_S = 60, 1.0


@dataclass(slots=True)
class _Tries:
    count: int
    last_s: float


class LoginThrottle:
    """Counts a try as wrong when it begins, so that tries at the same time count too. `succeeded` takes that back."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._of: OrderedDict[str, _Tries] = OrderedDict()
        self._left = float(TRIES_OF_ALL)
        self._filled_s = self._now()

    def begin(self, address: str) -> float:
        """Seconds until this address may try again; 0: it may now, and this try counts."""
        now, name = self._now(), _network(address)
        tries = self._of.get(name)
        if tries is not None and now - tries.last_s > FORGET_S:
            tries = None
        if tries is not None and tries.count >= FREE_TRIES:
            pause = min(2.0 ** (tries.count - FREE_TRIES), LONGEST_PAUSE_S)
            if (wait := tries.last_s + pause - now) > 0:
                return wait
        self._left = min(TRIES_OF_ALL, self._left + (now - self._filled_s) * TRIES_OF_ALL_PER_S)
        self._filled_s = now
        if self._left < 1:
            return (1 - self._left) / TRIES_OF_ALL_PER_S
        self._left -= 1
        self._of[name] = _Tries(1 if tries is None else tries.count + 1, now)
        self._of.move_to_end(name)
        if len(self._of) > MAX_ADDRESSES:
            self._of.popitem(last=False)
        return 0

    def succeeded(self, address: str) -> None:
        """The key was right: this address begins anew."""
        if self._of.pop(_network(address), None) is not None:
            self._left = min(TRIES_OF_ALL, self._left + 1)

    def _now(self) -> float:
        return self._clock.monotonic_ns() / 1e9


def _network(address: str) -> str:
    """Of an IPv6 address its network of 64 bits, which one host may have for itself."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    return str(parsed.ipv4_mapped or int(parsed) >> 64)
