"""How much one client may ask."""

from ipaddress import IPv6Address, ip_address
from typing import Final

from lb.snapshot import RateLimit

CLIENTS: Final = 20_000
"""So many are remembered; of more, the one that was forgotten begins anew."""

_NETWORK: Final = ~(2**64 - 1)


def client_of(address: str) -> str:
    """Return the client that an address stands for: of IPv6 it has a whole network."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(IPv6Address(int(found) & _NETWORK))


class Allowance:
    """A bucket a client, which fills at the limit's rate."""

    __slots__ = ("_buckets", "_limit")

    def __init__(self, limit: RateLimit | None) -> None:
        self._limit = limit
        self._buckets: dict[str, tuple[float, float]] = {}

    def rule(self, limit: RateLimit | None) -> None:
        """Go by another snapshot's limit."""
        self._limit = limit

    def wait(self, client: str, now: float) -> float:
        """Take one request; the seconds to wait instead, when there is none left."""
        limit = self._limit
        if limit is None:
            return 0.0
        rate = limit.requests_per_second
        left, at = self._buckets.pop(client, (float(limit.burst), now))
        left = min(left + (now - at) * rate, limit.burst)
        taken = left >= 1.0
        self._buckets[client] = (left - 1.0 if taken else left, now)
        if len(self._buckets) > CLIENTS:
            del self._buckets[next(iter(self._buckets))]
        return 0.0 if taken else (1.0 - left) / rate
