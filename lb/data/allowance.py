"""How much one client may ask, of all processes of a data plane together."""

import mmap
import os
import tempfile
from hashlib import blake2b
from ipaddress import IPv6Address, ip_address
from typing import Final

from lb.snapshot import RateLimit

CLIENTS: Final = 65_536
"""So many are remembered; of more, who owes least begins anew."""

_NETWORK: Final = ~(2**64 - 1)
_WAYS: Final = 4
"""A client is noted at one of so many places, next to each other."""
_KEY_BYTES: Final = 16
_NOTE_BYTES: Final = 16
_SIZE: Final = _KEY_BYTES + CLIENTS * _NOTE_BYTES


def shared_memory() -> int:
    """Return a descriptor of memory for notes about clients, which ends with its last holder.

    It begins with a key of its own, so that nobody can tell whose notes lie beside whose.
    """
    with tempfile.TemporaryFile(buffering=0) as file:
        file.write(os.urandom(_KEY_BYTES))
        os.ftruncate(file.fileno(), _SIZE)
        return os.dup(file.fileno())


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
    """A bucket a client, which fills at the limit's rate.

    What is noted is when it will be full again, in the clock of the machine. Processes that note
    something at the same instant may lose one of their notes: nobody waits for anybody.
    """

    def __init__(self, limit: RateLimit | None, memory: int) -> None:
        """Share the memory of a descriptor, which may be closed then."""
        self._limit = limit
        found = memoryview(mmap.mmap(memory, _SIZE))
        self._key = bytes(found[:_KEY_BYTES])
        notes = found[_KEY_BYTES:]
        self._whose = notes.cast("Q")
        self._full_at = notes.cast("d")

    def rule(self, limit: RateLimit | None) -> None:
        """Go by another snapshot's limit."""
        self._limit = limit

    def wait(self, client: str, now: float) -> float:
        """Take one request; the seconds to wait instead, when there is none left."""
        limit = self._limit
        if limit is None:
            return 0.0
        one = 1.0 / limit.requests_per_second
        note = self._note_of(client)
        # A debt is in requests: nobody owes more of them than a limit that is new by now lends.
        owed_until = min(self._full_at[note + 1], now + limit.burst * one)
        full_at = max(owed_until, now) + one
        late = full_at - now - limit.burst * one
        # Seconds of a long clock have few digits left for parts of them.
        if late > one * 1e-3:
            self._full_at[note + 1] = owed_until
            return late
        self._full_at[note + 1] = full_at
        return 0.0

    def _note_of(self, client: str) -> int:
        """Return where a client's note is, the notes of who owes least being given away."""
        digest = blake2b(client.encode(), key=self._key, digest_size=8).digest()
        whose = int.from_bytes(digest, "little") or 1
        first = whose % (CLIENTS // _WAYS) * _WAYS * 2
        places = range(first, first + _WAYS * 2, 2)
        for place in places:
            if self._whose[place] == whose:
                return place
        place = min(places, key=lambda one: self._full_at[one + 1])
        self._whose[place] = whose
        self._full_at[place + 1] = 0.0
        return place
