"""How far the replica has come, asked in the background, so that no request waits for it."""

import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import psycopg
from django.utils.connection import ConnectionDoesNotExist

from core.db.aliases import REPLICA
from core.db.reading import Copy, position_of
from core.db.sql import queries
from transactions.branches.directory import connect

PERIOD_SECONDS: Final = 0.1
# An answer older than this is none: the replica is slow, stopped or gone.
GOOD_FOR_SECONDS: Final = 0.3
# Nobody has asked for so long: the thread ends, and begins again with the next question.
IDLE_SECONDS: Final = 30.0
RETRY_SECONDS: Final = 1.0

_QUERIES: Final = queries(Path(__file__).parent / "sql" / "replica.sql")
_NOTHING: Final[Mapping[str, Copy]] = MappingProxyType({})


def copies() -> Mapping[str, Copy]:
    """Return how far each node's copy has come; nothing while the replica does not tell."""
    return _watch.latest()


class _Watch:
    """Asks the replica ten times a second while somebody wants to know."""

    def __init__(self) -> None:
        self._answer: tuple[float, Mapping[str, Copy]] = (0.0, _NOTHING)
        self._wanted_at = 0.0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def latest(self) -> Mapping[str, Copy]:
        """Return the last answer while it is good, and keep asking."""
        self._wanted_at = time.monotonic()
        if self._thread is None or not self._thread.is_alive():
            self._start()
        answered_at, found = self._answer
        return found if time.monotonic() - answered_at < GOOD_FOR_SECONDS else _NOTHING

    def restart_in_child(self) -> None:
        """Begin anew after a fork, which leaves threads and who held locks behind."""
        self._lock, self._thread = threading.Lock(), None

    def _start(self) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._ask, name="replica", daemon=True)
                self._thread.start()

    def _ask(self) -> None:
        try:
            with connect(REPLICA) as replica:
                self._ask_on(replica)
        except (psycopg.Error, ConnectionDoesNotExist):
            # Silence is the answer; who reads goes elsewhere, and alarms are watch's business. The
            # next thread asks at the address of then: Django keeps one for each thread.
            time.sleep(RETRY_SECONDS)

    def _ask_on(self, replica: psycopg.Connection) -> None:
        while self._is_wanted():
            # Taken before the question: the answer holds from then on.
            asked_at = time.monotonic()
            rows = replica.execute(_QUERIES["sources"]).fetchall()
            self._answer = (
                asked_at,
                {
                    node: Copy(
                        is_whole=is_whole,
                        position=position_of(lsn),
                        heard_at=heard_at,
                        lag=lag,
                    )
                    for node, is_whole, lsn, heard_at, lag in rows
                },
            )
            time.sleep(PERIOD_SECONDS)

    def _is_wanted(self) -> bool:
        return time.monotonic() - self._wanted_at < IDLE_SECONDS


_watch: Final = _Watch()
os.register_at_fork(after_in_child=_watch.restart_in_child)
