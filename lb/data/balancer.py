"""One process of the data plane: what its connections share."""

import asyncio
import resource
import secrets
from collections.abc import Callable
from itertools import count
from random import Random
from typing import Final
from uuid import uuid4

from lb.data.allowance import Allowance
from lb.data.client import ClientConnection
from lb.data.counters import Counters
from lb.data.fetching import fetch
from lb.data.fleet import Fleet, Member, log
from lb.data.heads import MAX_HEAD, HeadParser, RefusedError
from lb.data.own_answers import OwnAnswers
from lb.data.windows import RetryBudget
from lb.secret import field
from lb.snapshot import Check, Deadlines, Snapshot

_SWEEP_SECONDS: Final = 0.25
_SPARE_FILES: Final = 64
_WELL: Final = range(200, 400)


class Balancer:
    """Backends, clients, limits and counts of this process, and what has to be done in time."""

    def __init__(
        self, now: Callable[[], float], allowance: Allowance, secret: str | None = None
    ) -> None:
        self.now = now
        self.allowance = allowance
        self.introduction = field(secret)
        """A line of each request: by it backends know who sends it."""
        self.fleet = Fleet(Random())  # noqa: S311  # turns, not secrets
        self.parser = HeadParser()
        self.budget = RetryBudget()
        self.counters = Counters()
        self.own_answers = OwnAnswers()
        self.deadlines = Deadlines()
        self.clients: set[ClientConnection] = set()
        self.draining = False
        self._check = Check()
        self._checks: dict[Member, asyncio.Task[None]] = {}
        self._most_clients = _most_clients()
        self._id = str(uuid4())[:24].encode()
        self._ids = count(secrets.randbits(40))

    def rule(self, snapshot: Snapshot) -> None:
        """Go by a snapshot, from the next request on."""
        self.deadlines = snapshot.deadlines
        self._check = snapshot.check
        self.allowance.rule(snapshot.rate_limit)
        self.fleet.rule(snapshot, self.now())
        members = set(self.fleet.members.values())
        for gone in self._checks.keys() - members:
            self._checks.pop(gone).cancel()
        for member in members - self._checks.keys():
            self._checks[member] = asyncio.create_task(self._check_on(member))

    def welcome(self, client: ClientConnection) -> bool:
        """Count a client in, unless the process has no files left for it and its backend."""
        if len(self.clients) >= self._most_clients:
            return False
        self.clients.add(client)
        return True

    def new_id(self) -> bytes:
        """Return a request id that no other request has."""
        return b"%b%012x" % (self._id, next(self._ids) & (2**48 - 1))

    async def keep_time(self) -> None:
        """End, for ever, what takes too long."""
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            now = self.now()
            for client in [one for one in self.clients if one.deadline < now]:
                client.overdue()
            for member in self.fleet.members.values():
                _close_old(member, now - self.deadlines.pool_seconds)

    async def drain(self, *, fast: bool = False) -> None:
        """Answer what is asked; each connection ends with its next answer, all in the deadline.

        ``fast``: connections on which nothing is asked end at once.
        """
        self.draining = True
        log("draining", clients=len(self.clients))
        until = self.now() + self.deadlines.drain_seconds
        for client in list(self.clients) if fast else ():
            client.close_if_idle()
        while self.clients and self.now() < until:  # noqa: ASYNC110  # nobody else waits for it
            await asyncio.sleep(_SWEEP_SECONDS / 5)
        for client in list(self.clients):
            client.transport.abort()
        log("drained")

    def stop(self) -> None:
        """Check nobody any more, and give up the connections that wait."""
        while self._checks:
            member, task = self._checks.popitem()
            task.cancel()
            member.close_idle()

    async def _check_on(self, member: Member) -> None:
        """Ask one backend again and again whether it is well."""
        dice = Random()  # noqa: S311  # a moment, not a secret
        while True:
            check = self._check
            well = await _is_well(member, check)
            self.fleet.checked(member, self.now(), well=well)
            await asyncio.sleep(check.interval_seconds * dice.uniform(0.9, 1.1))


async def _is_well(member: Member, check: Check) -> bool:
    try:
        status, _ = await fetch(
            member.address,
            check.path,
            fields={"Host": check.host},
            seconds=check.timeout_seconds,
            most=MAX_HEAD,
        )
    except (OSError, RefusedError):
        return False
    return status in _WELL


def _close_old(member: Member, before: float) -> None:
    kept = [one for one in member.idle if one.idle_at >= before]
    if len(kept) < len(member.idle):
        old = [one for one in member.idle if one.idle_at < before]
        member.idle[:] = kept
        for connection in old:
            connection.close()


def _most_clients() -> int:
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max((files - _SPARE_FILES) // 2, 1)
