"""An end to waiting for a database that has fallen silent without hanging up.

A frozen server keeps its connections alive: no timeout of the server's or of the network's ends the
wait. Inside ``patient_for`` every statement of Django's connections has a deadline; when it passes,
the connection is broken from this side, and the statement fails as if the server had gone.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper

PERIOD_SECONDS: Final = 0.25

_patience: Final[ContextVar[float | None]] = ContextVar("patience", default=None)


@contextmanager
def patient_for(seconds: float) -> Iterator[None]:
    """Wait no longer than ``seconds`` for any one statement of this thread or task."""
    token = _patience.set(seconds)
    try:
        yield
    finally:
        _patience.reset(token)


@contextmanager
def within_patience(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Break ``connection`` when the block takes longer than the patience, if there is any."""
    seconds = _patience.get()
    if seconds is None:
        yield
        return
    with breaking_after(connection, seconds):
        yield


@contextmanager
def breaking_after(connection: psycopg.Connection[Any], seconds: float) -> Iterator[None]:
    """Break ``connection`` when the block takes longer than ``seconds``."""
    waiting = _Waiting(connection, time.monotonic() + seconds)
    _watchdog.watch(waiting)
    try:
        yield
    finally:
        _watchdog.leave(waiting)


def watch_connection(connection: BaseDatabaseWrapper, **_signal: object) -> None:
    """Hold the statements of one of Django's new connections to the patience."""
    if _execute_within_patience not in connection.execute_wrappers:
        # First: a block that wraps statements takes the last one off in the end, and the connection
        # may be made within.
        connection.execute_wrappers.insert(0, _execute_within_patience)


def _execute_within_patience(
    execute: Callable[..., Any],
    sql: str,
    parameters: Any,
    many: bool,  # noqa: FBT001  # as Django calls it
    context: Any,
) -> Any:
    with within_patience(context["connection"].connection):
        return execute(sql, parameters, many, context)


class _Waiting:
    """A statement under way, and when its connection is broken."""

    def __init__(self, connection: psycopg.Connection[Any], deadline: float) -> None:
        self.deadline = deadline
        self._connection = connection

    def give_up(self) -> None:
        """Break the connection under the feet of the thread that waits on it."""
        # A copy of the descriptor: the connection's own stays psycopg's to close.
        with socket.socket(fileno=os.dup(self._connection.fileno())) as same:
            same.shutdown(socket.SHUT_RDWR)


class _Watchdog:
    """One thread that looks at all statements under way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: set[_Waiting] = set()
        self._thread: threading.Thread | None = None

    def watch(self, waiting: _Waiting) -> None:
        with self._lock:
            self._waiting.add(waiting)
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="patience", daemon=True)
                self._thread.start()

    def leave(self, waiting: _Waiting) -> None:
        # Once it has left, its connection is somebody else's: the lock keeps the two apart.
        with self._lock:
            self._waiting.discard(waiting)

    def forget(self) -> None:
        """Begin anew after a fork, which leaves threads and who held the lock behind."""
        self._lock, self._waiting, self._thread = threading.Lock(), set(), None

    def _look(self) -> None:
        while True:
            time.sleep(PERIOD_SECONDS)
            with self._lock:
                now = time.monotonic()
                for waiting in [one for one in self._waiting if one.deadline < now]:
                    self._waiting.discard(waiting)
                    waiting.give_up()


_watchdog: Final = _Watchdog()
os.register_at_fork(after_in_child=_watchdog.forget)
