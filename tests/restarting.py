"""Restarts of a running bank's web workers while people ask: no request may fail."""

import http.client
import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Final

import psutil

from tests.functional.runtime.terminal import Bank

PATIENCE: Final = 60.0
WELL: Final = {"GET 200", "POST 401"}
"""A page, and a transfer of nobody's without a key: it is never sent twice."""
_LOOK_SECONDS: Final = 0.1


@dataclass
class Load:
    """What comes of requests, each on a connection that waited, by method and status."""

    port: int
    pause: float
    outcomes: Counter[str] = field(default_factory=Counter)
    _stop: Event = field(default_factory=Event)

    @property
    def failures(self) -> dict[str, int]:
        """What should never have come."""
        return {what: count for what, count in self.outcomes.items() if what not in WELL}

    def ask(self) -> None:
        """Ask until the end, in turns."""
        web = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        while not self._stop.is_set():
            for method, path in (("GET", "/auth/login/"), ("POST", "/api/v1/transfers")):
                try:
                    web.request(method, path, headers={"Host": "localhost"})
                    answer = web.getresponse()
                    answer.read()
                    self.outcomes[f"{method} {answer.status}"] += 1
                except (OSError, http.client.HTTPException) as error:
                    self.outcomes[f"{method} {type(error).__name__}"] += 1
                    web.close()
            self._stop.wait(self.pause)
        web.close()

    def end(self) -> None:
        """Ask no more."""
        self._stop.set()


@contextmanager
def load(bank: Bank, *, clients: int, pause: float = 0.0) -> Iterator[Load]:
    """Ask by several clients for the length of the block."""
    found = Load(bank.port, pause)
    threads = [Thread(target=found.ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        found.end()
        for thread in threads:
            thread.join()


def workers(bank: Bank) -> list[psutil.Process]:
    """Return the bank's web workers, the oldest first."""
    found = psutil.Process(bank.pid("web")).children()
    return sorted(found, key=lambda one: one.create_time())


def backends(bank: Bank) -> dict[str, str]:
    """Return which backends are given requests, and whether each is up."""
    web = http.client.HTTPConnection("127.0.0.1", bank.port, timeout=PATIENCE)
    try:
        web.request("GET", "/health", headers={"Host": "localhost"})
        return dict(json.loads(web.getresponse().read()).get("backends", {}))
    finally:
        web.close()


def wait_until_all_serve(bank: Bank, seconds: float = PATIENCE) -> None:
    """Return when every web worker is given requests."""
    deadline = time.monotonic() + seconds
    while True:
        found: dict[str, str] = {}
        with suppress(OSError, http.client.HTTPException, ValueError):
            found = backends(bank)
        if found == {"web-1": "up", "web-2": "up"}:
            return
        assert time.monotonic() < deadline, f"not all serve: {found}"
        time.sleep(_LOOK_SECONDS)


def restart(bank: Bank, *victims: psutil.Process) -> None:
    """End web workers as an operator would, and wait until those that follow serve."""
    for victim in victims:
        victim.terminate()
    _gone, alive = psutil.wait_procs(victims, PATIENCE)
    assert not alive, f"{alive} did not end"
    wait_until_all_serve(bank)
