"""Revocation as a thief meets it: a token is good at every web worker, until its owner ends it.

Somebody logs out, is suspended, or changes the password, with the cache up, with the cache down,
and with the cache down and then back as it was: what it kept of the past must let nobody in.
"""

import json
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL, Popen
from sys import executable
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from bankproject.runtime.ports import first_free
from bankproject.runtime.valkey import Valkey, embedded
from tests.proofs._bank import PROJECT
from tests.website import served

PASSWORD: Final = "correct horse battery staple"
NEW_PASSWORD: Final = "seven purple elephants dance"
ENDINGS: Final = ("log out", "suspend", "change password")
CACHES: Final = ("up", "down", "back")
# Nothing here depends on how fast a loaded machine is: only a proof asks for a second.
_MOST_SECONDS: Final = 30.0
_PAUSE: Final = 0.05


@dataclass(frozen=True, kw_only=True)
class Person:
    """Who logs in."""

    email: str
    number: int


@dataclass(kw_only=True)
class Revoking:
    """What was seen: how long, in seconds, a token was taken after it was revoked."""

    taken_for: list[float] = field(default_factory=list)
    requests: int = 0
    failures: list[str] = field(default_factory=list)


class Cache:
    """A Valkey server that can be killed and comes back with what it kept."""

    def __init__(self, folder: Path) -> None:
        port = first_free(27_000 + secrets.randbelow(900))
        password = secrets.token_urlsafe(16)
        self.server = Valkey(binary=embedded(), folder=folder, port=port, password=password)
        self._process = self.server.start()

    def stop(self) -> None:
        """Stop the server; what it kept stays on disk."""
        self._process.terminate()
        self._process.wait()

    def start(self) -> None:
        """Start it again."""
        self._process = self.server.start()


@dataclass(frozen=True, kw_only=True)
class Site:
    """The bank's web workers, each at an address of its own, and their cache."""

    workers: Sequence[str]
    cache: Cache
    admin: Person


@contextmanager
def site(
    environment: Mapping[str, str], folder: Path, *, workers: int, admin: Person
) -> Iterator[Site]:
    """Serve a bank by several workers, with `manage.py watch` and a cache of their own."""
    cache = Cache(folder / "valkey")
    settings = {**environment, "REDIS_URL": cache.server.url, "API_RATE_LIMIT": str(10**9)}
    with ExitStack() as running:
        running.callback(cache.stop)
        watch = Popen([executable, "manage.py", "watch"], env=settings, cwd=PROJECT, stderr=DEVNULL)
        running.callback(watch.wait)
        running.callback(watch.terminate)
        addresses = [running.enter_context(served(settings)) for _ in range(workers)]
        yield Site(workers=addresses, cache=cache, admin=admin)


def revoke(bank: Site, person: Person, *, ending: str, cache: str) -> Revoking:
    """Let a person log in and be shut out again, and see at every worker until when they are in."""
    seen = Revoking()
    door = _log_in(bank.workers[0], person)
    admin = _log_in(bank.workers[0], bank.admin)
    for worker in bank.workers:
        if _status(worker, door) != 200:
            seen.failures.append(f"{ending}, cache {cache}: not let in before")
    if cache != "up":
        bank.cache.stop()
    try:
        _end(bank.workers[-1], ending, door, admin, person)
        _watch_it_end(bank, door, seen, f"{ending}, cache {cache}")
    finally:
        if cache != "up":
            bank.cache.start()
    if cache == "back":
        _stays_out(bank, door, seen, f"{ending}, cache {cache}")
    return seen


def _watch_it_end(bank: Site, door: Mapping[str, str], seen: Revoking, what: str) -> None:
    """Ask each worker until it refuses; note when the last request began that was let in."""
    ended_at = last_in = time.monotonic()
    waiting = list(bank.workers)
    while waiting and time.monotonic() < ended_at + _MOST_SECONDS:
        for worker in list(waiting):
            asked_at = time.monotonic()
            status = _status(worker, door)
            seen.requests += 1
            if status == 200:
                last_in = asked_at
            elif status == 401:
                waiting.remove(worker)
            else:
                seen.failures.append(f"{what}: {status}")
        time.sleep(_PAUSE)
    seen.taken_for.append(last_in - ended_at)
    if waiting:
        seen.failures.append(f"{what}: still let in after {_MOST_SECONDS:.0f} s")


def _stays_out(bank: Site, door: Mapping[str, str], seen: Revoking, what: str) -> None:
    """Check that nobody is let in by what the cache still holds from before."""
    from accounts.models import Untold

    until = time.monotonic() + _MOST_SECONDS
    while Untold.objects.exists() and time.monotonic() < until:
        time.sleep(_PAUSE)
    # Longer than a worker leaves a cache alone that failed, and remembers what it knew.
    until = time.monotonic() + 4
    while time.monotonic() < until:
        for worker in bank.workers:
            seen.requests += 1
            if _status(worker, door) != 401:
                seen.failures.append(f"{what}: let in again")
                return
        time.sleep(_PAUSE * 4)


def _end(
    worker: str, ending: str, door: Mapping[str, str], admin: Mapping[str, str], person: Person
) -> None:
    if ending == "log out":
        status, answer = _ask(worker, "/api/v1/auth/logout", door, body={})
    elif ending == "suspend":
        path = f"/api/v1/admin/people/{person.number}/status"
        body = {"status": "suspended", "reason": "a proof"}
        status, answer = _ask(worker, path, admin, body=body, method="PUT")
    else:
        body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        path = "/auth/app/v1/account/password/change"
        status, answer = _ask(worker, path, {"X-Session-Token": door["X-Session-Token"]}, body=body)
    if status not in {200, 204}:
        message = f"{ending}: {status} {answer}"
        raise RuntimeError(message)


def _log_in(worker: str, person: Person) -> dict[str, str]:
    """Log in by allauth's own address, which gives both kinds of tokens."""
    body = {"email": person.email, "password": PASSWORD}
    status, answer = _ask(worker, "/auth/app/v1/auth/login", {}, body=body)
    if status != 200:
        message = f"log in: {status} {answer}"
        raise RuntimeError(message)
    meta = answer["meta"]
    return {
        "Authorization": f"Bearer {meta['access_token']}",
        "X-Session-Token": meta["session_token"],
    }


def _status(worker: str, door: Mapping[str, str]) -> int:
    return _ask(worker, "/api/v1/me/sessions", {"Authorization": door["Authorization"]})[0]


def _ask(
    worker: str,
    path: str,
    headers: Mapping[str, str],
    *,
    body: object = None,
    method: str | None = None,
) -> tuple[int, Any]:
    request = Request(  # noqa: S310  # our own server
        f"{worker}{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **headers},
        method=method,
    )
    try:
        with urlopen(request, timeout=30) as answer:  # noqa: S310  # our own server
            return answer.status, json.loads(answer.read() or b"null")
    except HTTPError as refusal:
        return refusal.code, refusal.read().decode()
